/** One process of the gateway, as it last said of itself. */
export interface Replica {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly role: string;
  readonly version: string;
  /** Digest of the configuration that holds. */
  readonly configuration: string;
  readonly startedAtMs: number;
  readonly seenAtMs: number;
}
