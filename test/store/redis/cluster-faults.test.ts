import { once } from "node:events";
import { setImmediate as nextTick } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../../src/system/clock.ts";
import { anOffer } from "../../contract/store.ts";
import { anEvent } from "../../support/event.ts";
import type { RedisServer } from "../../support/redis.ts";
import { type RedisCluster, startRedisCluster } from "../../support/redis-topology.ts";
import { DONE, LEASE_MS } from "./bench.ts";
import { connectionTo, newPrefix, type OpenedStore, openOn } from "./setup.ts";

const UNAVAILABLE = { code: "STORE_UNAVAILABLE" };
const big = "x".repeat(512 * 1024);

describe("a Cluster", () => {
  let cluster: RedisCluster;
  let opened: OpenedStore;
  /** The node that has our keys. */
  let home: RedisServer;

  beforeAll(async () => {
    cluster = await startRedisCluster({ fsync: "always" });
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  beforeEach(async () => {
    const prefix = newPrefix();
    opened = await openOn(
      connectionTo(cluster.nodes[0]?.url ?? "", { cluster: true }),
      { clock: systemClock, limits: { waitingPerLaneMax: 100, waitingMax: 100 } },
      { prefix, owner: "one" },
      { time: "server" },
    );
    home = await nodeOf(`{${prefix}}:meta`);
  });
  afterEach(() => opened.store[Symbol.asyncDispose]());

  async function nodeOf(key: string): Promise<RedisServer> {
    for (const node of cluster.nodes) {
      const isHere = await node.cli("EXISTS", key).catch(() => 0);
      if (isHere === 1) return node;
    }
    throw new Error(`Expected a node with ${key}, got none`);
  }

  const accept = (id: string, text = "hello") =>
    opened.store.inbox.accept(anOffer(anEvent({ id, text, conversation: "c1" })));
  const claim = () => opened.store.queue.claim({ jobsMax: 9, leaseMs: LEASE_MS });

  /** Again for as long as it cannot be done. */
  async function persist<T>(call: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await call();
      } catch (error) {
        expect(error).toMatchObject(UNAVAILABLE);
        await nextTick();
      }
    }
  }

  it("is not asked a second time for a claim whose answer was lost", async () => {
    await accept("a", big);
    // Who has more than that coming is cut off.
    await home.cli("CONFIG", "SET", "client-output-buffer-limit", "normal 65536 0 0");
    await expect(claim()).rejects.toMatchObject(UNAVAILABLE);
    await home.cli("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0");
    const [job] = await persist(claim);
    expect(job).toMatchObject({ event: { id: "a" }, attempt: 1, crashes: 0 });
  });

  it("whose node was silent until the connection to it was given up takes events again", async () => {
    const prefix = newPrefix();
    const { link, store } = await openOn(
      connectionTo(cluster.nodes[0]?.url ?? "", { cluster: true }),
      { clock: systemClock, limits: { waitingPerLaneMax: 100, waitingMax: 100 } },
      { prefix, owner: "one" },
      { time: "server", times: { briefMs: 200, silentMs: 1_000 } },
    );
    onTestFinished(() => store[Symbol.asyncDispose]());
    const offer = (id: string) => store.inbox.accept(anOffer(anEvent({ id })));
    const silent = await nodeOf(`{${prefix}}:meta`);
    const cut = once(link.client, "-node");
    silent.pause();
    await expect(offer("a")).rejects.toMatchObject(UNAVAILABLE);
    await cut;
    silent.resume();
    expect((await persist(() => offer("b"))).kind).toBe("accepted");
  });

  it("that cuts all connections loses nothing", async () => {
    await accept("a");
    const [job] = await claim();
    if (job === undefined) throw new Error("Expected a job");
    for (const node of cluster.nodes) await node.cli("CLIENT", "KILL", "TYPE", "normal");
    expect(await opened.store.queue.settle(job, DONE)).toBe(true);
    expect((await persist(() => accept("a"))).kind).toBe("duplicate");
    const heard = new Promise((resolve) => opened.store.bus.subscribe("topic", resolve));
    await opened.store.bus.publish("topic", "word");
    expect(await heard).toBe("word");
  });

  it("whose node is killed and started again has what it acknowledged", async () => {
    await accept("a");
    await accept("b");
    const [job] = await claim();
    if (job === undefined) throw new Error("Expected a job");
    await home.kill();
    const settled = opened.store.queue.settle(job, DONE);
    await expect(accept("c")).rejects.toMatchObject(UNAVAILABLE);
    await home.restart();
    expect(await settled).toBe(true);
    expect(await persist(claim)).toMatchObject([{ event: { id: "b" }, attempt: 1 }]);
  }, 30_000);
});
