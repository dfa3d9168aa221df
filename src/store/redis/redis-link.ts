import { Redis } from "ioredis";
import type { Random } from "../../ports/clock.ts";
import { ScriptCalls } from "./calls.ts";
import { type Client, createClient, cut, type RedisConnection } from "./connect.ts";
import { asStoreError, isAnswer, isHopeless, plainly } from "./errors.ts";
import { Gathering } from "./gathering.ts";
import { type Argument, closed, type Link, type Patience, unavailable } from "./link.ts";
import { Replicas } from "./replicas.ts";
import { rewriteFiles } from "./rewrite.ts";
import type { ScriptName } from "./scripts.ts";

export interface LinkTimes {
  /** An acknowledgement that takes longer than this had better be a refusal: the slowest platform gives up after 3 s. */
  readonly briefMs: number;
  /** A connection that is this long silent while something was asked is made anew. */
  readonly silentMs: number;
}

const TIMES: LinkTimes = { briefMs: 1_000, silentMs: 10_000 };
/** So many looks in the time after which a call is given up. */
const LOOKS = 10;
const REVIVE_MS = 200;
/** What replicas have of the time of a call: with the question before its own, it still stays within that. */
const WAIT_SHARE = 0.4;

const COVERED: ReadonlySet<ScriptName> = new Set(["accept", "check"]);

interface Pending {
  askedAt: number;
  readonly patience: Patience;
  readonly reject: (error: Error) => void;
}

export interface LinkOptions {
  readonly connection: RedisConnection;
  /** Any key of the installation: all are in its slot. */
  readonly key: string;
  readonly random: Random;
  readonly log: (line: string) => void;
  readonly times?: LinkTimes;
}

/** Two connections, one that asks and one that listens. Does nothing until `open`. */
export class RedisLink implements Link {
  readonly client: Client;
  readonly #listener: Client;
  readonly #options: LinkOptions;
  readonly #times: LinkTimes;
  readonly #calls: ScriptCalls;
  readonly #replicas: Replicas;
  readonly #accepts = new Gathering((args) => this.#ask("accept", args, "brief"));
  readonly #pending = new Set<Pending>();
  readonly #backs: (() => void)[] = [];
  readonly #heard = new Map<string, (message: string) => void>();
  readonly #opening = Promise.withResolvers<void>();
  #watch: NodeJS.Timeout | undefined;
  #lookedAt = 0;
  #isSilent = false;
  #isGathering = false;
  #isUp = false;
  #isListening = false;
  #isClosed = false;
  #lastError = "it has not answered yet";
  #isRefused = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.#times = options.times ?? TIMES;
    const { silentMs } = this.#times;
    const { connection, random } = options;
    this.client = createClient(connection, { silentMs, isTimedByCaller: true, random });
    this.#calls = new ScriptCalls(this.client, {
      key: options.key,
      covered: (name, answer) => this.#covered(name, answer),
    });
    this.#listener = createClient(connection, { silentMs, isTimedByCaller: false, random });
    const { waitReplicas } = options.connection;
    const waitMs = this.#times.briefMs * WAIT_SHARE;
    this.#replicas = new Replicas(waitReplicas, waitMs, (ms) =>
      (this.client as Redis).wait(waitReplicas, ms),
    );
    this.client.on("ready", () => this.#cameUp());
    this.client.on("close", () => this.#wentDown());
    this.client.on("error", (error: Error) => this.#failed(error));
    this.#listener.on("ready", () => this.#listen());
    this.#listener.on("close", () => {
      this.#isListening = false;
    });
    this.#listener.on("error", (error: Error) => {
      // The other connection says what is wrong, unless only this one is.
      if (this.#isUp) this.#failed(error);
    });
    for (const client of [this.client, this.#listener]) client.on("end", () => this.#revive(client));
    this.#listener.on("message", (channel: string, message: string) => {
      this.#heard.get(channel)?.(message);
    });
  }

  /** Rejects with STORE_UNAVAILABLE when there is no connection within the time, or never will be. */
  async open(withinMs: number): Promise<void> {
    const { promise, reject } = this.#opening;
    const timer = setTimeout(() => reject(unavailable(this.#lastError)), withinMs);
    this.#watchSilence();
    // Their own promises fail with the first try; the clients go on trying.
    for (const client of [this.client, this.#listener]) client.connect().catch(() => {});
    try {
      await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  #watchSilence(): void {
    // After a pause of our own, answers that have come meanwhile are read before anything is given up.
    this.#lookedAt = performance.now();
    const look = () => {
      this.#forgiveOurOwnPause();
      setImmediate(() => this.#lookForSilence());
    };
    this.#watch = setInterval(look, this.#times.briefMs / LOOKS).unref();
  }

  get isConnected(): boolean {
    return this.#isUp && this.#isListening;
  }

  /** Why there is no connection. */
  get lastError(): string {
    return this.#lastError;
  }

  /** Redis, or we, turned the other away: trying again does not help. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  run(script: ScriptName, args: readonly Argument[], patience: Patience): Promise<unknown> {
    if (script === "accept") return this.#accepts.run(args);
    this.#accepts.flush();
    return this.#ask(script, args, patience);
  }

  #ask(script: ScriptName, args: readonly Argument[], patience: Patience): Promise<unknown> {
    if (this.#isClosed) return Promise.reject(closed());
    if (!this.#isUp) return Promise.reject(unavailable(`no connection (${this.#lastError})`));
    if (patience === "brief" && this.#isSilent) return Promise.reject(unavailable("it does not answer"));
    return new Promise((resolve, reject) => {
      const pending: Pending = { askedAt: performance.now(), patience, reject };
      this.#pending.add(pending);
      if (script !== "accept") this.#gatherWrites();
      this.#calls.call(script, args).then(
        (answer) => {
          this.#answered(pending);
          resolve(answer);
        },
        (error: unknown) => {
          if (isAnswer(error)) this.#answered(pending);
          else this.#cutOff(pending);
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

  rewriteFiles(): Promise<readonly string[]> {
    return rewriteFiles(this.client);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#watch);
    this.client.disconnect();
    this.#listener.disconnect();
    for (const { reject } of this.#pending) reject(closed());
    this.#pending.clear();
  }

  /** What is accepted counts once replicas have it, where they are waited for; so does the question whether it would. */
  #covered(name: ScriptName, answer: Promise<unknown>): Promise<unknown> {
    if (!COVERED.has(name) || this.#options.connection.waitReplicas === 0) return answer;
    return Promise.all([answer, this.#replicas.have()]).then(([first]) => first);
  }

  /**
   * What is asked in one turn of the event loop leaves in one write: a write for each was a fifth of the client's
   * processor time, and Redis flushes its file once for all that it reads at once.
   */
  #gatherWrites(): void {
    if (this.#isGathering || !(this.client instanceof Redis)) return;
    const { stream } = this.client;
    this.#isGathering = true;
    stream.cork();
    setImmediate(() => {
      this.#isGathering = false;
      stream.uncork();
    });
  }

  #answered(pending: Pending): void {
    this.#pending.delete(pending);
    this.#isSilent = false;
  }

  /** A Cluster that loses the connection to one node stays up: what was silent went with the last that waited for it. */
  #cutOff(pending: Pending): void {
    this.#pending.delete(pending);
    if (this.#pending.size === 0) this.#isSilent = false;
  }

  /** While we stood still, Redis had no chance: what was asked before may not even have left, and gets its whole time. */
  #forgiveOurOwnPause(): void {
    const nowMs = performance.now();
    const pausedMs = nowMs - this.#lookedAt - this.#times.briefMs / LOOKS;
    this.#lookedAt = nowMs;
    if (pausedMs < this.#times.briefMs / LOOKS) return;
    for (const pending of this.#pending) pending.askedAt = Math.min(nowMs, pending.askedAt + pausedMs);
  }

  /** One look for all instead of a timer for each. */
  #lookForSilence(): void {
    const { briefMs, silentMs } = this.#times;
    const nowMs = performance.now();
    const since = nowMs - briefMs;
    const [oldest] = this.#pending;
    if (oldest !== undefined && oldest.askedAt <= nowMs - silentMs)
      cut(this.client, `silent for ${silentMs} ms`);
    for (const { askedAt, patience, reject } of this.#pending) {
      if (askedAt > since) return;
      this.#isSilent = true;
      if (patience === "brief") reject(unavailable(`it has not answered for ${briefMs} ms`));
    }
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

  #failed(error: Error): void {
    this.#lastError = plainly(error);
    this.#isRefused = isHopeless(error);
    if (this.#isRefused) this.#opening.reject(unavailable(this.#lastError));
  }

  /** The client gives up when it hears of a failover by Sentinel just while it connects. */
  #revive(client: Client): void {
    if (this.#isClosed) return;
    const connect = () => {
      if (!this.#isClosed) client.connect().catch(() => {});
    };
    setTimeout(connect, REVIVE_MS).unref();
  }

  /** Also what was asked for on a connection that was lost before it answered. */
  #listen(): void {
    const channels = [...this.#heard.keys()];
    const listening = channels.length === 0 ? Promise.resolve() : this.#listener.subscribe(...channels);
    listening.then(
      () => {
        this.#isListening = true;
        this.#tellBack();
      },
      () => {}, // Lost once more, and so it will be ready once more.
    );
  }

  #tellBack(): void {
    if (!this.#isUp || !this.#isListening) return;
    this.#opening.resolve();
    for (const back of this.#backs) back();
  }
}
