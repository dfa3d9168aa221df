/**
 * Small texts by name, written by any process and read by all: secrets are sealed before (`Secrets`). Durable
 * before a change resolves, as far as the store is. At most VAULT_CHARS_MAX characters each.
 */
export interface Vault {
  get(name: string): Promise<string | null>;
  /**
   * False: something else than `was` is kept (null: nothing), and nothing changed; absent: whatever it was. The same value
   * again is no harm.
   */
  put(name: string, value: string, was?: string | null): Promise<boolean>;
  /** Whether something was kept, and is not any more. */
  remove(name: string, was?: string): Promise<boolean>;
  /** By name, of those that begin with `prefix` and come after `after`. */
  list(options: VaultPage): Promise<readonly VaultEntry[]>;
}

export interface VaultPage {
  readonly prefix: string;
  readonly after?: string;
  readonly limit: number;
}

export interface VaultEntry {
  readonly name: string;
  readonly value: string;
}
