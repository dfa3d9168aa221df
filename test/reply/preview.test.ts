import { setImmediate as turn } from "node:timers/promises";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { Slots } from "../../adapters/shared/pace.ts";
import { Breakers } from "../../src/domain/breaker.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { ReplyAddress } from "../../src/domain/event.ts";
import type { ReplyPart } from "../../src/domain/reply.ts";
import type { Job } from "../../src/ports/queue.ts";
import { growing, type Preview, Previews, type ShowingDeps } from "../../src/reply/preview.ts";
import { Secret } from "../../src/shared/secret.ts";
import type { InlineStore } from "../../src/store/sqlite/inline.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { FakeAdapter, failing } from "../support/adapter.ts";
import { FakeClock } from "../support/clock.ts";
import { countOf } from "../support/metrics.ts";
import { aJob, LEASE_MS, nextAttempt, openTestStore } from "../support/store.ts";

const EVERY_MS = 1_000;
const LONG = "This is the beginning of a long answer";
const limited = new DeliveryError("retry", "slow down", { status: 429, retryAfterMs: 5_000 });
const busy = new DeliveryError("retry", "busy", { status: 503 });
const cut = new DeliveryError("unknown", "connection lost");

let clock: FakeClock;
let store: InlineStore;
let chat: FakeAdapter;
let deps: ShowingDeps;
let metrics: ReturnType<typeof createMetrics>;
let job: Job;
let preview: Preview;
/** Each place has its own. */
let slots: Slots;

beforeEach(async () => {
  clock = new FakeClock();
  store = await openTestStore(clock);
  chat = new FakeAdapter("slack").canEdit();
  chat.previewInMs = () => slots.take(clock.nowMs());
  metrics = createMetrics();
  deps = {
    outbox: store.outbox,
    breakers: new Breakers(clock),
    isHeld: async () => true,
    leftMs: () => LEASE_MS,
    log: silentLogger(),
  };
  job = await aJob(store);
  begin();
});

function begin(agents = ["assistant"]): void {
  slots = new Slots(EVERY_MS);
  const previews = new Previews({
    agents: new Set(agents),
    render: (to, text, at) => to.render(text, at),
    clock,
    metrics,
  });
  const begun = previews.begin(job, "assistant", chat, deps, new AbortController().signal);
  if (begun === undefined) throw new Error("Expected a preview, got none");
  preview = begun;
  onTestFinished(() => preview.end());
}

/** Time passes, and what is due by then is done. */
async function pass(ms: number): Promise<void> {
  clock.advance(ms);
  for (let round = 0; round < 20; round++) await turn();
}

const partId = () => `${job.event.id}/0`;
const shown = () => chat.sends.map(({ part }) => part as string);
const edited = () => chat.edits.map(({ delivery }) => delivery.part as string);
const counted = (outcome: string) => countOf(metrics, "previews", { platform: "slack", outcome });

describe("an answer while it grows", () => {
  it("is rendered for the place as that takes what grows", async () => {
    const places: string[] = [];
    const render = chat.render.bind(chat);
    chat.render = (markdown: string, to?: ReplyAddress) => {
      places.push(to ?? "nowhere");
      return render(markdown, to);
    };
    chat.growingAt = (to) => `${to}, growing` as ReplyAddress;
    preview.show(LONG);
    await pass(500);
    expect(places).toEqual([`${job.event.replyTo}, growing`]);
    expect(chat.sends.map(({ to }) => to)).toEqual([job.event.replyTo]);
  });

  it("is shown once it has taken half a second, then changed as often as the platform takes it, the latest text first", async () => {
    preview.show(LONG);
    await pass(499);
    expect(shown()).toEqual([]);
    await pass(1);
    expect(shown()).toEqual(["This is the beginning of a long …"]);
    for (const more of [" that goes", " that goes on and", " that goes on and on "]) {
      preview.show(LONG + more);
      await pass(300);
    }
    expect(edited()).toEqual([]);
    await pass(100);
    expect(edited()).toEqual([`${LONG} that goes on and on …`]);
    await pass(10 * EVERY_MS);
    expect(edited()).toHaveLength(1);
    preview.show(`${LONG} that goes on and on and on `);
    await pass(0);
    expect(edited()).toHaveLength(2);
    expect(chat.edits[1]?.receipt).toEqual({ messageId: "m0", via: "fake" });
    expect(await store.outbox.reserve(job, partId())).toEqual({
      kind: "shown",
      receipt: { messageId: "m0", via: "fake" },
    });
    expect([await counted("shown"), await counted("edited")]).toEqual([1, 2]);
  });

  it("that is there at once costs nothing: no reservation, no call, no timer that is left", async () => {
    preview.show(LONG);
    await preview.end();
    await pass(10_000);
    expect(chat.sends).toEqual([]);
    expect(clock.sleeping).toBe(0);
    expect(await store.outbox.reserve(job, partId())).toEqual({ kind: "fresh", sendsBefore: 0 });
  });

  it("that comes at once after a long thought is not shown before it is whole", async () => {
    await pass(5_000);
    preview.show(LONG);
    await pass(19);
    await preview.end();
    await pass(10_000);
    expect(chat.sends).toEqual([]);
  });

  it("is not shown for a few letters, and not changed for nothing", async () => {
    preview.show("Well, that is ");
    await pass(600);
    expect(shown()).toEqual([]);
    preview.show("Well, that is a thing ");
    await pass(EVERY_MS);
    expect(shown()).toEqual(["Well, that is a thing …"]);
    preview.show("Well, that is a thing wor");
    await pass(EVERY_MS);
    expect(edited()).toEqual([]);
  });

  it("is replaced by the answer after a tool", async () => {
    preview.show("Let me look that up for you. ");
    await pass(500);
    preview.show("");
    await pass(EVERY_MS);
    preview.show("It is raining in Oslo now, ");
    await pass(EVERY_MS);
    expect(edited()).toEqual(["It is raining in Oslo now, …"]);
  });

  it("is shown as far as it fits into one message", async () => {
    chat.render = (text) => (text.match(/[\s\S]{1,60}/g) ?? []) as unknown as readonly ReplyPart[];
    preview.show(`${LONG} `);
    await pass(500);
    preview.show(`${LONG} that does not fit into sixty letters `);
    await pass(EVERY_MS);
    preview.show(`${LONG} that does not fit into sixty letters at all `);
    await pass(EVERY_MS);
    expect([shown(), edited()]).toEqual([[`${LONG} …`], []]);
  });

  it("has one call on its way at a time, and ends with it", async () => {
    const arrival = Promise.withResolvers<void>();
    chat.fates.push(async () => {
      await arrival.promise;
      return { messageId: "m7", via: "fake" };
    });
    preview.show(`${LONG} `);
    await pass(500);
    preview.show(`${LONG} that goes on `);
    await pass(10 * EVERY_MS);
    expect([chat.sends.length, chat.edits.length]).toEqual([1, 0]);
    let hasEnded = false;
    const ending = preview.end().then(() => {
      hasEnded = true;
    });
    await pass(0);
    expect(hasEnded).toBe(false);
    arrival.resolve();
    await ending;
    await pass(10 * EVERY_MS);
    expect(chat.edits).toEqual([]);
    expect(await store.outbox.reserve(job, partId())).toMatchObject({
      kind: "shown",
      receipt: { messageId: "m7" },
    });
  });

  it("leaves the place to what is said beside it, until there is more to show", async () => {
    preview.show(`${LONG} `);
    await preview.pause();
    await pass(10 * EVERY_MS);
    expect([chat.sends, clock.sleeping]).toEqual([[], 0]);
    preview.show(`${LONG} that goes `);
    await pass(0);
    const arrival = Promise.withResolvers<void>();
    chat.editFates.push(async () => {
      await arrival.promise;
      return { messageId: "m0", via: "fake" };
    });
    preview.show(`${LONG} that goes on `);
    await pass(EVERY_MS);
    preview.show(`${LONG} that goes on and on `);
    const paused = preview.pause();
    arrival.resolve();
    await paused;
    await pass(10 * EVERY_MS);
    expect([chat.sends.length, edited()]).toEqual([1, [`${LONG} that goes on …`]]);
  });

  it("goes on in the message that an earlier attempt has shown", async () => {
    await store.outbox.reserve(job, partId());
    const receipt = { messageId: "m3", via: "fake" };
    await store.outbox.record(partId(), { kind: "shown", receipt });
    job = await nextAttempt(store, job);
    begin();
    preview.show(`${LONG} `);
    await pass(500);
    expect(chat.sends).toEqual([]);
    expect(chat.edits).toMatchObject([{ receipt, delivery: { part: `${LONG} …` } }]);
  });

  it("is not shown beside what may have been said, nor without the lease", async () => {
    await store.outbox.reserve(job, partId());
    job = await nextAttempt(store, job);
    begin();
    preview.show(`${LONG} `);
    await pass(500);
    expect([chat.sends, chat.edits]).toEqual([[], []]);
    const other = await aJob(store, { id: "slack:other", conversation: "other" });
    job = other;
    deps = { ...deps, isHeld: async () => false };
    begin();
    preview.show(`${LONG} `);
    await pass(500);
    expect(chat.sends).toEqual([]);
    expect(await store.outbox.reserve(other, partId())).toEqual({ kind: "fresh", sendsBefore: 1 });
  });

  it("is left out while the platform asks for a pause, and no longer", async () => {
    chat.fates.push(failing(limited));
    preview.show(`${LONG} `);
    await pass(500);
    preview.show(`${LONG} that goes `);
    await pass(4_999);
    expect(chat.sends).toHaveLength(1);
    await pass(1);
    expect(shown()).toEqual([`${LONG} …`, `${LONG} that goes …`]);
    expect(await counted("throttled")).toBe(1);
    expect(await countOf(metrics, "platform429", { platform: "slack" })).toBe(1);
  });

  it("is tried again after a failure that passes, and given up after one that leaves a doubt", async () => {
    chat.fates.push(failing(busy), failing(cut));
    preview.show(`${LONG} `);
    await pass(500);
    preview.show(`${LONG} that goes `);
    await pass(EVERY_MS);
    preview.show(`${LONG} that goes on `);
    await pass(10 * EVERY_MS);
    expect(chat.sends).toHaveLength(2);
    expect(await store.outbox.reserve(job, partId())).toMatchObject({ kind: "in-doubt" });
    expect(await counted("failed")).toBe(2);
  });

  it("is not shown on a platform that is left alone, nor for an agent or a place without previews", async () => {
    const breakers = new Breakers(clock);
    deps = { ...deps, breakers };
    for (let n = 0; n < 10; n++) breakers.of("slack").enter()("failed");
    begin();
    preview.show(`${LONG} `);
    await pass(500);
    expect(chat.sends).toEqual([]);
    const none = (agents: readonly string[], to: FakeAdapter) =>
      new Previews({ agents: new Set(agents), render: () => [], clock, metrics }).begin(
        job,
        "assistant",
        to,
        deps,
        new AbortController().signal,
      );
    expect(none(["another"], chat)).toBeUndefined();
    expect(none(["assistant"], new FakeAdapter("slack"))).toBeUndefined();
    chat.previewInMs = () => null;
    deps = { ...deps, breakers: new Breakers(clock) };
    begin();
    preview.show(`${LONG} `);
    await pass(500);
    preview.show(`${LONG} that goes on `);
    await pass(10 * EVERY_MS);
    expect([chat.sends.length, clock.sleeping]).toEqual([0, 0]);
  });
});

describe("what is shown of a text that goes on", () => {
  it.each([
    ["One two thr", "One two …"],
    ["One two ", "One two …"],
    ["   ", ""],
    ["word", ""],
    ["日本語の文章は空白なし", "日本語の文章は空白なし …"],
    ["Some code:\n\n```ts\nconst a = 1;\n```\n", "Some code:\n\n```ts\nconst a = 1;\n```\n\n…"],
    ["| a | b |\n|---|---|\n| 1 | 2 |\n", "| a | b |\n|---|---|\n| 1 | 2 |\n\n…"],
    ["A heading\n\n---\n", "A heading\n\n---\n\n…"],
    ["### 1.1 Ways in", "### 1.1 Ways …"],
    ["### ", "###\n\n…"],
    ["half a pair \ud83d", "half a pair \ufffd …"],
  ])("of %j is %j", (text, expected) => {
    expect(growing(text)).toBe(expected);
  });

  it("holds no secret, and not the beginning of one", () => {
    const secret = new Secret("preview-secret-93ab");
    expect(growing(`The key is ${secret.reveal().slice(0, 9)}`)).toBe("The key is …");
    expect(growing(`The key is ${secret.reveal()} and `)).toBe("The key is *** and …");
  });

  it("is bounded, however long the text is", () => {
    expect(growing("word ".repeat(100_000)).length).toBeLessThan(3_003);
    expect(growing("x".repeat(100_000))).toBe("");
  });
});
