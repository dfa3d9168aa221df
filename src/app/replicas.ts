import type { Replica } from "../domain/replica.ts";
import type { Clock } from "../ports/clock.ts";
import type { Vault } from "../ports/vault.ts";
import { describe } from "../shared/fault.ts";
import { parseJsonObject } from "../shared/json.ts";
import { REPLICA } from "../store/secrets.ts";
import type { Logger } from "../telemetry/log.ts";

/** How often each says that it is there. */
export const SAY_MS = 30_000;
/** Of one that was killed, this is kept for so long. */
const FORGOTTEN_MS = 3_600_000;
const PAGE = 200;

export interface ReplicasDeps {
  readonly vault: Vault;
  readonly clock: Clock;
  readonly log: Pick<Logger, "debug">;
  readonly self: Omit<Replica, "configuration" | "seenAtMs">;
  readonly configuration: () => string;
}

/** Says in the store that this process is there, and knows which others are. */
export class Replicas {
  readonly #deps: ReplicasDeps;

  constructor(deps: ReplicasDeps) {
    this.#deps = deps;
  }

  /** Until the signal aborts. A store that is away is told the next time. Never rejects. */
  async keepSaying(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    while (!signal.aborted) {
      await this.#trying(() => this.#say());
      await clock.sleep(SAY_MS, signal).catch(() => {});
    }
  }

  /** It ends in order. Never rejects. */
  async leave(): Promise<void> {
    const { vault, self } = this.#deps;
    await this.#trying(() => vault.remove(REPLICA + self.id));
  }

  /** All that have said so within an hour, this one first; then by when they were started. Rejects with STORE_*. */
  async list(): Promise<readonly Replica[]> {
    const { vault, clock, self } = this.#deps;
    await this.#say();
    const found: Replica[] = [];
    let after: string | undefined;
    for (;;) {
      const page = await vault.list({ prefix: REPLICA, limit: PAGE, ...(after !== undefined && { after }) });
      for (const { name, value } of page) {
        const replica = read(name, value);
        if (replica !== null && clock.nowMs() - replica.seenAtMs <= FORGOTTEN_MS) found.push(replica);
        else await vault.remove(name, value);
      }
      after = page.at(-1)?.name;
      if (page.length < PAGE) break;
    }
    const rank = ({ id }: Replica) => (id === self.id ? 0 : 1);
    return found.sort((a, b) => rank(a) - rank(b) || a.startedAtMs - b.startedAtMs);
  }

  async #say(): Promise<void> {
    const { vault, clock, self, configuration } = this.#deps;
    const { id, ...known } = self;
    const said = { ...known, configuration: configuration(), seenAtMs: clock.nowMs() };
    await vault.put(REPLICA + id, JSON.stringify(said));
  }

  async #trying(what: () => Promise<unknown>): Promise<void> {
    try {
      await what();
    } catch (error) {
      this.#deps.log.debug({ cause: describe(error) }, "replica.unsaid");
    }
  }
}

/** Null: another version wrote what we cannot read. */
function read(name: string, value: string): Replica | null {
  const parsed = parseJsonObject(value);
  if (!parsed.ok) return null;
  const { host, pid, role, version, configuration, startedAtMs, seenAtMs } = parsed.value;
  const texts = [host, role, version, configuration];
  const numbers = [pid, startedAtMs, seenAtMs];
  if (!texts.every((one) => typeof one === "string") || !numbers.every(Number.isFinite)) return null;
  return { ...(parsed.value as unknown as Omit<Replica, "id">), id: name.slice(REPLICA.length) };
}
