import { onTestFinished } from "vitest";
import type { TriggerEvent } from "../../../src/domain/event.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { Acceptance, Offer } from "../../../src/ports/inbox.ts";
import type { Job } from "../../../src/ports/queue.ts";
import type { Store } from "../../../src/ports/store.ts";
import type { RedisConnection } from "../../../src/store/redis/connect.ts";
import type { LinkTimes } from "../../../src/store/redis/redis-link.ts";
import { loadScripts, type ScriptName } from "../../../src/store/redis/scripts.ts";
import { anOffer } from "../../contract/store.ts";
import { FakeClock } from "../../support/clock.ts";
import { anEvent } from "../../support/event.ts";
import type { RedisServer } from "../../support/redis.ts";
import { type Command, startTcpProxy, type TcpProxy } from "../../support/tcp-proxy.ts";
import { connectionTo, newPrefix, type OpenedStore, openOn } from "./setup.ts";

export const LEASE_MS = 30_000;
const ROOMY = { waitingPerLaneMax: 1_000, waitingMax: 10_000 };

export interface BenchOptions {
  readonly clock?: Clock;
  readonly limits?: { readonly waitingPerLaneMax: number; readonly waitingMax: number };
  readonly prefix?: string;
  readonly owner?: string;
  /** Times by the server's clock instead of the test's. */
  readonly time?: "server";
  readonly times?: LinkTimes;
  readonly connection?: Partial<RedisConnection>;
}

/** A store that reaches its Redis through a network that can fail, and the usual steps on it. */
export interface RedisBench extends OpenedStore {
  readonly proxy: TcpProxy;
  readonly prefix: string;
  /** In the conversation `c1` unless it says otherwise. */
  accept(changes: Partial<TriggerEvent> & { id: string }, offer?: Partial<Offer>): Promise<Acceptance>;
  claim(jobsMax?: number): Promise<readonly Job[]>;
  /** Everything that can be claimed, which is expected to be one. */
  claimOne(): Promise<Job>;
  done(job: Job): Promise<boolean>;
  /** Runs everything to its end; gives the ids in the order in which they were claimed. */
  drain(): Promise<string[]>;
  /** The next time that the connection has come back. */
  back(): Promise<void>;
}

/** Opens a store behind a proxy of its own. Both are gone after the test. */
export async function openBench(redis: RedisServer, options: BenchOptions = {}): Promise<RedisBench> {
  const proxy = await startTcpProxy(redis.port);
  onTestFinished(() => proxy[Symbol.asyncDispose]());
  const {
    prefix = newPrefix(),
    owner = "one",
    clock = new FakeClock(),
    limits = ROOMY,
    time,
    times,
  } = options;
  const opened = await openOn(
    connectionTo(proxy.url, options.connection),
    { clock, limits },
    { prefix, owner },
    { ...(time && { time }), ...(times && { times }) },
  );
  onTestFinished(() => opened.store[Symbol.asyncDispose]());
  return { ...opened, ...stepsOn(opened.store), proxy, prefix, back: () => nextBack(opened) };
}

type Steps = Pick<RedisBench, "accept" | "claim" | "claimOne" | "done" | "drain">;

function stepsOn({ inbox, queue }: Store): Steps {
  const claim = (jobsMax = 100) => queue.claim({ jobsMax, leaseMs: LEASE_MS });
  const done = (job: Job) => queue.settle(job, DONE);
  return {
    claim,
    done,
    accept: (changes, offer) => inbox.accept(anOffer(anEvent({ conversation: "c1", ...changes }), offer)),
    async claimOne() {
      const [job, ...others] = await claim();
      if (job === undefined || others.length > 0)
        throw new Error(`Expected one job, got ${job === undefined ? 0 : others.length + 1}`);
      return job;
    },
    async drain() {
      const order: string[] = [];
      for (let [job] = await claim(1); job !== undefined; [job] = await claim(1)) {
        order.push(job.event.id);
        if (!(await done(job))) throw new Error(`Expected ${job.event.id} to be settled, its lease is lost`);
      }
      return order;
    },
  };
}

export const DONE = { kind: "done", outcome: "answered", turns: [] } as const;

/** Still open after a round trip, which everything that was on its way has then made. */
export async function isPending(promise: Promise<unknown>, { journal }: Store): Promise<boolean> {
  let pending = true;
  const settled = () => {
    pending = false;
  };
  promise.then(settled, settled);
  await journal.stats();
  return pending;
}

function nextBack({ link }: OpenedStore): Promise<void> {
  return new Promise((resolve) => link.onBack(resolve));
}

const scripts = loadScripts();

/** For a proxy: a call of this script, by digest or in full. */
export function calls(name: ScriptName): (command: Command) => boolean {
  const { digest, source } = scripts[name];
  return ([command = "", script]) =>
    (command.toLowerCase() === "evalsha" && script === digest) ||
    (command.toLowerCase() === "eval" && script === source);
}
