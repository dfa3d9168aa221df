import type { ProbeFinding } from "./probe-finding.ts";

/** One that has installed the app itself, as operators see it: whose it is and what it may, and nothing of its token. */
export interface InstallationRecord {
  readonly tenant: string;
  /** Null: none of our keys opens what is kept of it, and the rest is not known either. */
  readonly about: InstallationFacts | null;
}

export interface InstallationFacts {
  readonly name: string;
  /** For all of an organisation, or for one workspace of it. */
  readonly isOrganisation: boolean;
  readonly scopes: readonly string[];
  readonly installedAtMs: number;
  /** Who installed it, as the platform names people. */
  readonly installedBy: string | null;
  /** When its token ends, unless it is refreshed before; null: it does not. */
  readonly expiresAtMs: number | null;
}

/** Those who have installed a platform's app themselves. */
export interface InstallationKeeper {
  /** By tenant, of those that come after `after`. Rejects with STORE_*. */
  list(page: {
    readonly after: string | null;
    readonly limit: number;
  }): Promise<readonly InstallationRecord[]>;
  /** Forgets it on all replicas, and asks the platform to end its token. False: it is not there. Rejects with STORE_*. */
  remove(tenant: string, signal: AbortSignal): Promise<boolean>;
  /** Asks the platform about it, within seconds. Changes nothing. Rejects with STORE_*. */
  check(tenant: string, signal: AbortSignal): Promise<readonly ProbeFinding[]>;
}
