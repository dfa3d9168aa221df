import { Redis } from "ioredis";
import type { Random } from "../../ports/clock.ts";
import { type Client, createClient, type RedisConnection } from "./connect.ts";
import { type Argument, asStoreError, closed, type Link, type Patience, unavailable } from "./link.ts";
import { loadScripts, type Script, type ScriptName } from "./scripts.ts";

/** An acknowledgement that takes longer than this had better be a refusal: the slowest platform gives up after 3 s. */
const BRIEF_MS = 1_000;
/** A connection that is this long silent while something was asked is made anew. */
const SILENT_MS = 10_000;
const LOOK_MS = 100;
const WAIT_REPLICAS_MS = 500;

interface Pending {
  readonly askedAt: number;
  /** Null once it was given up. */
  giveUp: ((error: Error) => void) | null;
}

export interface LinkOptions {
  readonly connection: RedisConnection;
  /** Any key of the installation: all are in its slot. */
  readonly key: string;
  readonly random: Random;
  readonly log: (line: string) => void;
}

/** Two connections, one that asks and one that listens. Does nothing until `open`. */
export class RedisLink implements Link {
  readonly client: Client;
  readonly #listener: Client;
  readonly #options: LinkOptions;
  readonly #scripts: Readonly<Record<ScriptName, Script>> = loadScripts();
  readonly #pending = new Set<Pending>();
  readonly #backs: (() => void)[] = [];
  readonly #heard = new Map<string, (message: string) => void>();
  #watch: NodeJS.Timeout | undefined;
  #isSilent = false;
  #isUp = false;
  #isClosed = false;
  #lastError = "it has not answered yet";

  constructor(options: LinkOptions) {
    this.#options = options;
    this.client = createClient(options.connection, "commands", options.random);
    this.#listener = createClient(options.connection, "words", options.random);
    this.client.on("ready", () => this.#cameUp());
    this.client.on("close", () => this.#wentDown());
    this.client.on("error", (error: Error) => {
      this.#lastError = describe(error);
    });
    this.#listener.on("ready", () => this.#tellBack());
    this.#listener.on("error", () => {}); // The other connection says what is wrong.
    this.#listener.on("message", (channel: string, message: string) => {
      this.#heard.get(channel)?.(message);
    });
  }

  /** Rejects with STORE_UNAVAILABLE when there is no connection within the time. */
  async open(withinMs: number): Promise<void> {
    const up = Promise.withResolvers<void>();
    this.#backs.push(() => up.resolve());
    const timer = setTimeout(() => up.reject(unavailable(this.#lastError)), withinMs);
    // Their own promises fail with the first try; the clients go on trying.
    for (const client of [this.client, this.#listener]) client.connect().catch(() => {});
    try {
      await up.promise;
    } finally {
      clearTimeout(timer);
    }
    this.#watch = setInterval(() => this.#lookForSilence(), LOOK_MS).unref();
  }

  get lastError(): string {
    return this.#lastError;
  }

  run(script: ScriptName, args: readonly Argument[], patience: Patience): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(closed());
    if (!this.#isUp) return Promise.reject(unavailable(`no connection (${this.#lastError})`));
    if (patience === "brief" && this.#isSilent) return Promise.reject(unavailable("it does not answer"));
    return new Promise((resolve, reject) => {
      const pending: Pending = { askedAt: performance.now(), giveUp: patience === "brief" ? reject : null };
      this.#pending.add(pending);
      this.#send(script, args).then(
        (answer) => {
          this.#answered(pending);
          resolve(answer);
        },
        (error: unknown) => {
          this.#pending.delete(pending);
          reject(this.#isClosed ? closed() : asStoreError(error, script));
        },
      );
    });
  }

  async subscribe(channel: string, heard: (message: string) => void): Promise<void> {
    this.#heard.set(channel, heard);
    await this.#listener.subscribe(channel).catch((error: unknown) => {
      throw asStoreError(error, "subscribe");
    });
  }

  onBack(back: () => void): void {
    this.#backs.push(back);
  }

  async usedBytes(): Promise<number> {
    const nodes = this.client instanceof Redis ? [this.client] : this.client.nodes("master");
    const infos = await Promise.all(nodes.map((node) => node.info("memory"))).catch((error: unknown) => {
      throw asStoreError(error, "info");
    });
    return infos.reduce((sum, info) => sum + Number(/^used_memory:(\d+)/m.exec(info)?.[1] ?? 0), 0);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#watch);
    this.client.disconnect();
    this.#listener.disconnect();
  }

  async #send(name: ScriptName, args: readonly Argument[]): Promise<unknown> {
    const { source, digest } = this.#scripts[name];
    const { key } = this.#options;
    const answer = this.client.evalsha(digest, 1, key, ...args);
    const safe = name === "accept" ? this.#onReplicas() : undefined;
    try {
      const [first] = await Promise.all([answer, safe]);
      return first;
    } catch (error) {
      // Redis forgets its scripts when it starts again.
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      const again = this.client.eval(source, 1, key, ...args);
      const [first] = await Promise.all([again, name === "accept" ? this.#onReplicas() : undefined]);
      return first;
    }
  }

  /** Asked on the same connection, directly behind the write that it covers. */
  async #onReplicas(): Promise<void> {
    const { waitReplicas } = this.#options.connection;
    if (waitReplicas === 0) return;
    const reached = await (this.client as Redis).wait(waitReplicas, WAIT_REPLICAS_MS);
    if (reached < waitReplicas) {
      throw unavailable(
        `expected ${waitReplicas} replicas to have the event in ${WAIT_REPLICAS_MS} ms, got ${reached}`,
      );
    }
  }

  #answered(pending: Pending): void {
    this.#pending.delete(pending);
    this.#isSilent = false;
  }

  /** One look for all instead of a timer for each. */
  #lookForSilence(): void {
    const now = performance.now();
    let oldest: Pending | undefined;
    for (const pending of this.#pending) {
      oldest ??= pending;
      if (now - pending.askedAt < BRIEF_MS) break;
      this.#isSilent = true;
      pending.giveUp?.(unavailable(`it has not answered for ${BRIEF_MS} ms`));
      pending.giveUp = null;
    }
    if (oldest === undefined || now - oldest.askedAt < SILENT_MS) return;
    this.#options.log(`Redis has not answered for ${SILENT_MS / 1000} s; connecting anew`);
    this.client.disconnect(true);
  }

  #cameUp(): void {
    this.#isSilent = false;
    if (this.#isUp) return;
    this.#isUp = true;
    this.#lastError = "it was closed";
    this.#tellBack();
  }

  #wentDown(): void {
    if (!this.#isUp || this.#isClosed) return;
    this.#isUp = false;
    this.#options.log(`Lost the connection to Redis (${this.#lastError}); trying again`);
  }

  #tellBack(): void {
    if (this.#isUp) for (const back of this.#backs) back();
  }
}

/** The client's error for a name that does not resolve, or several addresses, has an empty message. */
function describe(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return error.message || code || error.name;
}
