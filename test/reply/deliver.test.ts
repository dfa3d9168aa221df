import { beforeEach, describe, expect, it } from "vitest";
import { RunAborted } from "../../src/domain/abort.ts";
import { BREAKER_FAILURES_IN_ROW_MAX, BREAKER_OPEN_MS } from "../../src/domain/bounds.ts";
import { BreakerOpen, Breakers } from "../../src/domain/breaker.ts";
import { DeliveryError, GatewayError } from "../../src/domain/errors.ts";
import type { ReplyPart } from "../../src/domain/reply.ts";
import type { Outbox } from "../../src/ports/outbox.ts";
import type { Job } from "../../src/ports/queue.ts";
import { type DeliverDeps, deliver } from "../../src/reply/deliver.ts";
import type { InlineStore } from "../../src/store/sqlite/inline.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { FakeAdapter, failing } from "../support/adapter.ts";
import { FakeClock } from "../support/clock.ts";
import { countOf, sumAndCount } from "../support/metrics.ts";
import { aJob, claimOne, LEASE_MS, nextAttempt, openTestStore } from "../support/store.ts";

const busy = new DeliveryError("retry", "busy", { status: 503 });
const limited = new DeliveryError("retry", "slow down", { status: 429, retryAfterMs: 1_000 });
const gone = new DeliveryError("rejected", "channel gone", { status: 404 });
const cut = new DeliveryError("unknown", "connection lost");

let clock: FakeClock;
let store: InlineStore;
let slack: FakeAdapter;
let deps: DeliverDeps;
let job: Job;

beforeEach(async () => {
  clock = new FakeClock();
  store = await openTestStore(clock);
  slack = new FakeAdapter("slack");
  deps = {
    outbox: store.outbox,
    isHeld: async () => true,
    leftMs: () => LEASE_MS,
    breakers: new Breakers(clock),
    inDoubt: "resend_marked",
    log: silentLogger(),
    metrics: createMetrics(),
  };
  job = await aJob(store);
});

interface Options {
  readonly to?: FakeAdapter;
  readonly signal?: AbortSignal;
}

async function say(text: string, { to = slack, signal }: Options = {}): Promise<void> {
  const parts = text.split("|") as unknown as ReplyPart[];
  await deliver(job, parts, to, deps, signal ?? new AbortController().signal);
}

/** The first send of the only part breaks off; the event is claimed again. */
async function leaveInDoubt(): Promise<void> {
  slack.fates.push(failing(cut));
  await expect(say("hi")).rejects.toBe(cut);
  job = await nextAttempt(store, job);
}

function recordWith(record: Outbox["record"]): void {
  const { outbox } = store;
  deps = { ...deps, outbox: { reserve: (holder, partId) => outbox.reserve(holder, partId), record } };
}

/** As when only the lease of an earlier sender has run out. */
function withStoppedSender(): void {
  const { outbox } = store;
  deps = {
    ...deps,
    outbox: {
      async reserve(holder, partId) {
        const reservation = await outbox.reserve(holder, partId);
        return reservation.kind === "in-doubt" ? { ...reservation, isSenderGone: false } : reservation;
      },
      record: (partId, result) => outbox.record(partId, result),
    },
  };
}

/** The outbox, with a list of what was asked of it and of the platform. */
function witnessed(): string[] {
  const steps: string[] = [];
  const { outbox } = store;
  const watching: Pick<Outbox, "reserve" | "record"> = {
    async reserve(holder, partId) {
      const reservation = await outbox.reserve(holder, partId);
      steps.push(`${reservation.kind} ${partId}`);
      return reservation;
    },
    async record(partId, result) {
      steps.push(`${result === "not-sent" ? result : "record"} ${partId}`);
      await outbox.record(partId, result);
    },
  };
  deps = { ...deps, outbox: watching };
  slack.fate = ({ partId }) => {
    steps.push(`send ${partId}`);
    return { messageId: "1", via: "fake" };
  };
  return steps;
}

describe("a reply", () => {
  it("is said part by part, each reserved before it is sent and recorded after", async () => {
    const steps = witnessed();
    await say("one|two");
    const { id } = job.event;
    expect(steps).toEqual(
      [0, 1].flatMap((n) => [`fresh ${id}/${n}`, `send ${id}/${n}`, `record ${id}/${n}`]),
    );
    expect(slack.sends).toMatchObject([
      { to: job.event.replyTo, part: "one", index: 0, sendsBefore: 0, mayRepeat: false },
      { to: job.event.replyTo, part: "two", index: 1, sendsBefore: 1, mayRepeat: false },
    ]);
  });

  it("said once is not said again", async () => {
    await say("one|two");
    job = await nextAttempt(store, job);
    await say("one|two");
    expect(slack.said).toEqual(["one", "two"]);
    expect(slack.recoveries).toEqual([]);
  });

  it("resumes at the part that failed", async () => {
    slack.fates.push(slack.fate, failing(busy));
    await expect(say("one|two|three")).rejects.toBe(busy);
    job = await nextAttempt(store, job);
    await say("one|two|three");
    expect(slack.said).toEqual(["one", "two", "two", "three"]);
  });

  it("ends with a part after which the platform takes none, also when it is brought up again", async () => {
    const warned: unknown[] = [];
    const log = silentLogger();
    log.warn = (...line: unknown[]) => void warned.push(line);
    deps = { ...deps, log };
    const endsReply = "no more than two";
    slack.fates.push(slack.fate, () => ({ messageId: "m1", via: "fake", endsReply }));
    await say("one|two|three|four");
    expect(slack.said).toEqual(["one", "two"]);
    const about = {
      event_id: job.event.id,
      conversation_id: job.event.conversation,
      platform: "slack",
      part: 1,
    };
    expect(warned).toEqual([[{ ...about, cause: endsReply }, "reply.cut"]]);

    job = await nextAttempt(store, job);
    await say("one|two|three|four");
    expect(slack.said).toEqual(["one", "two"]);
    expect(warned).toHaveLength(1);
  });

  it("says no part that a message holds already, nor cuts anything, also when it is brought up again", async () => {
    const warned: unknown[] = [];
    const log = silentLogger();
    log.warn = (...line: unknown[]) => void warned.push(line);
    deps = { ...deps, log };
    slack.fates.push(() => ({ messageId: "m0", via: "fake", saysAll: true }));
    await say("one|two|three");
    job = await nextAttempt(store, job);
    await say("one|two|three");
    expect([slack.said, warned]).toEqual([["one"], []]);
  });

  it("stops between two parts when it is aborted", async () => {
    const abort = new AbortController();
    slack.fates.push(({ index }) => {
      abort.abort(new RunAborted("draining"));
      return { messageId: `${index}`, via: "fake" };
    });
    await expect(say("one|two", { signal: abort.signal })).rejects.toMatchObject({ why: "draining" });
    expect(slack.said).toEqual(["one"]);
  });

  it("is not said by a worker that has lost its lease", async () => {
    clock.advance(LEASE_MS + 1);
    await claimOne(store.queue);
    await expect(say("hi")).rejects.toMatchObject({ why: "lease-lost" });
    expect(slack.sends).toEqual([]);
  });

  it("is not said, and is not in doubt, when the lease was lost after it was reserved", async () => {
    deps = { ...deps, isHeld: async () => false };
    await expect(say("hi")).rejects.toMatchObject({ why: "lease-lost" });
    expect(slack.sends).toEqual([]);
    job = await nextAttempt(store, job);
    expect((await store.outbox.reserve(job, `${job.event.id}/0`)).kind).toBe("fresh");
  });

  it("is not in doubt when the lease was found lost at the connection, before the first byte", async () => {
    let isHeld = true;
    deps = { ...deps, isHeld: async () => isHeld, leftMs: () => (isHeld ? LEASE_MS : 0) };
    slack.fates.push(async (_delivery, _signal, permit) => {
      isHeld = false;
      await permit?.renew();
      throw new Error("Expected the permit to be refused");
    });
    await expect(say("hi")).rejects.toMatchObject({ why: "lease-lost" });
    job = await nextAttempt(store, job);
    expect((await store.outbox.reserve(job, `${job.event.id}/0`)).kind).toBe("fresh");
  });

  it("is in doubt when the lease was lost after a first call of its send", async () => {
    let isHeld = true;
    deps = { ...deps, isHeld: async () => isHeld, leftMs: () => (isHeld ? LEASE_MS : 0) };
    slack.fates.push(async (_delivery, _signal, permit) => {
      expect(permit?.leftMs()).toBe(LEASE_MS);
      isHeld = false;
      await permit?.renew();
      throw new Error("Expected the permit to be refused");
    });
    await expect(say("hi")).rejects.toMatchObject({ why: "lease-lost" });
    job = await nextAttempt(store, job);
    expect((await store.outbox.reserve(job, `${job.event.id}/0`)).kind).toBe("in-doubt");
  });

  it("is not said, and is not in doubt, when nobody can tell whether the lease is held", async () => {
    const away = new GatewayError("STORE_UNAVAILABLE", "away");
    deps = { ...deps, isHeld: () => Promise.reject(away) };
    await expect(say("hi")).rejects.toBe(away);
    job = await nextAttempt(store, job);
    expect((await store.outbox.reserve(job, `${job.event.id}/0`)).kind).toBe("fresh");
  });

  it.each(["absent", "unknown"] as const)(
    "in doubt is not said when the lease was lost while it was looked up (%s)",
    async (found) => {
      await leaveInDoubt();
      slack.memory = found;
      deps = { ...deps, isHeld: async () => false };
      await expect(say("hi")).rejects.toMatchObject({ why: "lease-lost" });
      expect(slack.recoveries).toHaveLength(1);
      expect(slack.sends).toHaveLength(1);
    },
  );

  it("is said all the same when what became of it cannot be recorded", async () => {
    recordWith(() => Promise.reject(new GatewayError("STORE_WRITE_FAILED", "disk full")));
    await say("one|two");
    expect(slack.said).toEqual(["one", "two"]);
  });

  it("is counted by what became of it", async () => {
    slack.fates.push(slack.fate, failing(limited), failing(gone));
    await expect(say("one|two")).rejects.toBe(limited);
    job = await nextAttempt(store, job);
    await expect(say("one|two")).rejects.toBe(gone);
    const { metrics } = deps;
    const count = (outcome: string) => countOf(metrics, "replies", { platform: "slack", outcome });
    expect(await Promise.all(["sent", "retry", "rejected", "unknown"].map(count))).toEqual([1, 1, 1, 0]);
    expect(await countOf(metrics, "platform429", { platform: "slack" })).toBe(1);
    expect(await sumAndCount(metrics.platformPauseSeconds, { platform: "slack" })).toEqual([1, 1]);
    expect(await countOf(metrics, "replySeconds", { platform: "slack", le: "+Inf" })).toBe(1);
  });
});

describe("a part that was certainly not sent", () => {
  it.each([busy, limited])("may be said again without any doubt: $message", async (error) => {
    const steps = witnessed();
    slack.fates.push(failing(error));
    await expect(say("hi")).rejects.toBe(error);
    job = await nextAttempt(store, job);
    await say("hi");
    const part = `${job.event.id}/0`;
    expect(steps).toEqual([
      `fresh ${part}`,
      `not-sent ${part}`,
      `fresh ${part}`,
      `send ${part}`,
      `record ${part}`,
    ]);
    expect(slack.said).toEqual(["hi", "hi"]);
    expect(slack.sends.map(({ sendsBefore }) => sendsBefore)).toEqual([0, 1]);
  });
});

describe("a part in doubt", () => {
  it("that had been sent is not sent again", async () => {
    await leaveInDoubt();
    slack.memory = { messageId: "m7", via: "looked up" };
    await say("hi");
    expect(slack.said).toEqual(["hi"]);
    expect(slack.recoveries).toMatchObject([{ partId: `${job.event.id}/0`, sendsBefore: 1 }]);
    expect(await store.outbox.reserve(job, `${job.event.id}/0`)).toEqual({
      kind: "sent",
      receipt: { messageId: "m7", via: "looked up" },
    });
  });

  it("that was not sent is sent without a mark", async () => {
    await leaveInDoubt();
    slack.memory = "absent";
    await say("hi");
    expect(slack.said).toEqual(["hi", "hi"]);
    expect(await countOf(deps.metrics, "replies", { outcome: "sent" })).toBe(1);
  });

  it.each(["absent", "repeatable"] as const)(
    "whose sender may only have been stopped is marked unless a copy does no harm (%s)",
    async (memory) => {
      await leaveInDoubt();
      slack.memory = memory;
      withStoppedSender();
      await say("hi");
      expect(slack.said).toEqual(["hi", memory === "absent" ? "(again?) hi" : "hi"]);
    },
  );

  it("that nobody can look up is sent again with a mark", async () => {
    await leaveInDoubt();
    await say("hi");
    expect(slack.said).toEqual(["hi", "(again?) hi"]);
    expect(await countOf(deps.metrics, "replies", { outcome: "in_doubt" })).toBe(1);
    expect(await countOf(deps.metrics, "replies", { outcome: "sent_marked" })).toBe(1);
  });

  it("that nobody can look up is left as it is when the operator wants that", async () => {
    deps = { ...deps, inDoubt: "leave" };
    await leaveInDoubt();
    await say("hi|more");
    expect(slack.said).toEqual(["hi", "more"]);
    expect(await store.outbox.reserve(job, `${job.event.id}/0`)).toMatchObject({
      kind: "sent",
      receipt: { messageId: null, via: "left in doubt" },
    });
  });

  it("stays in doubt when sending it again fails, for the first send may have landed", async () => {
    await leaveInDoubt();
    slack.fates.push(failing(busy));
    await expect(say("hi")).rejects.toBe(busy);
    job = await nextAttempt(store, job);
    await say("hi");
    expect(slack.said).toEqual(["hi", "(again?) hi", "(again?) hi"]);
    expect(slack.recoveries).toHaveLength(2);
  });

  it("is left by a crash between sending and recording", async () => {
    recordWith(() => new Promise(() => {}));
    await say("hi");
    deps = { ...deps, outbox: store.outbox };
    job = await nextAttempt(store, job);
    await say("hi");
    expect(slack.said).toEqual(["hi", "(again?) hi"]);
  });
});

describe("a platform that is down", () => {
  let discord: FakeAdapter;
  beforeEach(() => {
    discord = new FakeAdapter("discord");
  });

  /** So many replies fail, each of an event of its own. */
  async function fail(times: number, error: DeliveryError): Promise<void> {
    for (let n = 0; n < times; n++) {
      job = await aJob(store, {
        id: `slack:T1:C1:${error.message}-${n}-${clock.nowMs()}`,
        conversation: `c${n}`,
      });
      slack.fates.push(failing(error));
      await expect(say("hi")).rejects.toBe(error);
      await store.queue.settle(job, { kind: "dead", cause: "test" });
    }
    job = await aJob(store, { id: `slack:T1:C1:after-${error.message}`, conversation: error.message });
  }
  const state = () => deps.breakers.of("slack").state();

  it.each([busy, cut])("is left alone after ten failures, and nobody else is: $message", async (error) => {
    await fail(BREAKER_FAILURES_IN_ROW_MAX, error);
    await expect(say("hi")).rejects.toBeInstanceOf(BreakerOpen);
    expect(slack.sends).toHaveLength(BREAKER_FAILURES_IN_ROW_MAX);

    await say("hi", { to: discord });
    expect(discord.said).toEqual(["hi"]);
  });

  it("leaves no doubt about what was not sent because of it", async () => {
    const steps = witnessed();
    await fail(BREAKER_FAILURES_IN_ROW_MAX, busy);
    steps.length = 0;
    await expect(say("hi")).rejects.toMatchObject({ code: "BREAKER_OPEN", retryAfterMs: BREAKER_OPEN_MS });
    expect(steps).toEqual([]);
  });

  it("is asked again after a minute, by one reply at a time", async () => {
    await fail(BREAKER_FAILURES_IN_ROW_MAX, busy);
    clock.advance(BREAKER_OPEN_MS);
    const answer = Promise.withResolvers<void>();
    slack.fates.push(async () => {
      await answer.promise;
      return { messageId: "1", via: "fake" };
    });
    const probe = say("one|two");
    await expect(say("other")).rejects.toBeInstanceOf(BreakerOpen);
    answer.resolve();
    await probe;
    expect(slack.said.slice(BREAKER_FAILURES_IN_ROW_MAX)).toEqual(["one", "two"]);
    expect(state()).toBe("closed");
  });

  it("is not told from one that refuses messages or limits their rate", async () => {
    await fail(12, gone);
    await fail(12, limited);
    expect(state()).toBe("closed");
  });

  it("is not told from one whose calls we broke off", async () => {
    for (let n = 0; n < 12; n++) {
      const abort = new AbortController();
      slack.fates.push(() => {
        abort.abort(new RunAborted("draining"));
        throw cut;
      });
      await expect(say("hi", { signal: abort.signal })).rejects.toBe(cut);
      job = await nextAttempt(store, job);
      slack.memory = "absent";
    }
    expect(state()).toBe("closed");
  });

  it("is not found well by a part that is left in doubt", async () => {
    deps = { ...deps, inDoubt: "leave" };
    await leaveInDoubt();
    const doubtful = job;
    await fail(BREAKER_FAILURES_IN_ROW_MAX - 1, busy);
    clock.advance(BREAKER_OPEN_MS);
    job = doubtful;
    await say("hi");
    expect(state()).toBe("half-open");
  });

  it("is not found well by a reply that needs no call", async () => {
    await say("said");
    job = await nextAttempt(store, job);
    const early = job;
    await fail(BREAKER_FAILURES_IN_ROW_MAX, busy);
    clock.advance(BREAKER_OPEN_MS);
    job = early;
    await say("said");
    expect(state()).toBe("half-open");
  });
});

describe("a reply of which a preview is out", () => {
  const preview = { messageId: "p1", via: "fake" };

  async function show(): Promise<void> {
    await store.outbox.reserve(job, `${job.event.id}/0`);
    await store.outbox.record(`${job.event.id}/0`, { kind: "shown", receipt: preview });
  }

  const stateOfFirst = async () => await store.outbox.reserve(job, `${job.event.id}/0`);

  it("takes its place, and what does not fit comes after it", async () => {
    slack.canEdit();
    await show();
    await say("one|two");
    expect(slack.edits).toMatchObject([
      { receipt: preview, delivery: { part: "one", index: 0, mayRepeat: false, to: job.event.replyTo } },
    ]);
    expect(slack.said).toEqual(["two"]);
    expect(await stateOfFirst()).toEqual({ kind: "sent", receipt: { messageId: "p1", via: "fake edit" } });
    expect(await countOf(deps.metrics, "replies", { platform: "slack", outcome: "sent" })).toBe(2);
  });

  it.each([
    ["is too many", limited],
    ["fails", busy],
    ["may or may not have got through", cut],
  ])(
    "is changed again by the next attempt where a change %s, and nothing is sent beside it",
    async (_, error) => {
      slack.canEdit().editFates.push(failing(error));
      await show();
      await expect(say("one")).rejects.toBe(error);
      job = await nextAttempt(store, job);
      await say("one");
      expect(slack.edits.map(({ delivery }) => delivery.part)).toEqual(["one", "one"]);
      expect(slack.sends).toEqual([]);
    },
  );

  it("is said anew when the preview was deleted, and the log tells", async () => {
    const warned: unknown[] = [];
    const log = silentLogger();
    log.warn = (...line: unknown[]) => void warned.push(line);
    deps = { ...deps, log };
    slack.canEdit().editFates.push(() => "gone");
    await show();
    await say("one");
    expect(slack.said).toEqual(["one"]);
    const about = { event_id: job.event.id, platform: "slack", part: 0, resolution: "sent anew" };
    expect(warned).toEqual([[about, "reply.preview_gone"]]);
    expect(await stateOfFirst()).toEqual({ kind: "sent", receipt: { messageId: "m0", via: "fake" } });
  });

  it("is in doubt, and marked, when it was being said anew as the connection broke", async () => {
    slack.canEdit().editFates.push(() => "gone");
    slack.fates.push(failing(cut));
    await show();
    await expect(say("one")).rejects.toBe(cut);
    job = await nextAttempt(store, job);
    await say("one");
    expect(slack.said).toEqual(["one", "(again?) one"]);
    expect(slack.edits).toHaveLength(1);
  });

  it("is said anew where messages cannot be changed any more", async () => {
    await show();
    await say("one");
    expect(slack.said).toEqual(["one"]);
  });

  it("is not changed without the lease", async () => {
    slack.canEdit();
    await show();
    deps = { ...deps, isHeld: async () => false };
    await expect(say("one")).rejects.toEqual(new RunAborted("lease-lost"));
    expect(slack.edits).toEqual([]);
  });

  it("in doubt that is found on the platform is changed into the answer: it may have been a preview", async () => {
    slack.canEdit();
    await leaveInDoubt();
    slack.memory = preview;
    await say("hi");
    expect(slack.edits).toMatchObject([{ receipt: preview, delivery: { part: "hi" } }]);
    expect(slack.said).toEqual(["hi"]);
  });

  it("in doubt that is found, and gone before it could be changed, is said anew", async () => {
    slack.canEdit().editFates.push(() => "gone");
    await leaveInDoubt();
    slack.memory = preview;
    await say("hi");
    expect(slack.said).toEqual(["hi", "hi"]);
  });
});
