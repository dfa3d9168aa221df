import { beforeEach, describe, expect, it } from "vitest";
import { Breakers } from "../../src/domain/breaker.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { Job } from "../../src/ports/queue.ts";
import { WaitNotices } from "../../src/reply/waiting.ts";
import type { InlineStore } from "../../src/store/sqlite/inline.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { calm } from "../agent/support.ts";
import { FakeAdapter, failing } from "../support/adapter.ts";
import { FakeClock } from "../support/clock.ts";
import { aJob, claimOne, openTestStore } from "../support/store.ts";

let clock: FakeClock;
let store: InlineStore;
let slack: FakeAdapter;
let breakers: Breakers;
let notices: WaitNotices;
const WINDOW_MS = 600_000;

beforeEach(async () => {
  clock = new FakeClock();
  store = await openTestStore(clock);
  slack = new FakeAdapter("slack");
  breakers = new Breakers(clock);
  notices = new WaitNotices({ afterMs: 30_000, windowMs: WINDOW_MS, clock });
});

const deps = (isHeld = async () => true, leftMs = () => 30_000) => ({
  ...{ outbox: store.outbox, breakers, isHeld, leftMs },
  log: silentLogger(),
});
const begin = (job: Job, given = notices) => given.begin(job, slack, deps(), new AbortController().signal);
const LINE = expect.stringMatching(/^The assistant cannot be reached right now\. Your message is kept/);

/** A try that fails, this long after the event was accepted. */
async function tried(job: Job, given = notices): Promise<number | null> {
  const patience = begin(job, given);
  patience.inTrouble();
  const dueInMs = patience.dueInMs();
  await patience.end();
  return dueInMs;
}

describe("a line to who waits for a model that is away", () => {
  it("is said in the middle of a try once the time is up, and once only", async () => {
    const job = await aJob(store);
    const patience = begin(job);
    clock.advance(10_000);
    patience.inTrouble();
    expect(patience.dueInMs()).toBe(20_000);
    clock.advance(20_000);
    patience.inTrouble();
    await patience.end();
    expect(slack.said).toEqual([LINE]);
    expect(slack.sends[0]).toMatchObject({ partId: `${job.event.id}/wait`, sendsBefore: 0 });
    await tried(job);
    expect(slack.sends).toHaveLength(1);
  });

  it("is not said before that: the try ends, and the next one says it", async () => {
    const job = await aJob(store);
    clock.advance(29_000);
    expect(await tried(job)).toBe(1_000);
    expect(clock.sleeping).toBe(0);
    expect(slack.sends).toEqual([]);
    clock.advance(1_000);
    expect(await tried(job)).toBeNull();
    expect(slack.said).toEqual([LINE]);
  });

  it("is not said while nothing has failed, to a bot, or where it is off", async () => {
    const job = await aJob(store);
    clock.advance(60_000);
    await begin(job).end();
    const off = new WaitNotices({ afterMs: null, windowMs: WINDOW_MS, clock });
    expect(await tried(job, off)).toBeNull();
    const { sender } = job.event;
    expect(await tried({ ...job, event: { ...job.event, sender: { ...sender, isBot: true } } })).toBeNull();
    expect(slack.sends).toEqual([]);
  });

  it("is said while a call is silent, which has not failed", async () => {
    const job = await aJob(store);
    const patience = begin(job);
    patience.asked();
    clock.advance(29_999);
    await calm();
    expect(slack.sends).toEqual([]);
    clock.advance(1);
    await calm();
    expect(slack.said).toEqual([LINE]);
    // Another attempt, and the one after: it has been said.
    patience.inTrouble();
    patience.asked();
    clock.advance(60_000);
    await patience.end();
    expect([slack.sends.length, clock.sleeping]).toEqual([1, 0]);
  });

  it("is not said of a call that has only begun, nor of one that is answered", async () => {
    const job = await aJob(store);
    clock.advance(29_000);
    const patience = begin(job);
    patience.asked();
    clock.advance(9_999);
    patience.heard();
    clock.advance(600_000);
    await patience.end();
    expect([slack.sends.length, clock.sleeping]).toEqual([0, 0]);

    const next = begin(job);
    next.asked();
    clock.advance(10_000);
    await next.end();
    expect(slack.said).toEqual([LINE]);
  });

  it("is not said of a model that failed once, and answers when the time is up", async () => {
    const job = await aJob(store);
    const patience = begin(job);
    patience.asked();
    clock.advance(5_000);
    patience.inTrouble();
    patience.asked();
    clock.advance(1_000);
    patience.heard();
    clock.advance(60_000);
    await patience.end();
    expect(slack.sends).toEqual([]);
  });

  it("is said at its time of a model that failed, though the next call has only begun", async () => {
    const job = await aJob(store);
    clock.advance(25_000);
    const patience = begin(job);
    patience.asked();
    patience.inTrouble();
    clock.advance(4_000);
    patience.asked();
    clock.advance(1_000);
    await patience.end();
    expect(slack.said).toEqual([LINE]);
  });

  it("is not said of a call that is still silent when its run is stopped or handed back", async () => {
    const job = await aJob(store);
    const abort = new AbortController();
    const patience = notices.begin(job, slack, deps(), abort.signal);
    patience.asked();
    abort.abort("draining");
    patience.asked();
    clock.advance(60_000);
    await patience.end();
    expect([slack.sends.length, clock.sleeping]).toEqual([0, 0]);
  });

  it("is said half a minute after a message was brought back, however old that is", async () => {
    const job = await aJob(store);
    await store.queue.settle(job, { kind: "dead", cause: "test" });
    clock.advance(86_400_000);
    await store.archive.replay(job.event.id, { by: "ann", mode: "anew", states: ["dead"] });
    const again = await claimOne(store.queue);
    expect(await tried(again)).toBe(30_000);
    expect(slack.sends).toEqual([]);
  });

  it("is said once over restarts and replicas, also when nobody knows whether it was sent", async () => {
    const job = await aJob(store);
    clock.advance(60_000);
    slack.fates.push(failing(new DeliveryError("unknown", "cut off")));
    await tried(job);
    expect(slack.sends).toHaveLength(1);
    for (let n = 0; n < 3; n++)
      await tried(job, new WaitNotices({ afterMs: 30_000, windowMs: WINDOW_MS, clock }));
    expect(slack.sends).toHaveLength(1);
  });

  it("is said at the next try when the platform certainly did not take it", async () => {
    const job = await aJob(store);
    clock.advance(60_000);
    slack.fates.push(failing(new DeliveryError("retry", "503", { status: 503 })));
    await tried(job);
    await tried(job);
    expect(slack.sends).toHaveLength(2);
  });

  it("is not said by who has lost the lease, nor while the platform is left alone", async () => {
    const job = await aJob(store);
    clock.advance(60_000);
    const lost = notices.begin(
      job,
      slack,
      deps(async () => false),
      new AbortController().signal,
    );
    lost.inTrouble();
    await lost.end();
    for (let n = 0; n < 10; n++) breakers.of("slack").enter()("failed");
    await tried(job);
    expect(slack.sends).toEqual([]);
  });

  it("is not said where the place alone is left alone that its answer would go to", async () => {
    slack.destinationOf = () => "slack:ci";
    const job = await aJob(store);
    clock.advance(60_000);
    for (let n = 0; n < 10; n++) breakers.of("slack:ci").enter()("failed");
    await tried(job);
    expect(slack.sends).toEqual([]);
  });

  it("is not said by who loses the lease while it connects, and may be said by who has it then", async () => {
    const job = await aJob(store);
    clock.advance(60_000);
    let isOurs = true;
    const stopped = notices.begin(
      job,
      slack,
      deps(
        async () => isOurs,
        () => (isOurs ? 30_000 : 0),
      ),
      new AbortController().signal,
    );
    const said: string[] = [];
    slack.fates.push(async (_delivery, _signal, permit) => {
      isOurs = false;
      while (permit?.leftMs() === 0) await permit.renew();
      said.push("by who was stopped");
      return { messageId: "m0", via: "fake" };
    });
    stopped.inTrouble();
    await stopped.end();
    expect(said).toEqual([]);
    await tried(job);
    expect(slack.sends).toHaveLength(2);
  });

  it("is said once in a conversation within the window", async () => {
    const first = await aJob(store);
    clock.advance(60_000);
    await tried(first);
    await store.queue.settle(first, { kind: "dead", cause: "test" });
    const second = await aJob(store, { id: "slack:second" });
    clock.advance(60_000);
    expect(await tried(second)).toBeNull();
    expect(slack.sends).toHaveLength(1);
    clock.advance(WINDOW_MS);
    await tried(second);
    expect(slack.sends).toHaveLength(2);
  });

  it("takes part in the count of sends, and leaves the answer to be said", async () => {
    const job = await aJob(store);
    clock.advance(60_000);
    await tried(job);
    await store.queue.settle(job, { kind: "defer", afterMs: 0, cause: "test" });
    const again = await claimOne(store.queue);
    const reserved = await store.outbox.reserve(again, `${job.event.id}/0`);
    expect(reserved).toEqual({ kind: "fresh", sendsBefore: 1 });
  });
});
