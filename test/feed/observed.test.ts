import { beforeEach, describe, expect, it } from "vitest";
import type { Life } from "../../src/feed/life.ts";
import { observedInbox, observedQueue } from "../../src/feed/observed.ts";
import type { Inbox } from "../../src/ports/inbox.ts";
import type { Queue, Settlement } from "../../src/ports/queue.ts";
import type { Store } from "../../src/ports/store.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { anOffer, claimOne, openTestStore } from "../support/store.ts";

let store: Store;
let inbox: Inbox;
let queue: Queue;
let isWatched: boolean;
let told: Life[];

beforeEach(async () => {
  const clock = new FakeClock();
  store = await openTestStore(clock, { waitingPerLaneMax: 2, waitingMax: 2 });
  isWatched = true;
  told = [];
  const feed = {
    get isWatched() {
      return isWatched;
    },
    publish: (life: Life) => void told.push(life),
  };
  inbox = observedInbox(store.inbox, { feed, clock });
  queue = observedQueue(store.queue, { feed, clock });
});

const words = () => told.map(({ state, attempt, detail }) => [state, attempt, detail]);

describe("an observed queue", () => {
  it("shows an acceptance, a claim and the end, without a word of the message", async () => {
    await inbox.accept(anOffer(anEvent({ text: "secret words" })));
    const job = await claimOne(queue);
    expect(await queue.extend(job, 1_000)).toBe(true);
    await queue.settle(job, { kind: "done", outcome: "answered", turns: [] });
    expect(words()).toEqual([
      ["accepted", null, null],
      ["claimed", 1, null],
      ["done", 1, "answered"],
    ]);
    expect(told[0]).toEqual({
      at: "2023-11-14T22:13:20.000Z",
      state: "accepted",
      id: "slack:T1:C1:1",
      platform: "slack",
      tenant: "T1",
      conversation: "slack:T1:C1",
      attempt: null,
      detail: null,
    });
    expect(JSON.stringify(told)).not.toContain("secret");
  });

  it.each<[Settlement, string, string]>([
    [{ kind: "retry", afterMs: 0, cause: "it failed" }, "retrying", "it failed"],
    [{ kind: "defer", afterMs: 0, cause: "paused" }, "deferred", "paused"],
    [{ kind: "dropped", cause: "rate_limited" }, "dropped", "rate_limited"],
    [{ kind: "dead", cause: "gave up" }, "dead", "gave up"],
  ])("shows the settlement %o", async (settlement, state, detail) => {
    await inbox.accept(anOffer(anEvent()));
    await queue.settle(await claimOne(queue), settlement);
    expect(words().at(-1)).toEqual([state, 1, detail]);
  });

  it("shows duplicates and refusals, and not of what was never stored", async () => {
    const refusal = { cause: "too_old", detail: "over 60 s", noticeWindowMs: 0 } as const;
    await inbox.accept(anOffer(anEvent()));
    await inbox.accept(anOffer(anEvent()));
    await inbox.accept(anOffer(anEvent({ id: "slack:old" }), { refusal }));
    await inbox.accept(anOffer(anEvent({ id: "slack:2" })));
    expect(await inbox.accept(anOffer(anEvent({ id: "slack:3" })))).toEqual({ kind: "full" });
    const thread = anEvent({ id: "slack:4", conversation: "slack:other" });
    expect(await inbox.accept(anOffer(thread, { onlyIfKnown: true }))).toMatchObject({
      kind: "unknown-conversation",
    });
    expect(words()).toEqual([
      ["accepted", null, null],
      ["duplicate", null, null],
      ["refused", null, "too_old: over 60 s"],
      ["accepted", null, null],
    ]);
  });

  it.each<[string, Settlement]>([
    ["answered", { kind: "done", outcome: "answered", turns: [] }],
    ["given up", { kind: "dead", cause: "gave up" }],
  ])("shows what was merged into an event that is %s, with the id it went into", async (_, settlement) => {
    for (const id of ["slack:1", "slack:2"])
      await inbox.accept(anOffer(anEvent({ id, isDirect: true }), { busy: "collect" }));
    const first = await claimOne(queue);
    expect(await queue.join(first)).toHaveLength(1);
    await queue.settle(first, { kind: "defer", afterMs: 0, cause: "paused" });
    expect(told.at(-1)).toMatchObject({ id: "slack:1", state: "deferred" });
    // The next holder finds it joined, and need not ask.
    await queue.settle(await claimOne(queue), settlement);
    expect(told.slice(-2)).toMatchObject([
      { id: "slack:1", state: settlement.kind },
      { id: "slack:2", state: "merged", attempt: null, detail: "into slack:1" },
    ]);
  });

  it("shows what was joined in the same attempt as merged", async () => {
    for (const id of ["slack:1", "slack:2"])
      await inbox.accept(anOffer(anEvent({ id, isDirect: true }), { busy: "collect" }));
    const job = await claimOne(queue);
    await queue.join(job);
    await queue.settle(job, { kind: "done", outcome: "answered", turns: [] });
    expect(told.at(-1)).toMatchObject({ id: "slack:2", state: "merged", detail: "into slack:1" });
  });

  it("says nothing of a settlement that came too late", async () => {
    await inbox.accept(anOffer(anEvent()));
    const job = await claimOne(queue);
    await queue.settle(job, { kind: "dead", cause: "gave up" });
    told = [];
    expect(await queue.settle(job, { kind: "dead", cause: "again" })).toBe(false);
    expect(told).toEqual([]);
  });

  it("says nothing while nobody watches, and works all the same", async () => {
    isWatched = false;
    expect(await inbox.accept(anOffer(anEvent()))).toEqual({ kind: "accepted" });
    const job = await claimOne(queue);
    expect(
      await queue.checkpoint(job, { runId: "r", agent: "a", startedAtMs: 0, steps: [], answer: null }),
    ).toBe(true);
    expect(await queue.settle(job, { kind: "done", outcome: "answered", turns: [] })).toBe(true);
    expect(told).toEqual([]);
  });
});
