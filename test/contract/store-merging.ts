import { describe, expect, it } from "vitest";
import { GROWTH_MS, MERGED_CHARS_MAX, MERGED_EVENTS_MAX } from "../../src/domain/bounds.ts";
import type { BusyMode } from "../../src/domain/busy.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Offer } from "../../src/ports/inbox.ts";
import type { Job } from "../../src/ports/queue.ts";
import { aProgress, aRefusal, HOUR_MS, LEASE_MS, type StoreBench } from "./store.ts";

type Changes = Partial<TriggerEvent> & { id: string };

/** What one run answers together, and what a message does that comes while one is in hand. */
export function mergingContract(bench: StoreBench): void {
  const offer = (changes: Changes, more: Partial<Offer> = {}) =>
    bench.accept(changes, { busy: "collect", ...more });
  const idsOf = (events: readonly TriggerEvent[]) => events.map(({ id }) => id);
  const join = async (job: Job) => idsOf(await bench.store.queue.join(job));
  const stateOf = async (id: string) => {
    const record = await bench.store.journal.find(id);
    return record === null ? null : [record.state, record.mergedInto];
  };
  async function begun(...ids: readonly string[]): Promise<Job> {
    for (const id of ids) expect(await offer({ id })).toEqual({ kind: "accepted" });
    return await bench.claimOne();
  }
  const replay = (id: string, mode: "resume" | "anew" = "anew") =>
    bench.store.archive.replay(id, { by: "ann", mode, states: ["done", "dropped", "dead"] });

  describe("the agent and the busy mode of an event", () => {
    it("come with its claim, also after a restart, and are decided again when it is brought back", async () => {
      await bench.accept({ id: "a" }, { agent: "deployer", busy: "steer" });
      await bench.reopen();
      const job = await bench.claimOne();
      expect(job).toMatchObject({ agent: "deployer", busy: "steer" });
      await bench.store.queue.settle(job, { kind: "retry", afterMs: 0, cause: "x" });
      const again = await bench.claimOne();
      expect(again).toMatchObject({ agent: "deployer", busy: "steer" });
      await bench.store.queue.settle(again, { kind: "dead", cause: "x" });
      expect(await replay("a")).toBe("queued");
      expect(await bench.claimOne()).toMatchObject({ agent: null, busy: "queue" });
    });
  });

  describe("joining what waits behind an event", () => {
    it("gives it in order, all of it each time, and nothing where nothing waits", async () => {
      const job = await begun("a");
      expect(await join(job)).toEqual([]);
      await offer({ id: "b" });
      await offer({ id: "c" });
      expect(await join(job)).toEqual(["b", "c"]);
      await offer({ id: "d" });
      expect(await join(job)).toEqual(["b", "c", "d"]);
      expect(await join(job)).toEqual(["b", "c", "d"]);
    });

    it("ends it with the event, as merged, and the lane goes on behind it", async () => {
      const job = await begun("a", "b", "c");
      expect(await join(job)).toEqual(["b", "c"]);
      await offer({ id: "d" });
      expect(await stateOf("b")).toEqual(["queued", "a"]);
      expect(await bench.claim()).toEqual([]);
      expect(await bench.done(job)).toBe(true);
      for (const id of ["b", "c"]) expect(await stateOf(id)).toEqual(["merged", "a"]);
      expect(await stateOf("a")).toEqual(["done", null]);
      const listed = await bench.store.journal.list({ state: "merged", limit: 9 });
      expect(listed.map(({ id, mergedInto, attempt }) => [id, mergedInto, attempt])).toEqual([
        ["c", "a", 0],
        ["b", "a", 0],
      ]);
      expect((await bench.store.journal.list({ limit: 9 })).map(({ id }) => id)).toEqual([
        "d",
        "c",
        "b",
        "a",
      ]);
      expect(await bench.store.journal.stats()).toMatchObject({ queued: 1, running: 0 });
      expect(await bench.drain()).toEqual(["d"]);
      expect(await bench.store.lanes.stateOf("c1")).toBe("idle");
    });

    it.each(["dropped", "dead"] as const)("ends it also when the event is %s", async (kind) => {
      const job = await begun("a", "b");
      await join(job);
      await bench.store.queue.settle(job, { kind, cause: "x" });
      expect(await stateOf("b")).toEqual(["merged", "a"]);
      expect(await bench.drain()).toEqual([]);
    });

    it("lasts over retries, restarts and lost leases: the next claim has all of it", async () => {
      let job = await begun("a", "b");
      expect(idsOf(job.events)).toEqual(["a"]);
      await join(job);
      await bench.store.queue.settle(job, { kind: "retry", afterMs: 0, cause: "x" });
      await offer({ id: "c" });
      job = await bench.claimOne();
      expect(idsOf(job.events)).toEqual(["a", "b"]);
      expect(await join(job)).toEqual(["b", "c"]);
      await bench.kill();
      job = await bench.claimOne();
      expect(idsOf(job.events)).toEqual(["a", "b", "c"]);
      bench.clock.advance(LEASE_MS + 1);
      const next = await bench.claimOne();
      expect(idsOf(next.events)).toEqual(["a", "b", "c"]);
      expect(await bench.done(job)).toBe(false);
      expect(await join(job)).toEqual([]);
      expect(await bench.done(next)).toBe(true);
      expect(await stateOf("c")).toEqual(["merged", "a"]);
    });

    it.each<[string, Changes, Partial<Offer>]>([
      ["of another person", { id: "b", sender: { id: "U2", name: "bob", isBot: false } }, {}],
      ["for another agent", { id: "b" }, { agent: "deployer" }],
      ["for nobody that is known", { id: "b" }, { agent: null }],
      ["that waits its turn", { id: "b" }, { busy: "queue" }],
      ["that would be dropped", { id: "b" }, { busy: "drop" }],
      ["that is a command", { id: "b" }, { kind: "command" }],
    ])("leaves alone what is %s, and what comes after it", async (_, changes, more) => {
      await offer({ id: "a" });
      // Before the claim: what would be dropped is refused while something runs.
      await offer(changes, more);
      await offer({ id: "c" });
      const job = await bench.claimOne();
      expect(await join(job)).toEqual([]);
      await bench.done(job);
      expect(await bench.drain()).toEqual(["b", "c"]);
    });

    it("takes nothing to a command, a notice, or what no agent is known for", async () => {
      await offer({ id: "a" }, { agent: null });
      await offer({ id: "b" }, { agent: null });
      const job = await bench.claimOne();
      expect(await join(job)).toEqual([]);
      await bench.accept({ id: "n", conversation: "c2" }, { busy: "collect", refusal: aRefusal() });
      await bench.accept({ id: "n2", conversation: "c2" }, { busy: "collect", lane: "c2!notice" });
      expect(await join(await bench.claimOne())).toEqual([]);
    });

    it.each(["interrupt", "steer"] as const)("takes what would %s", async (busy: BusyMode) => {
      const job = await begun("a");
      await offer({ id: "b" }, { busy });
      expect(await join(job)).toEqual(["b"]);
    });

    it("waits for the files of a message that may still grow", async () => {
      const job = await begun("a");
      await offer({ id: "b", mayGrow: true });
      expect(await join(job)).toEqual([]);
      const file = { id: "F1", kind: "document", name: "f", mime: "text/plain", sizeBytes: 1 } as const;
      await offer({ id: "b", attachments: [file] });
      expect(await join(job)).toEqual(["b"]);
      await offer({ id: "c", mayGrow: true });
      expect(await join(job)).toEqual(["b"]);
      bench.clock.advance(GROWTH_MS);
      const [b, c] = await bench.store.queue.join(job);
      expect([b?.attachments.length, c?.id]).toEqual([1, "c"]);
    });

    it("takes so many and no more, and so much text and no more", async () => {
      const many = Array.from({ length: MERGED_EVENTS_MAX + 1 }, (_, i) => `m${i}`);
      const job = await begun("a", ...many);
      expect(await join(job)).toEqual(many.slice(0, MERGED_EVENTS_MAX));
      await bench.done(job);
      expect(await bench.drain()).toEqual(many.slice(MERGED_EVENTS_MAX));
      const long = "x".repeat(MERGED_CHARS_MAX / 2);
      for (const id of ["e", "f", "g", "h"]) await offer({ id, text: long });
      const longest = await bench.claimOne();
      expect(await join(longest)).toEqual(["f"]);
      await bench.done(longest);
      expect(await bench.drain()).toEqual(["g", "h"]);
    });

    it("keeps the keys of what was joined: it is a duplicate, whatever became of it", async () => {
      const job = await begun("a", "b");
      await join(job);
      expect(await offer({ id: "b" })).toEqual({ kind: "duplicate" });
      await bench.done(job);
      expect(await offer({ id: "b" })).toEqual({ kind: "duplicate" });
      expect(await bench.drain()).toEqual([]);
    });
  });

  describe("what was merged", () => {
    async function merged(): Promise<void> {
      const job = await begun("a", "b", "c");
      await join(job);
      await bench.store.queue.settle(job, { kind: "dead", cause: "x" });
    }

    it("comes back with its event, and not alone", async () => {
      await merged();
      expect(await replay("b")).toBe("wrong-state");
      await offer({ id: "d" });
      expect(await replay("a")).toBe("queued");
      expect(await replay("b")).toBe("not-finished");
      await bench.reopen();
      const other = await bench.claimOne();
      expect(other.event.id).toBe("d");
      await bench.done(other);
      const job = await bench.claimOne();
      expect(idsOf(job.events)).toEqual(["a", "b", "c"]);
      await bench.done(job);
      expect(await stateOf("c")).toEqual(["merged", "a"]);
      expect(await offer({ id: "c" })).toEqual({ kind: "duplicate" });
      expect(await replay("a", "resume")).toBe("queued");
      expect(idsOf((await bench.claimOne()).events)).toEqual(["a", "b", "c"]);
    });

    it("is kept as long as its event, and goes with it", async () => {
      await merged();
      const retention = { finishedMs: HOUR_MS, deadMs: 3 * HOUR_MS, turnsMs: HOUR_MS };
      bench.clock.advance(2 * HOUR_MS);
      await bench.store.sweep(retention);
      expect(await stateOf("b")).toEqual(["merged", "a"]);
      bench.clock.advance(2 * HOUR_MS);
      await bench.store.sweep(retention);
      for (const id of ["a", "b", "c"]) expect(await stateOf(id)).toBeNull();
      expect(await offer({ id: "b" })).toEqual({ kind: "accepted" });
    });
  });

  describe("a message that is dropped while a run is in hand", () => {
    const busy = { busy: "drop" } as const;
    const refused = (told: boolean) => ({
      kind: "refused",
      told,
      refusal: { cause: "busy", detail: expect.stringMatching(/^run \d+$/) },
    });

    it("waits its turn where nothing has begun", async () => {
      expect(await bench.accept({ id: "a" }, busy)).toEqual({ kind: "accepted" });
      expect(await bench.accept({ id: "b" }, busy)).toEqual({ kind: "accepted" });
      expect(await bench.drain()).toEqual(["a", "b"]);
    });

    it("is refused, and the person told once a run", async () => {
      await bench.accept({ id: "a" }, busy);
      const job = await bench.claimOne();
      const limits = [{ scope: "user", key: "U1", messages: 1, perMs: HOUR_MS }] as const;
      expect(await bench.accept({ id: "b" }, { ...busy, limits })).toMatchObject(refused(true));
      expect(await bench.accept({ id: "c" }, { ...busy, limits })).toMatchObject(refused(false));
      const notice = await bench.claimOne();
      expect(notice).toMatchObject({ event: { id: "b" }, kind: "notice", refusal: { cause: "busy" } });
      await bench.store.queue.settle(notice, { kind: "dropped", cause: "busy" });
      expect(await stateOf("c")).toEqual(["dropped", null]);
      await bench.done(job);
      // What was refused has used up no allowance.
      expect(await bench.accept({ id: "d" }, { ...busy, limits })).toEqual({ kind: "accepted" });
      const next = await bench.claimOne();
      expect(await bench.accept({ id: "e" }, busy)).toMatchObject(refused(true));
      await bench.store.queue.settle(next, { kind: "retry", afterMs: 1_000, cause: "x" });
      expect(await bench.accept({ id: "f" }, busy)).toMatchObject(refused(false));
    });

    it("is refused also while the run is parked", async () => {
      await bench.accept({ id: "a" }, busy);
      const untilMs = bench.clock.nowMs() + HOUR_MS;
      await bench.store.queue.settle(await bench.claimOne(), {
        kind: "park",
        untilMs,
        progress: aProgress("x"),
      });
      expect(await bench.accept({ id: "b" }, busy)).toMatchObject(refused(true));
    });

    it("is told to nobody who may not be told", async () => {
      await bench.accept({ id: "a" }, busy);
      await bench.claimOne();
      expect(await bench.accept({ id: "b" }, { ...busy, isTold: false })).toMatchObject(refused(false));
    });

    it("is no other than one that waits, where another run is in hand", async () => {
      await bench.accept({ id: "a", conversation: "c2" }, busy);
      await bench.claimOne();
      expect(await bench.accept({ id: "b" }, busy)).toEqual({ kind: "accepted" });
      expect(await bench.accept({ id: "c", conversation: "c2" }, { busy: "queue" })).toEqual({
        kind: "accepted",
      });
    });
  });
}
