import { Secret } from "../../src/shared/secret.ts";

/** Where the token of a workspace comes from; one that never changes is a Secret. */
export interface TokenSource {
  /** `what` is asked with it. Throws DeliveryError, or STORE_*. */
  current(what: string): Promise<Secret>;
  /** Slack does not take this one. `again`: there is another by now. `gone`: there is none, and nothing can be said. */
  refused(token: Secret, code: string): Promise<"again" | "gone">;
}

export async function tokenNow(source: Secret | TokenSource, what: string): Promise<Secret> {
  return source instanceof Secret ? source : await source.current(what);
}
