import type { Secret } from "../shared/secret.ts";

/** Lets whoever has it read of one tenant, and of no other. */
export interface TenantToken {
  readonly id: string;
  /** `platform:id`. */
  readonly tenant: string;
  /** What an operator calls it. */
  readonly name: string;
  readonly createdAtMs: number;
  readonly by: string;
  /** Null: never. */
  readonly expiresAtMs: number | null;
}

/** Tokens bound to a tenant, for all processes that share the store. All reject with STORE_*. */
export interface Tokens {
  /** The token itself is given here, and kept nowhere. Null: there are TOKENS_MAX. */
  create(of: Pick<TenantToken, "tenant" | "name" | "by" | "expiresAtMs">): Promise<MadeToken | null>;
  /** By what somebody sent. Null: it is none, it was revoked, or its time is over. */
  find(given: string): Promise<TenantToken | null>;
  /** Null: it was revoked, or its time is over. */
  get(id: string): Promise<TenantToken | null>;
  /** Those whose time is over, too, until they are forgotten. Oldest first. */
  list(): Promise<readonly TenantToken[]>;
  /** Null: there is none. */
  revoke(id: string): Promise<TenantToken | null>;
  /** Told of each that was revoked, here or in another process; where the word is lost, it is not. Gives how to leave. */
  watch(heard: (id: string) => void): () => void;
}

export interface MadeToken {
  readonly token: TenantToken;
  readonly secret: Secret;
}
