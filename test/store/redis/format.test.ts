import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Job } from "../../../src/ports/queue.ts";
import { anOffer, aProgress, aRefusal } from "../../contract/store.ts";
import { FakeClock } from "../../support/clock.ts";
import { A_STOP, anEvent } from "../../support/event.ts";
import { type RedisServer, startRedis } from "../../support/redis.ts";
import { connectionTo, newPrefix, openOn } from "./setup.ts";

const limits = { waitingPerLaneMax: 100, waitingMax: 100 };

describe("two versions on one Redis", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis({ fsync: "no" });
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  const open = (prefix: string) =>
    openOn(connectionTo(redis.url), { clock: new FakeClock(), limits }, { prefix, owner: "one" });

  it("go together while the newer only adds fields", async () => {
    const prefix = newPrefix();
    const { store } = await open(prefix);
    await store.inbox.accept(anOffer(anEvent({ id: "a" })));
    await redis.cli("HSET", `{${prefix}}:e:1`, "field-of-tomorrow", "x");
    await redis.cli("HSET", `{${prefix}}:meta`, "counter-of-tomorrow", "x");
    const [job] = await store.queue.claim({ jobsMax: 1, leaseMs: 1_000 });
    expect(job?.event.id).toBe("a");
    expect(job && (await store.queue.settle(job, { kind: "done", outcome: "answered", turns: [] }))).toBe(
      true,
    );
    expect(await redis.cli("HGET", `{${prefix}}:e:1`, "field-of-tomorrow")).toBe("x");
    await store[Symbol.asyncDispose]();
  });

  it("count failures alike: what the older wrote into an answer is forgiven, once", async () => {
    const prefix = newPrefix();
    const { store } = await open(prefix);
    await store.inbox.accept(anOffer(anEvent({ id: "a" })));
    const answer = { text: '"failuresBefore":9', failuresBefore: 2 };
    const progress = JSON.stringify({ ...aProgress("x"), answer });
    const written = ["attempt", "5", "failures", "3", "progress", progress];
    await redis.cli("HSET", `{${prefix}}:e:1`, ...written);
    for (const failures of [1, 2, 3]) {
      const [job] = await store.queue.claim({ jobsMax: 1, leaseMs: 1_000 });
      expect(job).toMatchObject({ attempt: 5 + failures, failures, cutOffs: 2 });
      if (job !== undefined) await store.queue.settle(job, { kind: "retry", afterMs: 0, cause: "x" });
    }
    await store[Symbol.asyncDispose]();
  });

  it("mark what they say beside a preview: to the older it is a send in doubt", async () => {
    const prefix = newPrefix();
    const { store } = await open(prefix);
    await store.inbox.accept(anOffer(anEvent({ id: "a" })));
    const [job] = await store.queue.claim({ jobsMax: 1, leaseMs: 1_000 });
    if (job === undefined) throw new Error("Expected a job");
    await store.outbox.reserve(job, "a/0");
    await store.outbox.record("a/0", { kind: "shown", receipt: { messageId: "m1", via: "test" } });
    // The older looks at the first word alone, and for another than `sent` or `reserved` it would say the part as fresh.
    expect(await redis.cli("HGET", `{${prefix}}:o:1`, "a/0")).toMatch(
      /^reserved \S+ fresh 0 \{"messageId":"m1","via":"test"\}$/,
    );
    await store[Symbol.asyncDispose]();
  });

  it("stop alike what the other is asked to stop", async () => {
    const prefix = newPrefix();
    const { store } = await open(prefix);
    await store.inbox.accept(anOffer(anEvent({ id: "a" })));
    await redis.cli("HSET", `{${prefix}}:e:1`, "stop", "1");
    const [job] = await store.queue.claim({ jobsMax: 1, leaseMs: 1_000 });
    expect(job?.signals).toEqual([{ kind: "stop", by: { id: "", name: "" } }]);
    await store[Symbol.asyncDispose]();
    const another = newPrefix();
    const other = await open(another);
    await other.store.inbox.accept(anOffer(anEvent({ id: "a", conversation: "c1" })));
    await other.store.lanes.signal("c1", A_STOP);
    expect(await redis.cli("HGET", `{${another}}:e:1`, "stop")).toBe("1");
    await other.store[Symbol.asyncDispose]();
  });

  it("go together where the older has not written what kind an event is", async () => {
    const prefix = newPrefix();
    const { store } = await open(prefix);
    const command = { lane: "c1!control", kind: "command" } as const;
    const from = (id: string) => anEvent({ id, conversation: "c1", sender: { id, name: id, isBot: false } });
    await store.inbox.accept(anOffer(from("first"), command));
    await store.inbox.accept(anOffer(from("second"), command));
    await store.inbox.accept(anOffer(from("told"), { ...command, refusal: aRefusal() }));
    for (const seq of [1, 2, 3]) await redis.cli("HDEL", `{${prefix}}:e:${seq}`, "kind");
    const onlyCommands = () => store.queue.claim({ jobsMax: 9, leaseMs: 1_000, controlOnly: true });
    for (const id of ["first", "second"]) {
      const [job, ...others] = await onlyCommands();
      expect([job?.event.id, job?.kind, others]).toEqual([id, "command", []]);
      await store.queue.settle(job as Job, { kind: "dead", cause: "x" });
    }
    const [notice] = await store.queue.claim({ jobsMax: 9, leaseMs: 1_000 });
    expect([notice?.event.id, notice?.kind]).toEqual(["told", "notice"]);
    await store.queue.settle(notice as Job, { kind: "dropped", cause: "x" });
    const request = { by: "ann", mode: "anew", states: ["dead", "dropped"] } as const;
    for (const id of ["second", "told"]) expect(await store.archive.replay(id, request)).toBe("queued");
    expect((await onlyCommands()).map(({ event }) => event.id)).toEqual(["second"]);
    await store[Symbol.asyncDispose]();
  });

  it("take the newer format as one for good, and what the older has left half done is mended", async () => {
    const prefix = newPrefix();
    const first = await open(prefix);
    await first.store.inbox.accept(anOffer(anEvent({ id: "a" })));
    await first.store[Symbol.asyncDispose]();
    await redis.cli("HSET", `{${prefix}}:meta`, "format", "2");
    // It has woken and finished one, and did not know that it was parked.
    await redis.cli("ZADD", `{${prefix}}:parked`, "1", "1", "99", "99");
    const { store } = await open(prefix);
    expect(await redis.cli("HGET", `{${prefix}}:meta`, "format")).toBe("3");
    expect(await store.journal.stats()).toMatchObject({ queued: 0, parked: 1 });
    const [job] = await store.queue.claim({ jobsMax: 1, leaseMs: 1_000 });
    expect(job?.event.id).toBe("a");
    expect(await store.journal.stats()).toMatchObject({ running: 1, parked: 0 });
    await store[Symbol.asyncDispose]();
  });

  it("are kept apart when the newer has changed the format", async () => {
    const prefix = newPrefix();
    await redis.cli("HSET", `{${prefix}}:meta`, "format", "4");
    await expect(open(prefix)).rejects.toMatchObject({
      code: "STORE_SCHEMA_NEWER",
      message: expect.stringContaining("got 4"),
    });
    await redis.cli("HSET", `{${prefix}}:meta`, "format", "1");
    await expect(open(prefix)).rejects.toMatchObject({
      code: "STORE_OPEN_FAILED",
      message: expect.stringContaining("got 1: a version before the first release"),
    });
  });
});
