import type { EventEmitter } from "node:events";
import { Worker } from "node:worker_threads";
import { GatewayError } from "../../domain/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { StillFile } from "../../ports/still-file.ts";
import type { Store } from "../../ports/store.ts";
import { messageOf } from "../../shared/fault.ts";
import { Batcher } from "./batcher.ts";
import { createFront } from "./front.ts";
import { createLookAt } from "./look.ts";
import type { EngineOptions, Log, Reply, Status, StoreLimits } from "./protocol.ts";
import { Readiness } from "./readiness.ts";
import type { FromThread, ToThread } from "./serve.ts";

export interface SqliteStoreOptions {
  /** Made private when it is created. One process at a time. */
  readonly file: string;
  readonly clock: Clock;
  readonly limits: StoreLimits;
  /** `process` spares the flush at each commit, and a power cut loses the last seconds. Default `power`. */
  readonly durability?: "power" | "process";
  /** The thread has died: nothing will be stored any more, and a new process is the cure. */
  readonly onDeath?: (error: Error) => void;
  /** Warnings and repairs, for the operator. */
  readonly log?: Log;
  /** What plays the thread, where it is not to be its own entry, or not a new one. */
  readonly thread?: URL | ((data: ThreadData) => StoreThread);
}

/** A store whose file somebody else may copy. */
export interface OwnStore extends Store {
  readonly still: StillFile;
}

/** What a thread needs to begin. */
export interface ThreadData {
  readonly options: EngineOptions;
  readonly nowMs: number;
}

/** As much of a thread as a store uses. */
export interface StoreThread extends Pick<EventEmitter, "on" | "off"> {
  postMessage(message: ToThread): void;
}

/** Of what one batch leaves behind; what lives is the old generation, which Node bounds by the container's memory. */
const YOUNG_MIB_MAX = 24;

/** Beside this file, as the source in development and compiled in the image. */
const THREAD = import.meta.url.endsWith(".ts")
  ? new URL("./thread.ts", import.meta.url)
  : new URL("./thread.js", import.meta.url);

/**
 * Everything durable in one SQLite file, owned by a thread: a slow disk delays those who wait for it, and nobody
 * else. Throws STORE_LOCKED, STORE_SCHEMA_NEWER or STORE_OPEN_FAILED.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<OwnStore> {
  const { clock, durability = "power", log = () => {} } = options;
  const engine: EngineOptions = { file: options.file, durability, limits: options.limits };
  const { thread = THREAD } = options;
  const data: ThreadData = { options: engine, nowMs: Math.trunc(clock.nowMs()) };
  const worker = thread instanceof URL ? start(thread, data) : thread(data);
  const post = (message: ToThread) => worker.postMessage(message);
  const readiness = new Readiness(clock, await opened(worker, log));
  const batcher = new Batcher({
    transport: { send: (requests) => post({ kind: "batch", requests: JSON.stringify(requests) }) },
    // After this tick's I/O, so that requests that came in together share a commit.
    schedule: setImmediate,
    onStatus: (status) => readiness.update(status),
  });

  const stills: ((answer: Stillness) => void)[] = [];
  const order = async (what: "hold" | "extend" | "release", forMs = 0): Promise<Stillness> =>
    await Promise.race([
      new Promise<Stillness>((resolve) => {
        stills.push(resolve);
        post({ kind: "still", order: what, forMs });
      }),
      // A thread that has ended answers nothing any more, and holds nothing.
      exited.then(() => NOT_STILL),
    ]);
  const still: StillFile = {
    path: options.file,
    hold: async (forMs) => (await order("hold", forMs)).held,
    extend: async (forMs) => (await order("extend", forMs)).isStill,
    release: async () => (await order("release")).isStill,
  };

  const scrubs: ((next: number | string) => void)[] = [];
  const scrub = async (upTo: number | null): Promise<number | string> =>
    await Promise.race([
      new Promise<number | string>((resolve) => {
        scrubs.push(resolve);
        post({ kind: "scrub", upTo });
      }),
      exited.then(() => "its thread has ended"),
    ]);

  let isClosed = false;
  const exited = new Promise<void>((resolve) => {
    const onEnd = (detail: string) => {
      resolve();
      if (isClosed) return;
      const error = new GatewayError("STORE_WRITE_FAILED", `The thread of ${options.file} died: ${detail}`);
      log(error.message, "error");
      batcher.fail(error);
      readiness.end(error);
      options.onDeath?.(error);
    };
    worker.on("error", (error) => onEnd(messageOf(error)));
    worker.on("exit", (code) => onEnd(`exit code ${code}`));
  });
  worker.on("message", (message: FromThread) => {
    if (message.kind === "reply") batcher.onReply(JSON.parse(message.reply) as Reply);
    else if (message.kind === "still") stills.shift()?.(message);
    else if (message.kind === "scrubbed") scrubs.shift()?.(message.next);
    else if (message.kind === "log") log(message.line, message.level);
    else if (message.kind === "closed") isClosed = true;
  });

  async function close(): Promise<void> {
    const error = new GatewayError("STORE_CLOSED", `The store ${options.file} is closed`);
    readiness.end(error);
    await batcher.end(error);
    post({ kind: "close" });
    await exited;
  }
  const { file } = options;
  const lookAt = createLookAt(still, clock);
  return { ...createFront({ batcher, readiness, clock, durability, file, scrub, lookAt, close }), still };
}

type Stillness = Pick<Extract<FromThread, { kind: "still" }>, "isStill" | "held">;
const NOT_STILL: Stillness = { isStill: false, held: null };

function start(entry: URL, workerData: ThreadData): Worker {
  return new Worker(entry, {
    workerData,
    env: {}, // The thread needs none of the secrets in ours.
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB_MAX },
  });
}

/** The first word of the thread: what is claimable, or why the file could not be opened. */
function opened(worker: StoreThread, log: Log): Promise<Status> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: FromThread) => {
      if (message.kind === "log") return log(message.line, message.level);
      done();
      if (message.kind === "opened") resolve(message.status);
      else if (message.kind === "failed") reject(new GatewayError(message.code, message.message));
    };
    const onError = (error: unknown) => {
      done();
      reject(new GatewayError("STORE_OPEN_FAILED", "The store's thread did not start", { cause: error }));
    };
    const done = () => worker.off("message", onMessage).off("error", onError);
    worker.on("message", onMessage).on("error", onError);
  });
}
