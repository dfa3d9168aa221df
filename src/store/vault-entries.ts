import type { Vault, VaultEntry } from "../ports/vault.ts";

const PAGE = 100;

/** Whatever comes from outside, as a part of a name there. */
export function namePart(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** All whose names begin so, in their order and a page at a time; what comes or goes meanwhile may be among them or not. */
export async function* entriesOf(
  vault: Pick<Vault, "list">,
  prefix: string,
  from?: string,
): AsyncGenerator<VaultEntry, void> {
  for (let after = from; ; ) {
    const page = await vault.list({ prefix, limit: PAGE, ...(after !== undefined && { after }) });
    yield* page;
    after = page.at(-1)?.name;
    if (page.length < PAGE) return;
  }
}
