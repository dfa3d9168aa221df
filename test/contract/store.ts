import { setImmediate as nextTick } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Refusal } from "../../src/domain/refusal.ts";
import { NO_USAGE, type Progress, type Turn } from "../../src/domain/run.ts";
import type { Acceptance, Offer, RateLimit } from "../../src/ports/inbox.ts";
import type { Recall } from "../../src/ports/memory.ts";
import type { Job } from "../../src/ports/queue.ts";
import type { Store } from "../../src/ports/store.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { archiveContract } from "./store-archive.ts";
import { auditContract } from "./store-audit.ts";
import { busContract } from "./store-bus.ts";
import { crashContract } from "./store-crashes.ts";
import { deliveriesContract } from "./store-deliveries.ts";
import { failuresContract } from "./store-failures.ts";
import { fairnessContract } from "./store-fairness.ts";
import { growthContract } from "./store-growth.ts";
import { holdsContract } from "./store-holds.ts";
import { kindsContract } from "./store-kinds.ts";
import { lanesContract } from "./store-lanes.ts";
import { sharedMemoryContract } from "./store-memory.ts";
import { mergingContract } from "./store-merging.ts";
import { notebooksContract } from "./store-notebooks.ts";
import { parkingContract } from "./store-parking.ts";
import { peopleContract } from "./store-people.ts";
import { purseContract } from "./store-purse.ts";
import { recordsContract } from "./store-records.ts";
import { requestsContract } from "./store-requests.ts";
import { runsContract } from "./store-runs.ts";
import { shownContract } from "./store-shown.ts";
import { summariesContract } from "./store-summaries.ts";
import { tokensContract } from "./store-tokens.ts";
import { upkeepContract } from "./store-upkeep.ts";
import { vaultContract } from "./store-vault.ts";
import { withdrawingContract } from "./store-withdrawing.ts";

export interface OpenOptions {
  /** The driver takes all its times from here. */
  readonly clock: FakeClock;
  readonly limits: { readonly waitingPerLaneMax: number; readonly waitingMax: number };
}

/** An empty database, and the store that is open on it. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Closes what is open and opens the same database again. */
  reopen(): Promise<Store>;
  /** The death of the process that has it open, which hands nothing back, and the same process started again. */
  kill(): Promise<Store>;
  close(): Promise<void>;
}

/** What a test works with: the store that is open at the moment, and the usual steps on it. */
export interface StoreBench {
  readonly store: Store;
  readonly clock: FakeClock;
  reopen(): Promise<void>;
  kill(): Promise<void>;
  /** Closes it, and opens an empty one. */
  reopenWith(limits: OpenOptions["limits"]): Promise<void>;
  /** In conversation `c1` unless it says otherwise. */
  accept(changes: Partial<TriggerEvent> & { id: string }, offer?: Partial<Offer>): Promise<Acceptance>;
  acceptAll(conversation: string, ...ids: string[]): Promise<void>;
  claim(jobsMax?: number, leaseMs?: number): Promise<readonly Job[]>;
  /** Everything that can be claimed, which is expected to be one. */
  claimOne(): Promise<Job>;
  done(job: Job, turns?: readonly Turn[]): Promise<boolean>;
  drain(): Promise<string[]>;
}

export const HOUR_MS = 3_600_000;
export const LEASE_MS = 30_000;
const ROOMY = { waitingPerLaneMax: 1_000, waitingMax: 10_000 };

/** What every driver of the store promises. */
export function storeContract(name: string, open: (options: OpenOptions) => Promise<StoreUnderTest>): void {
  describe(`the ${name} store`, () => {
    let clock: FakeClock;
    let under: StoreUnderTest;
    let store: Store;

    beforeEach(() => openWith(ROOMY));
    afterEach(() => under.close());

    async function openWith(limits: OpenOptions["limits"]): Promise<void> {
      clock = new FakeClock();
      under = await open({ clock, limits });
      store = under.store;
    }

    async function reopenWith(limits: OpenOptions["limits"]): Promise<void> {
      await under.close();
      await openWith(limits);
    }

    const accept = (changes: Partial<TriggerEvent> & { id: string }, offer: Partial<Offer> = {}) =>
      store.inbox.accept(anOffer(anEvent({ conversation: "c1", ...changes }), offer));

    async function acceptAll(conversation: string, ...ids: string[]): Promise<void> {
      for (const id of ids) expect(await accept({ id, conversation })).toEqual({ kind: "accepted" });
    }

    const claim = (jobsMax = 100, leaseMs = LEASE_MS) => store.queue.claim({ jobsMax, leaseMs });

    async function claimOne(): Promise<Job> {
      const [job, ...others] = await claim();
      if (job === undefined || others.length > 0) {
        throw new Error(`Expected one job, got ${job === undefined ? 0 : others.length + 1}`);
      }
      return job;
    }

    const done = (job: Job, turns: readonly Turn[] = []) =>
      store.queue.settle(job, { kind: "done", outcome: "answered", turns });

    /** Runs everything to its end; gives the ids in the order in which they were claimed. */
    async function drain(): Promise<string[]> {
      const order: string[] = [];
      for (let jobs = await claim(1); jobs.length > 0; jobs = await claim(1)) {
        for (const job of jobs) {
          order.push(job.event.id);
          expect(await done(job)).toBe(true);
        }
      }
      return order;
    }

    const waitForReady = () => store.queue.ready(AbortSignal.timeout(10_000));

    /** Whether the promise is settled once everything that could settle it has had its turn. */
    async function isPending(promise: Promise<unknown>): Promise<boolean> {
      let pending = true;
      promise.then(
        () => (pending = false),
        () => (pending = false),
      );
      await store.journal.stats(); // A round trip to the engine and back.
      await nextTick();
      return pending;
    }

    describe("accepting", () => {
      it("keeps what it accepted over a restart, as it was", async () => {
        const event = anEvent({ id: "a", text: "héllo \u0000 😀 \ud800", conversation: "c1" });
        expect(await store.inbox.accept(anOffer(event))).toEqual({ kind: "accepted" });
        store = await under.reopen();
        expect((await claimOne()).event).toEqual(event);
      });

      it("takes one of many equal events offered at once", async () => {
        const offers = await Promise.all(Array.from({ length: 50 }, () => accept({ id: "a" })));
        expect(offers.filter(({ kind }) => kind === "accepted")).toHaveLength(1);
        expect(offers.filter(({ kind }) => kind === "duplicate")).toHaveLength(49);
        expect(await drain()).toEqual(["a"]);
      });

      it("answers a duplicate no sooner than its original", async () => {
        const order: string[] = [];
        const first = accept({ id: "a" }).then(() => order.push("original"));
        const second = accept({ id: "a" }).then(() => order.push("duplicate"));
        await Promise.all([first, second]);
        expect(order).toEqual(["original", "duplicate"]);
      });

      it("knows an event by any of its keys, and learns new ones from duplicates", async () => {
        await accept({ id: "a", aliases: ["a1"] });
        expect(await accept({ id: "a1" })).toEqual({ kind: "duplicate" });
        expect(await accept({ id: "b", aliases: ["a1", "b1"] })).toEqual({ kind: "duplicate" });
        expect(await accept({ id: "b1" })).toEqual({ kind: "duplicate" });
        expect(await accept({ id: "b" })).toEqual({ kind: "duplicate" });
        expect(await drain()).toEqual(["a"]);
        expect(await store.journal.find("b")).toBeNull();
      });

      it("still knows a key after the event is done, and after a restart", async () => {
        await accept({ id: "a" });
        await drain();
        store = await under.reopen();
        expect(await accept({ id: "a" })).toEqual({ kind: "duplicate" });
      });

      it("forgets a key when its time is over, to the millisecond", async () => {
        await accept({ id: "a", aliases: ["a1"] }, { dedupMs: 1_000 });
        await drain();
        clock.advance(999);
        expect(await accept({ id: "a" })).toEqual({ kind: "duplicate" });
        clock.advance(1);
        expect(await accept({ id: "a1" })).toEqual({ kind: "accepted" });
        expect(await accept({ id: "a" })).toEqual({ kind: "accepted" });
      });

      it("takes an id that came back after its time as a new event, to run, to answer and to find", async () => {
        await accept({ id: "a" }, { dedupMs: 1_000 });
        const first = await claimOne();
        await store.outbox.reserve(first, "a/0");
        await store.outbox.record("a/0", { messageId: "m1", via: "test" });
        await done(first);
        clock.advance(1_000);
        expect(await accept({ id: "a" })).toEqual({ kind: "accepted" });
        expect(await store.journal.find("a")).toMatchObject({ state: "queued" });
        const second = await claimOne();
        expect(await store.queue.extend(first, LEASE_MS)).toBe(false);
        expect(await store.outbox.reserve(second, "a/0")).toEqual({ kind: "fresh", sendsBefore: 0 });
        await store.outbox.record("a/0", "not-sent");
        expect(await store.outbox.reserve(second, "a/0")).toEqual({ kind: "fresh", sendsBefore: 1 });
      });

      it("takes keys of any characters, and tells apart those that differ in one", async () => {
        const ids = [
          "",
          " ",
          "a\u0000b",
          "a\u0000c",
          "a'b\"c;--",
          "a\nb",
          "{a}:b",
          "é",
          "e\u0301",
          "\ud800",
          "\udc00",
        ];
        for (const id of ids) await acceptAll(`conversation ${id}`, id);
        for (const id of ids) expect(await accept({ id })).toEqual({ kind: "duplicate" });
        store = await under.reopen();
        for (const id of ids) expect(await accept({ id })).toEqual({ kind: "duplicate" });
        for (const id of ids) expect((await store.journal.find(id))?.event.id).toBe(id);
        expect((await drain()).sort()).toEqual([...ids].sort());
      });

      it("takes a body of 1 MiB", async () => {
        const text = "ä".repeat(512 * 1024);
        await accept({ id: "a", text });
        store = await under.reopen();
        expect((await claimOne()).event.text).toBe(text);
      });
    });

    describe("a full queue", () => {
      beforeEach(() => reopenWith({ waitingPerLaneMax: 2, waitingMax: 3 }));

      it("refuses what is too much for a lane, and leaves no key of it", async () => {
        await acceptAll("c1", "a", "b");
        expect(await accept({ id: "c", aliases: ["c1"] })).toEqual({ kind: "full" });
        expect(await store.journal.find("c")).toBeNull();
        await claimOne();
        expect(await accept({ id: "c", aliases: ["c1"] })).toEqual({ kind: "accepted" });
      });

      it("refuses what is too much for all lanes", async () => {
        await acceptAll("c1", "a", "b");
        await acceptAll("c2", "c");
        expect(await accept({ id: "d", conversation: "c3" })).toEqual({ kind: "full" });
        expect(await claim(1)).toHaveLength(1);
        expect(await accept({ id: "d", conversation: "c3" })).toEqual({ kind: "accepted" });
      });

      it("still knows a duplicate", async () => {
        await acceptAll("c1", "a", "b");
        expect(await accept({ id: "a" })).toEqual({ kind: "duplicate" });
      });

      it("uses up no allowance", async () => {
        await acceptAll("c1", "a", "b");
        const limits = [aLimit({ messages: 1 })];
        expect(await accept({ id: "c" }, { limits })).toEqual({ kind: "full" });
        await drain();
        expect(await accept({ id: "c" }, { limits })).toEqual({ kind: "accepted" });
      });
    });

    describe("a message in a thread without a mention", () => {
      const inThread = (id: string, conversation = "c1") =>
        accept({ id, conversation }, { onlyIfKnown: true });

      it("is ignored where the bot has no part, and may come again", async () => {
        expect(await inThread("a")).toEqual({ kind: "unknown-conversation" });
        expect(await store.journal.find("a")).toBeNull();
        await acceptAll("c1", "b");
        expect(await inThread("a")).toEqual({ kind: "accepted" });
      });

      it("is taken while an event of its conversation waits, and ever after one has run", async () => {
        await acceptAll("c1", "a");
        expect(await inThread("b")).toEqual({ kind: "accepted" });
        await drain();
        store = await under.reopen();
        expect(await inThread("c")).toEqual({ kind: "accepted" });
        expect(await inThread("d", "c2")).toEqual({ kind: "unknown-conversation" });
      });

      it("is ignored where somebody was only refused", async () => {
        await accept({ id: "a" }, { refusal: aRefusal() });
        expect(await inThread("b")).toEqual({ kind: "unknown-conversation" });
        await drain();
        expect(await inThread("b")).toEqual({ kind: "unknown-conversation" });
      });

      it("is ignored where somebody only asked to be forgotten", async () => {
        await store.memory.forget("c1");
        expect(await inThread("a")).toEqual({ kind: "unknown-conversation" });
      });
    });

    describe("refusing", () => {
      it("queues a notice that overtakes the lane, carries the refusal and ends as dropped", async () => {
        await acceptAll("c1", "a");
        const refusal = aRefusal({ cause: "not_allowed", detail: "dm" });
        const answer = await accept({ id: "b" }, { refusal });
        expect(answer).toEqual({ kind: "refused", refusal, told: true });
        store = await under.reopen();
        const jobs = await claim();
        expect(jobs.map((job) => [job.event.id, job.refusal])).toEqual([
          ["a", null],
          ["b", refusal],
        ]);
        const notice = jobs[1];
        expect(notice && (await store.queue.settle(notice, { kind: "dropped", cause: refusal.cause }))).toBe(
          true,
        );
        expect(await store.journal.find("b")).toMatchObject({ state: "dropped", cause: "not_allowed" });
      });

      it("tells a person once in a window, also over a restart, and keeps no text of what it did not tell", async () => {
        const refuse = (id: string) =>
          accept({ id, text: "secret" }, { refusal: aRefusal({ noticeWindowMs: 5_000 }) });
        expect(await refuse("a")).toMatchObject({ told: true });
        clock.advance(4_999);
        store = await under.reopen();
        expect(await refuse("b")).toMatchObject({ told: false });
        const record = await store.journal.find("b");
        expect(record).toMatchObject({ state: "dropped", cause: "not_allowed", attempt: 0 });
        expect(record?.event.text).toBe("");
        clock.advance(1);
        expect(await refuse("c")).toMatchObject({ told: true });
        expect(await drain()).toEqual(["a", "c"]);
      });

      it("tells each person once of each cause, whatever the conversation", async () => {
        const bob = { id: "U2", name: "bob", isBot: false };
        const refusals = await Promise.all([
          accept({ id: "a" }, { refusal: aRefusal() }),
          accept({ id: "b" }, { refusal: aRefusal({ detail: "other" }) }),
          accept({ id: "c", conversation: "c2" }, { refusal: aRefusal() }),
          accept({ id: "d" }, { refusal: aRefusal({ cause: "paused" }) }),
          accept({ id: "e", sender: bob }, { refusal: aRefusal() }),
          accept({ id: "f", tenant: "T2" }, { refusal: aRefusal() }),
        ]);
        const told = refusals.map((answer) => answer.kind === "refused" && answer.told);
        expect(told).toEqual([true, false, false, true, true, true]);
      });

      it("never tells a bot that it is over a limit", async () => {
        const limits = [aLimit({ messages: 1, perMs: 60_000 })];
        await accept({ id: "a" }, { limits, isTold: false });
        expect(await accept({ id: "b" }, { limits, isTold: false })).toMatchObject({
          kind: "refused",
          told: false,
        });
      });

      it("never tells when the window is 0", async () => {
        const refusal = aRefusal({ noticeWindowMs: 0 });
        expect(await accept({ id: "a" }, { refusal })).toEqual({ kind: "refused", refusal, told: false });
        expect(await claim()).toEqual([]);
      });

      it("refuses a duplicate no second time", async () => {
        await accept({ id: "a" }, { refusal: aRefusal() });
        expect(await accept({ id: "a" }, { refusal: aRefusal() })).toEqual({ kind: "duplicate" });
      });
    });

    describe("rate limits", () => {
      it("let a burst pass, then one at a time", async () => {
        const limits = [aLimit({ messages: 3, perMs: 30_000 })];
        const say = (id: string) => accept({ id }, { limits });
        for (const id of ["a", "b", "c"]) expect(await say(id)).toEqual({ kind: "accepted" });
        expect(await say("d")).toEqual({
          kind: "refused",
          refusal: { cause: "rate_limited", detail: "user", noticeWindowMs: 60_000, retryAfterMs: 10_000 },
          told: true,
        });
        clock.advance(9_999);
        expect(await say("e")).toMatchObject({ kind: "refused", refusal: { retryAfterMs: 1 }, told: false });
        clock.advance(1);
        expect(await say("f")).toEqual({ kind: "accepted" });
        expect(await say("g")).toMatchObject({ kind: "refused" });
      });

      it("are charged all or none, and name the first that refused", async () => {
        const user = aLimit({ key: "U1", messages: 2 });
        const room = aLimit({ scope: "conversation", key: "c1", messages: 1 });
        expect(await accept({ id: "a" }, { limits: [user, room] })).toEqual({ kind: "accepted" });
        for (const id of ["b", "c", "d"]) {
          const answer = await accept({ id }, { limits: [user, room] });
          expect(answer).toMatchObject({ kind: "refused", refusal: { detail: "conversation" } });
        }
        expect(await accept({ id: "e" }, { limits: [user] })).toEqual({ kind: "accepted" });
        expect(await accept({ id: "f" }, { limits: [user, room] })).toMatchObject({
          refusal: { detail: "user" },
        });
      });

      it("are not charged for duplicates, for what was refused before, nor for what is not taken", async () => {
        const limits = [aLimit({ messages: 2 })];
        await accept({ id: "a" }, { limits });
        await accept({ id: "a" }, { limits });
        await accept({ id: "b" }, { limits, refusal: aRefusal() });
        await accept({ id: "c", conversation: "c9" }, { limits, onlyIfKnown: true });
        expect(await accept({ id: "d" }, { limits })).toEqual({ kind: "accepted" });
        expect(await accept({ id: "e" }, { limits })).toMatchObject({ kind: "refused" });
      });

      it("are counted for each key, and a longer window means a rarer notice", async () => {
        const limit = (key: string) => [aLimit({ key, messages: 1, perMs: HOUR_MS })];
        await accept({ id: "a" }, { limits: limit("U1") });
        expect(await accept({ id: "b" }, { limits: limit("U2") })).toEqual({ kind: "accepted" });
        expect(await accept({ id: "c" }, { limits: limit("U1") })).toMatchObject({
          refusal: { noticeWindowMs: HOUR_MS },
        });
      });
    });

    describe("claiming", () => {
      it("gives each lane's events one at a time, oldest first, also when they came interleaved", async () => {
        await Promise.all(
          ["a1", "b1", "a2", "b2", "a3"].map((id) => accept({ id, conversation: id.charAt(0) })),
        );
        expect((await claim()).map((job) => job.event.id)).toEqual(["a1", "b1"]);
        expect(await claim()).toEqual([]);
        clock.advance(LEASE_MS);
        const rounds: string[][] = [];
        for (let jobs = await claim(); jobs.length > 0; jobs = await claim()) {
          rounds.push(jobs.map((job) => job.event.id));
          for (const job of jobs) await done(job);
        }
        expect(rounds).toEqual([["a1", "b1"], ["a2", "b2"], ["a3"]]);
      });

      it("gives one live claim a lane to any number of claimers at once", async () => {
        await acceptAll("c1", "a", "b");
        const claims = await Promise.all(Array.from({ length: 20 }, () => claim()));
        expect(claims.flat().map((job) => job.event.id)).toEqual(["a"]);
      });

      it("gives at most as many as asked for", async () => {
        for (const id of ["a", "b", "c"]) await acceptAll(id, id);
        expect(await claim(2)).toHaveLength(2);
        expect(await claim(2)).toHaveLength(1);
      });

      it("lets no busy lane starve another", async () => {
        await acceptAll("busy", "a1", "a2", "a3", "a4");
        await acceptAll("quiet", "b1");
        expect(await drain()).toEqual(["a1", "b1", "a2", "a3", "a4"]);
      });

      it("keeps lanes apart that share a conversation", async () => {
        await acceptAll("c1", "a", "b");
        await accept({ id: "stop" }, { lane: "c1!control", kind: "command" });
        expect((await claim()).map((job) => [job.event.id, job.lane])).toEqual([
          ["stop", "c1!control"],
          ["a", "c1"],
        ]);
      });

      it("gives out commands to the gateway before all else, and nothing else when asked for them alone", async () => {
        await acceptAll("c1", "a");
        await acceptAll("c2", "b");
        await accept({ id: "stop" }, { lane: "c1!control", kind: "command" });
        const only = await store.queue.claim({ jobsMax: 5, leaseMs: LEASE_MS, controlOnly: true });
        expect(only.map((job) => job.event.id)).toEqual(["stop"]);
        expect((await claim()).map((job) => job.event.id)).toEqual(["a", "b"]);
      });

      it("tells what it gives out", async () => {
        clock.advance(5);
        await acceptAll("c1", "a");
        const acceptedAtMs = clock.nowMs();
        clock.advance(100);
        const job = await claimOne();
        expect(job).toMatchObject({ lane: "c1", refusal: null, attempt: 1, progress: null, acceptedAtMs });
      });

      it("counts an attempt before it gives a job out, so that a restart cannot lose it", async () => {
        await acceptAll("c1", "a");
        const first = await claimOne();
        store = await under.reopen();
        const second = await claimOne();
        expect([first.attempt, second.attempt]).toEqual([1, 2]);
        expect(second.failures).toBe(0);
        expect(second.token).toBeGreaterThan(first.token);
      });

      it("gives out again what ran when the process ended, at once and in order", async () => {
        await acceptAll("c1", "a", "b");
        await claimOne();
        store = await under.reopen();
        await waitForReady();
        expect(await drain()).toEqual(["a", "b"]);
      });
    });

    describe("a lease", () => {
      it("keeps the job while it is extended, and no longer", async () => {
        await acceptAll("c1", "a");
        const first = await claimOne();
        clock.advance(LEASE_MS - 1);
        expect(await store.queue.extend(first, LEASE_MS)).toBe(true);
        clock.advance(LEASE_MS - 1);
        expect(await claim()).toEqual([]);
        clock.advance(1);
        const second = await claimOne();
        expect(second.attempt).toBe(2);
        expect(second.token).toBeGreaterThan(first.token);
      });

      it("is lost to a later claim for every purpose, and the old holder changes nothing", async () => {
        await acceptAll("c1", "a", "b");
        const stale = await claimOne();
        clock.advance(LEASE_MS);
        const live = await claimOne();
        expect(await store.queue.extend(stale, LEASE_MS)).toBe(false);
        expect(await store.queue.checkpoint(stale, aProgress("stale"))).toBe(false);
        expect(await store.outbox.reserve(stale, "a/0")).toEqual({ kind: "lost" });
        expect(await done(stale, [aTurn("stale")])).toBe(false);
        expect(await store.queue.settle(stale, { kind: "dead", cause: "stale" })).toBe(false);
        expect(await store.queue.settle(stale, { kind: "retry", afterMs: 0, cause: "stale" })).toBe(false);
        expect(await recall("c1")).toEqual([]);
        expect(await store.journal.find("a")).toMatchObject({ state: "running", progress: null });
        expect(await store.outbox.reserve(live, "a/0")).toEqual({ kind: "fresh", sendsBefore: 0 });
        expect(await done(live)).toBe(true);
      });

      it("ends with the settlement", async () => {
        await acceptAll("c1", "a");
        const job = await claimOne();
        expect(await done(job)).toBe(true);
        expect(await done(job)).toBe(false);
        expect(await store.queue.extend(job, LEASE_MS)).toBe(false);
        expect(await store.queue.checkpoint(job, aProgress("late"))).toBe(false);
        expect(await store.outbox.reserve(job, "a/0")).toEqual({ kind: "lost" });
      });

      it("does not outlive the process", async () => {
        await acceptAll("c1", "a");
        const job = await claimOne();
        store = await under.reopen();
        expect(await done(job)).toBe(false);
        expect(await store.queue.extend(job, LEASE_MS)).toBe(false);
      });

      it("guards against a token that was never given", async () => {
        await acceptAll("c1", "a");
        const job = await claimOne();
        for (const token of [job.token + 1, job.token - 1, 0, -1]) {
          expect(await done({ ...job, token })).toBe(false);
        }
        expect(await done(job)).toBe(true);
      });
    });

    describe("settling", () => {
      it("takes what is done out of the queue, with its turns", async () => {
        await acceptAll("c1", "a");
        await done(await claimOne(), [aTurn("hi"), aTurn("hello", "assistant")]);
        store = await under.reopen();
        expect(await claim()).toEqual([]);
        expect(await recall("c1")).toMatchObject([aTurn("hi"), aTurn("hello", "assistant")]);
        expect(await store.journal.find("a")).toMatchObject({ state: "done", attempt: 1, cause: null });
      });

      it("keeps an unusual outcome as the cause", async () => {
        await acceptAll("c1", "a");
        await store.queue.settle(await claimOne(), { kind: "done", outcome: "out-of-money", turns: [] });
        expect(await store.journal.find("a")).toMatchObject({ state: "done", cause: "out-of-money" });
      });

      it("holds the lane through a retry, and only that lane", async () => {
        await acceptAll("c1", "a", "b");
        await acceptAll("c2", "x");
        const [job] = await claim(1);
        if (job === undefined) throw new Error("Expected a job");
        expect(await store.queue.settle(job, { kind: "retry", afterMs: 5_000, cause: "overloaded" })).toBe(
          true,
        );
        expect(await store.journal.find("a")).toMatchObject({ state: "retrying", cause: "overloaded" });
        expect((await claim()).map(({ event }) => event.id)).toEqual(["x"]);
        clock.advance(4_999);
        expect(await claim()).toEqual([]);
        clock.advance(1);
        const again = await claimOne();
        expect([again.event.id, again.attempt, again.failures]).toEqual(["a", 2, 1]);
        await done(again);
        expect((await claimOne()).event.id).toBe("b");
      });

      it("holds a retry over a restart", async () => {
        await acceptAll("c1", "a", "b");
        await store.queue.settle(await claimOne(), { kind: "retry", afterMs: 5_000, cause: "x" });
        clock.advance(1_000);
        store = await under.reopen();
        expect(await claim()).toEqual([]);
        expect(await store.journal.stats()).toMatchObject({ queued: 1, retrying: 1 });
        clock.advance(4_000);
        expect((await claimOne()).event.id).toBe("a");
      });

      it("charges no attempt for a deferral, also over a restart", async () => {
        await acceptAll("c1", "a", "b");
        const first = await claimOne();
        await store.queue.settle(first, { kind: "defer", afterMs: 1_000, cause: "breaker" });
        expect(await claim()).toEqual([]);
        expect(await store.journal.find("a")).toMatchObject({
          state: "queued",
          attempt: 0,
          cause: "breaker",
        });
        store = await under.reopen();
        clock.advance(1_000);
        const second = await claimOne();
        expect([second.event.id, second.attempt]).toEqual(["a", 1]);
        expect(second.token).toBeGreaterThan(first.token);
      });

      it("gives back at once what is deferred by nothing", async () => {
        await acceptAll("c1", "a", "b");
        await store.queue.settle(await claimOne(), { kind: "defer", afterMs: 0, cause: "drain" });
        expect(await claimOne()).toMatchObject({ event: { id: "a" }, attempt: 1 });
      });

      it("keeps a dead letter with its cause and its progress, and lets the lane go on", async () => {
        await acceptAll("c1", "a", "b");
        const job = await claimOne();
        await store.queue.checkpoint(job, aProgress("half"));
        await store.queue.settle(job, { kind: "dead", cause: "gave up" });
        store = await under.reopen();
        expect(await store.journal.find("a")).toMatchObject({
          state: "dead",
          cause: "gave up",
          attempt: 1,
          progress: aProgress("half"),
        });
        expect(await drain()).toEqual(["b"]);
      });
    });

    describe("progress", () => {
      it("is given to the next holder, the newest only", async () => {
        await acceptAll("c1", "a");
        const first = await claimOne();
        expect(await store.queue.checkpoint(first, aProgress("one"))).toBe(true);
        expect(await store.queue.checkpoint(first, aProgress("two"))).toBe(true);
        store = await under.reopen();
        expect((await claimOne()).progress).toEqual(aProgress("two"));
      });
    });

    describe("ready", () => {
      it("resolves at once when something can be claimed", async () => {
        await acceptAll("c1", "a");
        await waitForReady();
        expect(await claim()).toHaveLength(1);
      });

      it("resolves for all who wait when something comes", async () => {
        const waits = [waitForReady(), waitForReady(), waitForReady()];
        expect(await isPending(Promise.race(waits))).toBe(true);
        await acceptAll("c1", "a");
        await Promise.all(waits);
      });

      it("resolves when a lane goes on", async () => {
        await acceptAll("c1", "a", "b");
        const job = await claimOne();
        const wait = waitForReady();
        expect(await isPending(wait)).toBe(true);
        await done(job);
        await wait;
        expect((await claimOne()).event.id).toBe("b");
      });

      it("resolves when a delay is over", async () => {
        await acceptAll("c1", "a");
        await store.queue.settle(await claimOne(), { kind: "retry", afterMs: 5_000, cause: "x" });
        const wait = waitForReady();
        clock.advance(4_999);
        expect(await isPending(wait)).toBe(true);
        clock.advance(1);
        await wait;
        expect(await claim()).toHaveLength(1);
      });

      it("resolves when a lease ends, by 1.2 leases at the latest", async () => {
        await acceptAll("c1", "a");
        await claimOne();
        const wait = waitForReady();
        expect(await isPending(wait)).toBe(true);
        clock.advance(LEASE_MS * 1.2);
        await wait;
        expect(await claim()).toHaveLength(1);
      });

      it("does not spin when the lease that should have ended was extended", async () => {
        await acceptAll("c1", "a");
        const job = await claimOne();
        clock.advance(LEASE_MS / 2);
        await store.queue.extend(job, LEASE_MS);
        clock.advance(LEASE_MS / 2);
        expect(await claim()).toEqual([]);
        expect(await isPending(waitForReady())).toBe(true);
      });

      it("rejects with the signal's reason, before and while it waits", async () => {
        const reason = new Error("enough");
        await expect(store.queue.ready(AbortSignal.abort(reason))).rejects.toBe(reason);
        const stop = new AbortController();
        const wait = store.queue.ready(stop.signal);
        stop.abort(reason);
        await expect(wait).rejects.toBe(reason);
      });
    });

    describe("the outbox", () => {
      it("begins: the answer and the reservation of its first part are stored together, or neither", async () => {
        await acceptAll("c1", "a");
        const stale = await claimOne();
        await store.queue.settle(stale, { kind: "retry", afterMs: 0, cause: "again" });
        expect(await store.outbox.begin(stale, aProgress("stale"), "a/0")).toEqual({ kind: "lost" });
        const job = await claimOne();
        expect(job.progress).toBeNull();
        await store.queue.checkpoint(job, aProgress("half"));
        expect(await store.outbox.begin(job, aProgress("whole"), "a/0")).toEqual({
          kind: "fresh",
          sendsBefore: 0,
        });
        store = await under.kill();
        const again = await claimOne();
        expect(again.progress).toEqual(aProgress("whole"));
        expect(await store.outbox.begin(again, aProgress("more"), "a/0")).toEqual({
          kind: "in-doubt",
          sendsBefore: 1,
          isSenderGone: true,
        });
        await store.outbox.record("a/0", { messageId: "m1", via: "test" });
        expect(await store.outbox.begin(again, aProgress("most"), "a/0")).toMatchObject({ kind: "sent" });
        expect((await store.journal.find("a"))?.progress).toEqual(aProgress("most"));
      });

      it("lets a part be said once, and shows a send that was never recorded", async () => {
        await acceptAll("c1", "a");
        const job = await claimOne();
        const receipt = { messageId: "m1", via: "chat.postMessage" };
        expect(await store.outbox.reserve(job, "a/0")).toEqual({ kind: "fresh", sendsBefore: 0 });
        await store.outbox.record("a/0", receipt);
        expect(await store.outbox.reserve(job, "a/0")).toEqual({ kind: "sent", receipt });
        expect(await store.outbox.reserve(job, "a/1")).toEqual({ kind: "fresh", sendsBefore: 1 });
        store = await under.reopen();
        const again = await claimOne();
        expect(await store.outbox.reserve(again, "a/0")).toEqual({ kind: "sent", receipt });
        expect(await store.outbox.reserve(again, "a/1")).toEqual({
          kind: "in-doubt",
          sendsBefore: 2,
          isSenderGone: true,
        });
      });

      it("takes back a reservation that was certainly not sent, but counts it", async () => {
        await acceptAll("c1", "a");
        const job = await claimOne();
        await store.outbox.reserve(job, "a/0");
        await store.outbox.record("a/0", "not-sent");
        expect(await store.outbox.reserve(job, "a/0")).toEqual({ kind: "fresh", sendsBefore: 1 });
        expect(await store.outbox.reserve(job, "a/0")).toEqual({
          kind: "in-doubt",
          sendsBefore: 2,
          isSenderGone: true,
        });
      });

      it("counts the sends of each event for itself", async () => {
        await acceptAll("c1", "a");
        await acceptAll("c2", "b");
        const [a, b] = await claim();
        if (a === undefined || b === undefined) throw new Error("Expected two jobs");
        await store.outbox.reserve(a, "a/0");
        expect(await store.outbox.reserve(b, "b/0")).toEqual({ kind: "fresh", sendsBefore: 0 });
      });

      it("keeps a receipt against a late report that nothing was sent", async () => {
        await acceptAll("c1", "a");
        const job = await claimOne();
        const receipt = { messageId: null, via: "response_url" };
        await store.outbox.reserve(job, "a/0");
        await store.outbox.record("a/0", receipt);
        await store.outbox.record("a/0", "not-sent");
        expect(await store.outbox.reserve(job, "a/0")).toEqual({ kind: "sent", receipt });
      });
    });

    const recall = (conversation: string, turnsMax = 100, sinceMs = 0) =>
      store.memory.recall(conversation, { turnsMax, sinceMs });

    async function converse(id: string, ...texts: string[]): Promise<void> {
      await acceptAll("c1", id);
      await done(
        await claimOne(),
        texts.map((text) => ({ ...aTurn(text), atMs: clock.nowMs() })),
      );
    }

    describe("memory", () => {
      it("comes with the claim that asks for it", async () => {
        await converse("a", "1", "2");
        clock.advance(1_000);
        await converse("b", "3", "4");
        const sinceMs = clock.nowMs();
        const recalledWith = async (recall?: Recall) => {
          const [job] = await store.queue.claim({ jobsMax: 1, leaseMs: LEASE_MS, ...(recall && { recall }) });
          if (job === undefined) throw new Error("Expected a job, got none");
          await store.queue.settle(job, { kind: "retry", afterMs: 0, cause: "again" });
          const { recalled } = job;
          return recalled && { ...recalled, turns: recalled.turns.map(({ text }) => text) };
        };
        await acceptAll("c1", "c");
        expect(await recalledWith()).toBeUndefined();
        for (const [recall, turns] of [
          [{ turnsMax: 100, sinceMs: 0 }, ["1", "2", "3", "4"]],
          [{ turnsMax: 3, sinceMs: 0 }, ["2", "3", "4"]],
          [{ turnsMax: 3, sinceMs }, ["3", "4"]],
          [{ turnsMax: 0, sinceMs: 0 }, []],
        ] as const) {
          expect(await recalledWith(recall)).toEqual({ ...recall, turns });
        }
        await store.memory.forget("c1");
        expect(await recalledWith({ turnsMax: 3, sinceMs: 0 })).toMatchObject({ turns: [] });
      });

      it("comes with a claim of many jobs as long as there is room, and is asked for by the others", async () => {
        const text = "x".repeat(400 * 1024);
        const lanes = ["c1", "c2", "c3", "c4"];
        for (const lane of lanes) {
          await acceptAll(lane, `${lane}-old`);
          await done(await claimOne(), [aTurn(text)]);
        }
        for (const lane of lanes) await acceptAll(lane, lane);
        const recall = { turnsMax: 9, sinceMs: 0 };
        const jobs = await store.queue.claim({ jobsMax: 9, leaseMs: LEASE_MS, recall });
        expect(jobs.map(({ recalled }) => recalled?.turns.length)).toEqual([1, 1, 1, undefined]);
      });

      it("gives the newest turns, oldest first, of one conversation and one time", async () => {
        await converse("a", "1", "2");
        clock.advance(1_000);
        await converse("b", "3", "4");
        const texts = async (turnsMax: number, sinceMs = 0) =>
          (await recall("c1", turnsMax, sinceMs)).map(({ text }) => text);
        expect(await texts(100)).toEqual(["1", "2", "3", "4"]);
        expect(await texts(3)).toEqual(["2", "3", "4"]);
        expect(await texts(100, clock.nowMs())).toEqual(["3", "4"]);
        expect(await texts(0)).toEqual([]);
        expect(await recall("c2")).toEqual([]);
      });

      it("forgets, also what a run in progress and those behind it will say", async () => {
        await converse("a", "old");
        await acceptAll("c1", "b", "c");
        const running = await claimOne();
        await store.memory.forget("c1");
        expect(await recall("c1")).toEqual([]);
        await done(running, [aTurn("running")]);
        await done(await claimOne(), [aTurn("behind")]);
        expect(await recall("c1")).toEqual([]);
        store = await under.reopen();
        await converse("d", "new");
        expect((await recall("c1")).map(({ text }) => text)).toEqual(["new"]);
      });

      it("forgets only up to an event, and remembers what came after it", async () => {
        await converse("a", "old");
        await acceptAll("c1", "b", "reset", "c");
        const running = await claimOne();
        await store.memory.forget("c1", "reset");
        await done(running, [aTurn("before")]);
        await done(await claimOne());
        await done(await claimOne(), [aTurn("after")]);
        await store.memory.forget("c1", "reset");
        expect((await recall("c1")).map(({ text }) => text)).toEqual(["after"]);
      });
    });

    describe("the journal", () => {
      it("lists newest first, by state", async () => {
        for (const id of ["a", "b", "c", "d", "e"]) await acceptAll(`conversation ${id}`, id);
        await accept({ id: "f" }, { refusal: aRefusal({ noticeWindowMs: 0 }) });
        const [a, b, c, d] = await claim(4);
        if (!a || !b || !c || !d) throw new Error("Expected four jobs");
        await store.queue.settle(b, { kind: "retry", afterMs: 1_000, cause: "x" });
        await store.queue.settle(d, { kind: "dead", cause: "y" });
        await store.queue.settle(c, { kind: "dead", cause: "z" });
        const ids = async (filter: Parameters<Store["journal"]["list"]>[0]) =>
          (await store.journal.list(filter)).map(({ id, state }) => `${id} ${state}`);
        expect(await ids({ limit: 3 })).toEqual(["f dropped", "e queued", "d dead"]);
        expect(await ids({ state: "dead", limit: 9 })).toEqual(["d dead", "c dead"]);
        expect(await ids({ state: "dead", limit: 1 })).toEqual(["d dead"]);
        expect(await ids({ state: "running", limit: 9 })).toEqual(["a running"]);
        expect(await ids({ state: "retrying", limit: 9 })).toEqual(["b retrying"]);
        expect(await ids({ state: "queued", limit: 9 })).toEqual(["e queued"]);
        expect(await ids({ state: "dropped", limit: 9 })).toEqual(["f dropped"]);
        expect(await ids({ state: "done", limit: 9 })).toEqual([]);
      });

      it("counts what is not done", async () => {
        expect(await store.journal.stats()).toMatchObject({
          queued: 0,
          running: 0,
          retrying: 0,
          dead: 0,
          oldestAcceptedAtMs: null,
        });
        await acceptAll("c1", "a", "b");
        const oldestAcceptedAtMs = clock.nowMs();
        clock.advance(1_000);
        await acceptAll("c2", "c");
        await acceptAll("c3", "d");
        const [, c, d] = await claim();
        if (c === undefined || d === undefined) throw new Error("Expected three jobs");
        await store.queue.settle(c, { kind: "retry", afterMs: 1_000, cause: "x" });
        await store.queue.settle(d, { kind: "dead", cause: "x" });
        const stats = await store.journal.stats();
        expect(stats).toMatchObject({ queued: 1, running: 1, retrying: 1, dead: 1, oldestAcceptedAtMs });
        expect(stats.fileBytes).toBeGreaterThan(0);
      });

      it("tells when an event was accepted and last changed", async () => {
        await acceptAll("c1", "a");
        const acceptedAtMs = clock.nowMs();
        clock.advance(10);
        const job = await claimOne();
        expect(await store.journal.find("a")).toMatchObject({ acceptedAtMs, updatedAtMs: clock.nowMs() });
        clock.advance(10);
        await done(job);
        expect(await store.journal.find("a")).toMatchObject({ acceptedAtMs, updatedAtMs: clock.nowMs() });
        expect(await store.journal.find("b")).toBeNull();
      });
    });

    describe("sweeping", () => {
      const retention = { finishedMs: HOUR_MS, deadMs: 2 * HOUR_MS, turnsMs: 3 * HOUR_MS };

      it("deletes what is past its time, each kind after its own, and gives the number of rows", async () => {
        await accept({ id: "dropped", conversation: "c2" }, { refusal: aRefusal({ noticeWindowMs: 0 }) });
        await acceptAll("c1", "dead", "done");
        await store.queue.settle(await claimOne(), { kind: "dead", cause: "x" });
        await done(await claimOne(), [{ ...aTurn("hi"), atMs: clock.nowMs() }]);
        const left = async () => (await store.journal.list({ limit: 9 })).map(({ id }) => id);

        clock.advance(HOUR_MS - 1);
        await store.sweep(retention);
        expect(await left()).toEqual(["done", "dead", "dropped"]);
        clock.advance(1);
        expect(await store.sweep(retention)).toBeGreaterThanOrEqual(2);
        expect(await left()).toEqual(["dead"]);
        clock.advance(HOUR_MS);
        await store.sweep(retention);
        expect(await left()).toEqual([]);
        expect(await recall("c1")).toHaveLength(1);
        clock.advance(HOUR_MS + 1);
        await store.sweep(retention);
        expect(await recall("c1")).toEqual([]);
        expect(await store.sweep(retention)).toBe(0);
      });

      it("leaves alone what is not done, however old", async () => {
        await acceptAll("c1", "a", "b");
        const job = await claimOne();
        clock.advance(1_000 * HOUR_MS);
        await store.sweep(retention);
        expect(await done(job)).toBe(true);
        expect(await drain()).toEqual(["b"]);
      });

      it("keeps idempotency keys to their own time: an event may go before its key, or its key before it", async () => {
        await accept({ id: "short", aliases: ["s1"] }, { dedupMs: 1_000 });
        await accept({ id: "long", aliases: ["l1"] }, { dedupMs: 10 * HOUR_MS });
        await drain();
        clock.advance(1_000);
        await store.sweep(retention);
        expect(await store.journal.find("short")).toMatchObject({ state: "done" });
        expect(await accept({ id: "s1" })).toEqual({ kind: "accepted" });
        await drain();
        clock.advance(2 * HOUR_MS);
        await store.sweep(retention);
        expect(await store.journal.list({ limit: 9 })).toEqual([]);
        expect(await accept({ id: "l1" })).toEqual({ kind: "duplicate" });
        expect(await accept({ id: "long" })).toEqual({ kind: "duplicate" });
        expect(await accept({ id: "short" })).toEqual({ kind: "accepted" });
      });

      it("goes through thousands of rows, while others are served", async () => {
        const offers = Array.from({ length: 2_000 }, (_, i) =>
          accept({ id: `e${i}`, conversation: `c${i}` }, { refusal: aRefusal({ noticeWindowMs: 0 }) }),
        );
        await Promise.all(offers);
        clock.advance(HOUR_MS);
        const [rows, answer] = await Promise.all([store.sweep(retention), accept({ id: "new" })]);
        expect(rows).toBeGreaterThanOrEqual(2_000);
        expect(answer).toEqual({ kind: "accepted" });
        expect((await store.journal.list({ limit: 9 })).map(({ id }) => id)).toEqual(["new"]);
      });

      it("forgets idle conversations, and never gives old order to new events", async () => {
        await converse("a", "old");
        await store.memory.forget("c1");
        clock.advance(100 * HOUR_MS);
        await store.sweep(retention);
        expect(await accept({ id: "b" }, { onlyIfKnown: true })).toEqual({ kind: "unknown-conversation" });
        await store.memory.forget("c1");
        store = await under.reopen();
        await converse("c", "new");
        expect((await recall("c1")).map(({ text }) => text)).toEqual(["new"]);
      });
    });

    describe("a clock that jumps", () => {
      it("forward: ends leases, and fences those who held them", async () => {
        await acceptAll("c1", "a");
        const before = await claimOne();
        clock.advance(365 * 24 * HOUR_MS);
        await waitForReady();
        const after = await claimOne();
        expect(await done(before)).toBe(false);
        expect(await done(after)).toBe(true);
      });

      it("back: makes nobody wait longer, for a lease, a retry, a limit or a notice", async () => {
        await acceptAll("c1", "a");
        await acceptAll("c2", "b");
        const [a, b] = await claim();
        if (a === undefined || b === undefined) throw new Error("Expected two jobs");
        await store.queue.settle(b, { kind: "retry", afterMs: 1_000, cause: "x" });
        const limits = [aLimit({ messages: 1, perMs: 1_000 })];
        await accept({ id: "c", conversation: "c3" }, { limits });
        await accept({ id: "d", conversation: "c3" }, { limits });

        clock.advance(-10 * HOUR_MS);
        expect(await store.queue.extend(a, LEASE_MS)).toBe(true);
        await accept({ id: "e", conversation: "c4" });
        expect((await claim()).map(({ event }) => event.id).sort()).toEqual(["c", "d", "e"]);
        clock.advance(1_000);
        expect((await claim()).map(({ event }) => event.id)).toEqual(["b"]);
        expect(await accept({ id: "f", conversation: "c5" }, { limits })).toEqual({ kind: "accepted" });
        expect(await accept({ id: "g", conversation: "c3" }, { limits })).toMatchObject({ told: true });
        clock.advance(LEASE_MS - 1_000);
        expect((await claim()).map(({ event }) => event.id)).toContain("a");
      });

      it("back, over a restart: a retry waits no longer than it was told to", async () => {
        await acceptAll("c1", "a");
        await store.queue.settle(await claimOne(), { kind: "retry", afterMs: 1_000, cause: "x" });
        clock.advance(-10 * HOUR_MS);
        store = await under.reopen();
        expect(await claim()).toEqual([]);
        clock.advance(1_000);
        expect(await claim()).toHaveLength(1);
      });
    });

    describe("closing", () => {
      it("answers what was asked before, and refuses what comes after", async () => {
        const accepted = accept({ id: "a" });
        const wait = store.queue.ready(new AbortController().signal);
        const closed = store[Symbol.asyncDispose]();
        await Promise.all([
          expect(accepted).resolves.toEqual({ kind: "accepted" }),
          expect(wait).rejects.toMatchObject({ code: "STORE_CLOSED" }),
        ]);
        await closed;
        await expect(accept({ id: "b" })).rejects.toMatchObject({ code: "STORE_CLOSED" });
        await expect(waitForReady()).rejects.toMatchObject({ code: "STORE_CLOSED" });
        await store[Symbol.asyncDispose]();
        store = await under.reopen();
        expect(await drain()).toEqual(["a"]);
      });
    });

    describe("the check", () => {
      it("finds a store that takes events, and changes nothing that anybody sees", async () => {
        await accept({ id: "a" });
        const before = await store.journal.stats();
        expect(await store.check()).toEqual({ status: "ok" });
        expect(await store.check()).toEqual({ status: "ok" });
        expect({ ...(await store.journal.stats()), fileBytes: 0 }).toEqual({ ...before, fileBytes: 0 });
        expect(await drain()).toEqual(["a"]);
      });

      it("is refused by a store that is closed", async () => {
        await store[Symbol.asyncDispose]();
        await expect(store.check()).rejects.toMatchObject({ code: "STORE_CLOSED" });
        store = await under.reopen();
      });
    });

    const bench: StoreBench = {
      get store() {
        return store;
      },
      get clock() {
        return clock;
      },
      async reopen() {
        store = await under.reopen();
      },
      async kill() {
        store = await under.kill();
      },
      reopenWith,
      accept,
      acceptAll,
      claim,
      claimOne,
      done,
      drain,
    };
    fairnessContract(bench);
    crashContract(bench);
    runsContract(bench);
    failuresContract(bench);
    growthContract(bench);
    holdsContract(bench);
    upkeepContract(bench);
    tokensContract(bench);
    vaultContract(bench);
    auditContract(bench);
    recordsContract(bench);
    deliveriesContract(bench);
    kindsContract(bench);
    lanesContract(bench);
    parkingContract(bench);
    mergingContract(bench);
    peopleContract(bench);
    purseContract(bench);
    busContract(bench);
    requestsContract(bench);
    shownContract(bench);
    archiveContract(bench);
    withdrawingContract(bench);
    sharedMemoryContract(bench);
    summariesContract(bench);
    notebooksContract(bench);
  });
}

export function anOffer(event: TriggerEvent, changes: Partial<Offer> = {}): Offer {
  return {
    event,
    lane: event.conversation,
    kind: "message",
    agent: "assistant",
    busy: "queue",
    refusal: null,
    limits: [],
    onlyIfKnown: false,
    isTold: true,
    dedupMs: HOUR_MS,
    ...changes,
  };
}

export function aLimit(changes: Partial<RateLimit> = {}): RateLimit {
  return { scope: "user", key: "U1", messages: 10, perMs: 60_000, ...changes };
}

export function aRefusal(changes: Partial<Refusal> = {}): Refusal {
  return { cause: "not_allowed", detail: "dm", noticeWindowMs: 60_000, ...changes };
}

export function aTurn(text: string, role: Turn["role"] = "user"): Turn {
  return { role, name: role === "user" ? "ann" : null, text, atMs: 1_700_000_000_000 };
}

export function aProgress(text: string): Progress {
  return {
    runId: "run_1",
    agent: "assistant",
    startedAtMs: 1_700_000_000_000,
    steps: [{ kind: "model", text, toolCalls: [], usage: NO_USAGE }],
    answer: null,
  };
}
