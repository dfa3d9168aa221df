import { LRUCache } from "lru-cache";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { KeptSecret, Secrets } from "../../src/ports/secrets.ts";
import { type Installation, readInstallation, writeInstallation } from "./installation.ts";
import type { Refresh } from "./rotation.ts";
import type { TokenSource } from "./token.ts";

/** How what is kept of them is named. */
export const PREFIX = "installation:slack:";
/** Installations that are remembered; the others are read again when they say something. */
const REMEMBERED_MAX = 10_000;
/** After this one is read again, beside its use: the word that it has changed may have been lost. */
const FRESH_MS = 60_000;
/** Slack delivers an event for so long; what it says of before an installation is about an earlier one. */
const DELIVERED_MS = 25 * 3_600_000;

export interface InstallationsOptions {
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly refresh: Refresh;
}

interface Remembered {
  readonly installation: Installation;
  readonly readAtMs: number;
}

/** Those who have installed the app: in the store, and remembered here. */
export class Installations {
  readonly #options: InstallationsOptions;
  readonly #known = new LRUCache<string, Remembered>({ max: REMEMBERED_MAX });
  readonly #reads = new Map<string, Promise<Installation | null>>();

  constructor(options: InstallationsOptions) {
    this.#options = options;
    options.secrets.watch((name) => {
      if (name.startsWith(PREFIX)) this.#drop(name.slice(PREFIX.length));
    });
  }

  /** At once where it is remembered. Null: not installed. Rejects with STORE_*. */
  find(tenant: string): Installation | Promise<Installation | null> {
    const known = this.#known.get(tenant);
    if (known === undefined) return this.#read(tenant);
    if (this.#options.clock.nowMs() - known.readAtMs > FRESH_MS) void this.#read(tenant).catch(() => {});
    return known.installation;
  }

  /** Rejects with STORE_*. */
  async install(installation: Installation): Promise<void> {
    const { tenant } = installation;
    await this.#options.secrets.put(PREFIX + tenant, writeInstallation(installation));
    this.#drop(tenant);
  }

  /**
   * `atMs`: when Slack says that it was removed. One that came after that is another, and stays; but for what Slack itself
   * would not deliver any more, which somebody plays back. Rejects with STORE_*.
   */
  async forget(tenant: string, atMs: number | null): Promise<boolean> {
    const { secrets } = this.#options;
    this.#drop(tenant);
    const kept = await secrets.get(PREFIX + tenant).catch(unreadable);
    if (kept === null) return false;
    const installation = kept === "unreadable" ? null : readInstallation(kept.text);
    if (installation !== null && atMs !== null && isOfEarlier(installation, atMs)) return false;
    const isGone = await secrets.remove(PREFIX + tenant);
    this.#drop(tenant);
    return isGone;
  }

  async tenants(after: string | undefined, limit: number): Promise<readonly string[]> {
    const page = { prefix: PREFIX, limit, ...(after !== undefined && { after: PREFIX + after }) };
    return (await this.#options.secrets.names(page)).map((name) => name.slice(PREFIX.length));
  }

  /** The token of one of them, as it is at each call. */
  tokenOf(tenant: string): TokenSource {
    return {
      current: async (what) => {
        const installation = await this.#of(tenant, what);
        return (await this.#renewed(installation)).token;
      },
      refused: async (token, code) => await this.#refused(tenant, token.reveal(), code),
    };
  }

  async #of(tenant: string, what: string): Promise<Installation> {
    const found = await this.find(tenant);
    if (found !== null) return found;
    throw new DeliveryError("rejected", `${what}: the app is not installed in ${tenant} any more`);
  }

  /** With time to spare, beside its use; at the last moment, before it. */
  async #renewed(installation: Installation): Promise<Installation> {
    const { refresh, clock } = this.#options;
    const due = refresh.due(installation, clock.nowMs());
    if (due === "not yet") return installation;
    const renewed = refresh.run(installation).then((fresh) => this.#remember(installation.tenant, fresh));
    if (due === "now") return (await renewed) ?? installation;
    renewed.catch(() => {});
    return installation;
  }

  /** Slack does not take the token any more. */
  async #refused(tenant: string, token: string, code: string): Promise<"again" | "gone"> {
    const { secrets, refresh } = this.#options;
    this.#drop(tenant);
    const kept = await secrets.get(PREFIX + tenant);
    const installation = kept === null ? null : readInstallation(kept.text);
    if (kept === null || installation === null) return "gone";
    // Refreshed, or installed again, on another replica.
    if (installation.token.reveal() !== token) return "again";
    if (code === "token_expired" && installation.rotation !== null)
      return this.#remember(tenant, await refresh.run(installation)) === null ? "gone" : "again";
    if (code === "token_revoked" || code === "account_inactive") await secrets.remove(PREFIX + tenant, kept);
    return "gone";
  }

  #remember(tenant: string, installation: Installation | null): Installation | null {
    if (installation === null) this.#drop(tenant);
    else this.#known.set(tenant, { installation, readAtMs: this.#options.clock.nowMs() });
    return installation;
  }

  #drop(tenant: string): void {
    this.#known.delete(tenant);
    this.#reads.delete(tenant);
  }

  /** One at a time for each; what was dropped while it was read is not remembered. */
  #read(tenant: string): Promise<Installation | null> {
    const before = this.#reads.get(tenant);
    if (before !== undefined) return before;
    const read = this.#fetch(tenant).finally(() => {
      if (this.#reads.get(tenant) === read) this.#reads.delete(tenant);
    });
    this.#reads.set(tenant, read);
    return read;
  }

  async #fetch(tenant: string): Promise<Installation | null> {
    const kept: KeptSecret | null = await this.#options.secrets.get(PREFIX + tenant);
    const installation = kept === null ? null : readInstallation(kept.text);
    if (this.#reads.has(tenant)) this.#remember(tenant, installation);
    return installation;
  }
}

function isOfEarlier({ installedAtMs }: Installation, atMs: number): boolean {
  const before = Math.floor(installedAtMs / 1000) * 1000 - atMs;
  return before > 0 && before < DELIVERED_MS;
}

function unreadable(error: unknown): "unreadable" {
  if ((error as { code?: unknown }).code === "SECRET_UNREADABLE") return "unreadable";
  throw error;
}
