import { InvalidArgumentError } from "commander";
import { PAGE_MAX } from "../admin/bounds.ts";
import { type Client, queryOf, stranger } from "./client.ts";
import { inert } from "./printable.ts";
import type { Terminal } from "./terminal.ts";

/** What was found, and whether there is more. */
export interface Found<T> {
  readonly items: readonly T[];
  readonly isMore: boolean;
}

/** A list of the API: where it is, what it calls its items, and how it is told where to go on. */
interface List {
  readonly path: string;
  readonly name: string;
  readonly from: "before" | "cursor";
}

/** Follows the pages of a list until there are `limit` items or no more. */
export async function fetchPages<T>(
  client: Client,
  { path, name, from }: List,
  filter: Readonly<Record<string, string | undefined>>,
  limit: number,
): Promise<Found<T>> {
  const items: T[] = [];
  let next: string | undefined;
  for (;;) {
    const size = Math.min(PAGE_MAX, limit - items.length);
    const page = await client.json<Record<string, T[]> & { next: string | null }>(
      path + queryOf({ ...filter, limit: size, [from]: next }),
    );
    if (!Array.isArray(page[name])) throw stranger(200, client.url);
    items.push(...page[name]);
    if (page.next === null || page.next === undefined) return { items, isMore: false };
    if (items.length >= limit) return { items, isMore: true };
    next = page.next;
  }
}

/** The table or JSON on stdout, and what there is to say about it on stderr. */
export function printList<T>(
  { items, isMore }: Found<T>,
  toTable: (items: readonly T[], nowMs: number) => string,
  terminal: Terminal,
  { isJson, none }: { isJson: boolean; none: string },
): void {
  if (isJson) terminal.out(`${inert(JSON.stringify(items, null, 2))}\n`);
  else if (items.length === 0) terminal.talk(`${none}\n`);
  else terminal.out(toTable(items, Date.now()));
  if (isMore) terminal.talk(`There are more; --limit shows more than ${items.length}.\n`);
}

export function asCount(value: string): number {
  const count = Number(value);
  if (/^\d{1,6}$/.test(value) && count >= 1) return count;
  throw new InvalidArgumentError("Expected a whole number from 1 to 999999.");
}
