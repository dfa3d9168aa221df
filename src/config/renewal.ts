import type { Seal } from "../shared/seal.ts";
import type { Secret } from "../shared/secret.ts";

/** What of a configuration is secret. */
export interface Live {
  readonly secrets: ReadonlyMap<string, Secret>;
  readonly secretFiles: ReadonlyMap<string, { readonly look: string }>;
  readonly environment: { readonly seal: Seal | null };
}

/** The variables of secrets that are others than before. */
export function changedSecrets(
  before: Pick<Live, "secretFiles">,
  next: Pick<Live, "secretFiles">,
): readonly string[] {
  return [...next.secretFiles]
    .filter(([name, { look }]) => before.secretFiles.get(name)?.look !== look)
    .map(([name]) => name);
}

/** Whoever holds a secret of `running` has the value that it has in `next`, from now on. */
export function renewSecrets(running: Live, next: Live): void {
  for (const [name, secret] of running.secrets) {
    const other = next.secrets.get(name);
    if (other !== undefined && isRenewable(name, running, next)) secret.renew(other);
  }
  if (next.environment.seal !== null) running.environment.seal?.renew(next.environment.seal);
}

/** Of an address a new password is taken, and not another server: what was acknowledged is in the one that we have. */
export function isRenewable(
  name: string,
  running: Pick<Live, "secrets">,
  next: Pick<Live, "secrets">,
): boolean {
  return name !== "REDIS_URL" || serverOf(running.secrets.get(name)) === serverOf(next.secrets.get(name));
}

function serverOf(address: Secret | undefined): string {
  const url = new URL(address?.reveal() ?? "redis:");
  url.username = "";
  url.password = "";
  return url.href;
}
