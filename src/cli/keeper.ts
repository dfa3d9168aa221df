import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import {
  type Checked,
  type FinishedPage,
  finishedPage,
  finishedQuery,
  type Pruned,
  type Removed,
  type Vacuumed,
} from "../admin/maintenance.ts";
import { redisConnection } from "../app/store.ts";
import type { Config } from "../config/load.ts";
import type { Deed } from "../domain/audit.ts";
import type { Retention } from "../ports/retention.ts";
import type { Store } from "../ports/store.ts";
import type { Finished } from "../ports/upkeep.ts";
import { EXIT } from "../shared/exit.ts";
import { messageOf } from "../shared/fault.ts";
import { appendAudit } from "../store/audit.ts";
import { fileOf, isLocked, slotsIn } from "../store/spool/slots.ts";
import { systemClock } from "../system/clock.ts";
import { createNewId } from "../system/ids.ts";
import { ask, httpBase } from "./ask.ts";
import { type Client, createClient, jsonBody, operator, queryOf } from "./client.ts";
import { CommandError, type Terminal } from "./terminal.ts";

export interface FinishedQuery {
  readonly state: "done" | "dropped" | "dead" | "merged";
  readonly before: string;
  readonly cursor?: string;
}

/** Keeps the store in order: the gateway that has it, or this command where none has. */
export interface Keeper extends AsyncDisposable {
  /** For the person. */
  readonly who: string;
  check(): Promise<Checked>;
  vacuum(): Promise<Vacuumed>;
  prune(dryRun: boolean): Promise<Pruned>;
  finished(query: FinishedQuery): Promise<FinishedPage>;
  remove(events: readonly Finished[]): Promise<Removed>;
}

/** To read a large file through takes its time. */
const LONG_MS = 3_600_000;
const LOOK_MS = 2_000;

/**
 * The file of SQLite has one process at a time, so whoever holds its lock does it. Redis has many: the gateway that is asked
 * does it where it answers, and else this command, beside whatever runs elsewhere.
 */
export async function openKeeper(
  config: Config,
  terminal: Terminal,
  options: { readonly url?: string },
): Promise<Keeper> {
  const { redisUrl, dataDir } = config.environment;
  const url = options.url ?? terminal.env.PARLEY_URL;
  const isAsked = url !== undefined || (redisUrl === null ? isInUse(dataDir) : await answers(config));
  if (isAsked) return overApi(createClient(terminal, options));
  if (redisUrl !== null) return new Shared(await openShared(config), config, terminal);
  if (existsSync(join(dataDir, DATABASE)) || existsSync(join(dataDir, `${DATABASE}-wal`)))
    return new Own(config, terminal);
  throw new CommandError(
    EXIT.failed,
    `expected a database in ${dataDir}, got none; is PARLEY_DATA_DIR that of the gateway?`,
  );
}

const DATABASE = "parley.db";

function isInUse(dataDir: string): boolean {
  const file = join(dataDir, DATABASE);
  try {
    return existsSync(file) && isLocked(file);
  } catch {
    // Damaged, so nobody uses it; what is wrong is found by whoever opens it.
    return false;
  }
}

async function answers({ environment }: Config): Promise<boolean> {
  const url = httpBase("PARLEY_PORT", `http://127.0.0.1:${environment.port}`);
  const asked = await ask(`${url}/health`, { method: "GET" }, LOOK_MS);
  return asked.kind === "answered" && asked.status === 200;
}

function overApi(client: Client): Keeper {
  const post = async <T>(what: string, body: object = {}): Promise<T> =>
    await client.json<T>(`/maintenance/${what}`, jsonBody(body), LONG_MS);
  return {
    who: `the gateway at ${client.url}`,
    check: async () => await post("check"),
    vacuum: async () => await post("vacuum"),
    prune: async (dryRun) => await post("prune", { dry_run: dryRun }),
    finished: async (query) => await client.json(`/maintenance/finished${queryOf({ ...query })}`),
    remove: async (events) => await post("remove", { events }),
    async [Symbol.asyncDispose]() {},
  };
}

/** What both have in common that do it here. */
abstract class Here implements Keeper {
  readonly who = "this command, for no gateway uses the store";
  readonly #config: Config;
  readonly #terminal: Terminal;

  constructor(config: Config, terminal: Terminal) {
    this.#config = config;
    this.#terminal = terminal;
  }

  abstract check(): Promise<Checked>;
  abstract vacuum(): Promise<Vacuumed>;
  abstract [Symbol.asyncDispose](): Promise<void>;
  protected abstract store(): Promise<Store>;

  async prune(dryRun: boolean): Promise<Pruned> {
    const store = await this.store();
    if (dryRun) {
      const overdue = await store.upkeep.overdue(this.#retention());
      return { dry_run: true, overdue: overdue === "busy" ? null : overdue, rows: null };
    }
    const rows = await store.sweep(this.#retention());
    await this.tell("store.pruned", "store", { rows });
    return { dry_run: false, overdue: null, rows };
  }

  async finished(query: FinishedQuery): Promise<FinishedPage> {
    const { journal } = await this.store();
    return await finishedPage(finishedQuery.parse(query), { journal });
  }

  async remove(events: readonly Finished[]): Promise<Removed> {
    const removed = await (await this.store()).upkeep.remove(events);
    await this.tell("events.removed", "events in an archive", { asked: events.length, removed });
    return { removed };
  }

  protected async tell(action: string, subject: string, after: object): Promise<void> {
    const { audit } = await this.store();
    await appendAudit(audit, createNewId(systemClock), this.deed(action, subject, after));
  }

  protected deed(action: string, subject: string, after: object): Deed {
    const atMs = systemClock.nowMs();
    return { atMs, actor: operator(this.#terminal), role: "operator", action, subject, after };
  }

  /** Files of spools that no process has. */
  protected spools(): string[] {
    const { dataDir } = this.#config.environment;
    const all = existsSync(dataDir) ? slotsIn(dataDir).map((number) => fileOf(dataDir, number)) : [];
    return all.filter((file) => {
      try {
        return !isLocked(file);
      } catch {
        return true;
      }
    });
  }

  #retention(): Retention {
    const { gateway, agents } = this.#config;
    const { finished_seconds, dead_seconds } = gateway.retention;
    const turns = [...agents.values()].map(({ memory }) => memory.ttl_seconds);
    return {
      finishedMs: finished_seconds * 1000,
      deadMs: dead_seconds * 1000,
      // The built-in agent has a memory, too; without any other, nothing is forgotten here.
      turnsMs: turns.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...turns) * 1000,
    };
  }

  protected async survey(files: readonly string[]): Promise<Checked> {
    const { surveyFile } = await import("../store/sqlite/offline.ts");
    const startedAt = performance.now();
    const findings: string[] = [];
    let events = 0;
    for (const file of files)
      try {
        const found = surveyFile(file);
        findings.push(...found.findings.map((finding) => `${basename(file)}: ${finding}`));
        events += found.events;
      } catch (error) {
        findings.push(`${basename(file)}: ${messageOf(error)}`);
      }
    return { whole: findings.length === 0, findings, events, ms: Math.round(performance.now() - startedAt) };
  }
}

/** The database of this machine. */
class Own extends Here {
  readonly #config: Config;
  #opened: Promise<Store> | undefined;

  constructor(config: Config, terminal: Terminal) {
    super(config, terminal);
    this.#config = config;
  }

  get #file(): string {
    return join(this.#config.environment.dataDir, DATABASE);
  }

  check(): Promise<Checked> {
    return this.survey([this.#file, ...this.spools()]);
  }

  async vacuum(): Promise<Vacuumed> {
    const [{ vacuumFile }, { appendOffline }] = await Promise.all([
      import("../store/sqlite/offline.ts"),
      import("../store/sqlite/audit-offline.ts"),
    ]);
    const startedAt = performance.now();
    const done = vacuumFile(this.#file);
    const sizes = { bytes_before: done.before, bytes_after: done.after };
    appendOffline(this.#file, createNewId(systemClock)("aud"), this.deed("store.vacuumed", "store", sizes));
    return { ...sizes, longest_ms: Math.round(performance.now() - startedAt) };
  }

  protected store(): Promise<Store> {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  async #open(): Promise<Store> {
    const { openSqliteStore } = await import("../store/sqlite/index.ts");
    const { queue } = this.#config.gateway;
    return await openSqliteStore({
      file: this.#file,
      clock: systemClock,
      limits: { waitingPerLaneMax: queue.waiting_per_conversation, waitingMax: queue.waiting },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#opened)?.[Symbol.asyncDispose]();
  }
}

/** Redis, reached from here. */
class Shared extends Here {
  readonly #store: Store;

  constructor(store: Store, config: Config, terminal: Terminal) {
    super(config, terminal);
    this.#store = store;
  }

  async check(): Promise<Checked> {
    const startedAt = performance.now();
    const found = await this.#store.upkeep.check();
    const spooled = await this.survey(this.spools());
    const findings = found === "busy" ? [] : [...found.findings, ...spooled.findings];
    const events = (found === "busy" ? 0 : found.events) + spooled.events;
    const whole = findings.length === 0;
    await this.tell("store.checked", "store", { whole, events });
    return { whole, findings, events, ms: Math.round(performance.now() - startedAt) };
  }

  async vacuum(): Promise<Vacuumed> {
    return { bytes_before: null, bytes_after: null, longest_ms: null };
  }

  protected store(): Promise<Store> {
    return Promise.resolve(this.#store);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }
}

/** Says in the audit in Redis what was done without a gateway. */
export async function tellShared(
  config: Config,
  terminal: Terminal,
  deed: Pick<Deed, "action" | "subject" | "after">,
): Promise<void> {
  await using store = await openShared(config);
  const whole = { atMs: systemClock.nowMs(), actor: operator(terminal), role: "operator", ...deed } as const;
  await appendAudit(store.audit, createNewId(systemClock), whole);
}

async function openShared(config: Config): Promise<Store> {
  const { openRedisStore } = await import("../store/redis/index.ts");
  const { redis } = config.gateway.store;
  const { queue } = config.gateway;
  return await openRedisStore({
    connection: redisConnection(config),
    prefix: redis.prefix,
    acceptLoss: redis.accept_loss,
    owner: createNewId(systemClock)("own"),
    clock: systemClock,
    random: Math.random,
    limits: { waitingPerLaneMax: queue.waiting_per_conversation, waitingMax: queue.waiting },
    log: () => {},
  });
}
