import { beforeEach, describe, expect, it } from "vitest";
import { createAcquaintances } from "../src/admit/people.ts";
import type { AdmissionPolicy } from "../src/admit/policy.ts";
import { GatewayError } from "../src/domain/errors.ts";
import type { Person, TriggerEvent } from "../src/domain/event.ts";
import { type GatewayDeps, receive, take } from "../src/gateway.ts";
import type { ChoiceQuestion, Inbound, Verdict } from "../src/ports/adapter.ts";
import type { Desk } from "../src/ports/desk.ts";
import type { InlineStore } from "../src/store/sqlite/inline.ts";
import { createMetrics } from "../src/telemetry/metrics.ts";
import { rawRequest } from "./contract/raw-request.ts";
import { FakeAdapter } from "./support/adapter.ts";
import { FakeClock } from "./support/clock.ts";
import { NO_DESK } from "./support/desk.ts";
import { anEvent } from "./support/event.ts";
import { countOf } from "./support/metrics.ts";
import { everywhere, OPEN } from "./support/policy.ts";
import { claimAll, claimOne, openTestStore } from "./support/store.ts";

const ACK = { status: 200, contentType: "application/json", body: '{"ok":true}' };
let clock: FakeClock;
let store: InlineStore;
let slack: FakeAdapter;
let policy: AdmissionPolicy;
let isPaused: boolean;
let deps: GatewayDeps;

beforeEach(async () => {
  clock = new FakeClock();
  store = await openTestStore(clock, { waitingPerLaneMax: 2, waitingMax: 4 });
  slack = new FakeAdapter("slack");
  isPaused = false;
  policy = {
    platforms: everywhere(OPEN),
    limits: { user: null, conversation: null, tenant: null, global: null },
    routes: [{ match: {}, agent: "assistant" }],
    agents: new Map(),
    maxAgeMs: 86_400_000,
    noticeWindowMs: 600_000,
    isPaused: () => isPaused,
  };
  deps = {
    inbox: store.inbox,
    people: createAcquaintances(store.people),
    policy,
    lanes: store.lanes,
    memory: store.memory,
    desk: NO_DESK,
    clock,
    metrics: createMetrics(),
  };
});

function post() {
  const sample = { method: "POST", path: "/webhooks/slack", headers: {}, body: "{}" } as const;
  return receive(rawRequest(sample, { nowMs: clock.nowMs() }), slack, deps);
}

function postOf(inbound: Inbound) {
  slack.inbound = inbound;
  return post();
}

function postEvents(events: readonly Partial<TriggerEvent>[], ignored: readonly string[] = []) {
  return postOf({ kind: "events", events: events.map(anEvent), ignored, ack: ACK });
}

const name = (id: string) => ({ id, conversation: `whatsapp:W1:PN1:${id}` });
/** A message of somebody with these names. */
function postFrom(lasting: string | null, passing: string | null, id: string) {
  const person = { lasting: lasting && name(lasting), passing: passing && name(passing) };
  const sender = lasting ?? passing ?? "";
  return postEvents([
    {
      id,
      platform: "whatsapp",
      isDirect: true,
      trigger: "direct",
      conversation: name(sender).conversation,
      sender: { id: sender, name: "Ann", isBot: false },
      person: person as Person,
    },
  ]);
}

it("an event keeps the id of the request that brought it, for whoever runs it", async () => {
  slack.inbound = { kind: "events", events: [anEvent({ id: "a" })], ignored: [], ack: ACK };
  const sample = { method: "POST", path: "/webhooks/slack", headers: {}, body: "{}" } as const;
  const request = { ...rawRequest(sample, { nowMs: clock.nowMs() }), requestId: "req_1" };
  await receive(request, slack, deps);
  expect((await claimOne(store.queue)).event).toMatchObject({ id: "a", requestId: "req_1" });
});

describe("what was taken back", () => {
  it("is withdrawn before the acknowledgement, and what takes its place is accepted", async () => {
    await postEvents([{ id: "a" }]);
    const edited = { kind: "events", events: [anEvent({ id: "a:edit" })], ignored: [], ack: ACK } as const;
    expect(await postOf({ ...edited, withdrawn: ["a"] })).toMatchObject({ outcome: "accepted" });
    expect((await claimOne(store.queue)).signals).toEqual([{ kind: "withdraw", eventId: "a" }]);
    const deleted = { kind: "ignored", reason: "message_deleted", withdrawn: ["a:edit"], ack: ACK } as const;
    expect(await postOf(deleted)).toMatchObject({ outcome: "ignored", ack: ACK });
    expect(await postOf(deleted)).toMatchObject({ outcome: "ignored", ack: ACK });
  });

  it("is seen to beside what is shown meanwhile, for which the acknowledgement does not wait", async () => {
    const shown: unknown[] = [];
    const aside = async (desk: Desk) => {
      shown.push(desk);
      await new Promise(() => {});
    };
    const opened = { kind: "ignored", reason: "app_home_opened", ack: ACK, aside } as const;
    expect(await postOf(opened)).toEqual({
      outcome: "ignored",
      reason: "app_home_opened",
      ack: ACK,
      events: 0,
    });
    expect(shown).toEqual([NO_DESK]);
  });

  it("is not acknowledged while the store cannot take it", async () => {
    const withdraw = () => Promise.reject(new GatewayError("STORE_UNAVAILABLE", "away"));
    deps = { ...deps, memory: { withdraw } };
    const away = { outcome: "unavailable", ack: { status: 503 }, reason: "STORE_UNAVAILABLE" };
    const withdrawn = ["a"];
    expect(await postOf({ kind: "ignored", reason: "x", withdrawn, ack: ACK })).toMatchObject(away);
    const events = [anEvent({ id: "b" })];
    expect(await postOf({ kind: "events", events, ignored: [], withdrawn, ack: ACK })).toMatchObject(away);
    expect(await claimAll(store.queue)).toEqual([]);
  });
});

describe("a person with a number and an id", () => {
  it("stays in one conversation, and is let in by either", async () => {
    const numbers = { ...OPEN, directMessages: new Set(["447700900123"]) };
    policy = { ...policy, platforms: { ...policy.platforms, whatsapp: numbers } };
    deps = { ...deps, policy };
    for (const [id, lasting, passing] of [
      ["a", null, "447700900123"],
      ["b", "GB.A1", "447700900123"],
      ["c", "GB.A1", null],
    ] as const) {
      expect(await postFrom(lasting, passing, id)).toMatchObject({
        outcome: "accepted",
        conversation: name("447700900123").conversation,
      });
      const job = await claimOne(store.queue);
      expect(job.event.conversation).toBe(name("447700900123").conversation);
      expect(job.lane).toBe(job.event.conversation);
      expect(job.event).not.toHaveProperty("person");
      await store.queue.settle(job, { kind: "done", outcome: "answered", turns: [] });
    }
    expect(await postFrom("GB.B2", null, "d")).toMatchObject({ outcome: "refused" });
  });

  it("is learnt also where nothing was said", async () => {
    const person = { lasting: name("GB.A1"), passing: name("447700900123") };
    await postFrom(null, "447700900123", "a");
    await postOf({ kind: "ignored", reason: "status_read", ack: ACK, people: [person] });
    await postFrom("GB.A1", null, "b");
    const jobs = await claimAll(store.queue);
    expect(jobs.map(({ lane }) => lane)).toEqual([name("447700900123").conversation]);
  });

  it("that cannot be looked up is answered 503, so that the message comes again", async () => {
    const away = async () => {
      throw new GatewayError("STORE_WRITE_FAILED", "disk");
    };
    deps = { ...deps, people: createAcquaintances({ settle: away }) };
    expect(await postFrom("GB.A1", null, "a")).toMatchObject({
      outcome: "unavailable",
      ack: { status: 503 },
      reason: "STORE_WRITE_FAILED",
    });
    expect(await stored()).toEqual([]);
  });
});

const queued = async () => (await claimAll(store.queue)).map(({ event }) => event.id);
const stored = async () => (await store.journal.list({ limit: 100 })).map(({ id, state }) => [id, state]);

describe("a request that is not genuine", () => {
  it.each<[Verdict, number, string]>([
    [{ kind: "forged", reason: "missing X" }, 401, "forged"],
    [{ kind: "stale", reason: "X is old" }, 401, "stale"],
    [{ kind: "refused", reason: "X does not match" }, 403, "handshake-refused"],
    [{ kind: "probe" }, 200, "handshake"],
  ])("is answered and never parsed, and its cause is told: %o is %i", async (verdict, status, outcome) => {
    slack.verdict = verdict;
    const cause = "reason" in verdict ? { reason: verdict.reason } : {};
    expect(await postEvents([{}])).toEqual({ outcome, ack: { status }, events: 0, ...cause });
    expect(slack.parsed).toBe(0);
    expect(await stored()).toEqual([]);
  });

  it("is what a verifier that stumbles over it makes it", async () => {
    slack.verdict = () => {
      throw new TypeError("x is not a function");
    };
    expect(await postEvents([{}])).toEqual({
      outcome: "forged",
      ack: { status: 401 },
      reason: "the verifier failed",
      events: 0,
    });
    expect(slack.parsed).toBe(0);
  });
});

describe("a genuine request", () => {
  it("that is malformed is 400 with what was wrong", async () => {
    expect(await postOf({ kind: "malformed", message: "Expected an object, got []" })).toEqual({
      outcome: "malformed",
      ack: { status: 400 },
      reason: "Expected an object, got []",
      events: 0,
    });
  });

  it("of another media type is 415 with what is taken", async () => {
    const reception = await postOf({ kind: "unsupported", message: "Expected application/json" });
    expect(reception).toMatchObject({
      outcome: "unsupported",
      ack: { status: 415 },
      reason: expect.stringMatching(/application/),
    });
  });

  it("that shakes hands gets its platform's answer", async () => {
    const ack = { status: 200, body: "challenge" };
    expect(await postOf({ kind: "handshake", ack })).toEqual({ outcome: "handshake", ack, events: 0 });
  });

  it("that is no trigger is acknowledged and counted by its reason", async () => {
    expect(await postOf({ kind: "ignored", reason: "own_message", ack: ACK })).toEqual({
      outcome: "ignored",
      ack: ACK,
      reason: "own_message",
      events: 0,
    });
    expect(await countOf(deps.metrics, "ignored", { platform: "slack", reason: "own_message" })).toBe(1);
    expect(await stored()).toEqual([]);
  });
});

describe("an event", () => {
  it("is stored before it is acknowledged", async () => {
    const stores = Promise.withResolvers<void>();
    let isAcknowledged = false;
    deps = {
      ...deps,
      inbox: {
        async accept(offer) {
          await stores.promise;
          return await store.inbox.accept(offer);
        },
      },
    };
    const reception = postEvents([{ id: "slack:1" }]).finally(() => {
      isAcknowledged = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(isAcknowledged).toBe(false);
    stores.resolve();
    expect(await reception).toEqual({
      outcome: "accepted",
      ack: ACK,
      eventId: "slack:1",
      conversation: "slack:T1:C1",
      events: 1,
    });
    expect(await queued()).toEqual(["slack:1"]);
  });

  it("delivered again is acknowledged and not queued again", async () => {
    await postEvents([{ id: "slack:1" }]);
    expect(await postEvents([{ id: "slack:2", aliases: ["slack:1"] }])).toMatchObject({
      outcome: "duplicate",
      ack: ACK,
    });
    expect(await queued()).toEqual(["slack:1"]);
    expect(await countOf(deps.metrics, "duplicates", { platform: "slack" })).toBe(1);
  });

  it("that is not for the bot is acknowledged, counted, and not stored", async () => {
    expect(await postEvents([{ trigger: "ambient" }])).toMatchObject({
      outcome: "ignored",
      ack: ACK,
      reason: "not_addressed",
    });
    expect(await postEvents([{ trigger: "thread" }])).toMatchObject({ outcome: "ignored", ack: ACK });
    expect(await postEvents([{ sender: { id: "B1", name: "bot", isBot: true } }])).toMatchObject({
      outcome: "ignored",
      reason: "bot",
    });
    expect(await stored()).toEqual([]);
    expect(await countOf(deps.metrics, "ignored", { reason: "not_addressed" })).toBe(2);
    expect(await countOf(deps.metrics, "ignored", { reason: "bot" })).toBe(1);
  });

  it("in a thread that the bot takes part in is accepted without a mention", async () => {
    await postEvents([{ id: "slack:1" }]);
    await queued();
    expect(await postEvents([{ id: "slack:2", trigger: "thread" }])).toMatchObject({ outcome: "accepted" });
  });
});

describe("a refused event", () => {
  it("by policy is acknowledged, recorded and counted, and told but once", async () => {
    isPaused = true;
    const refusal = { cause: "paused", detail: "kill_switch" };
    expect(await postEvents([{ id: "slack:1" }])).toMatchObject({
      outcome: "refused",
      ack: ACK,
      reason: "paused: kill_switch",
      refusal,
    });
    expect(await postEvents([{ id: "slack:2" }])).toMatchObject({ outcome: "refused", ack: ACK });
    const jobs = await claimAll(store.queue);
    expect(jobs.map(({ event, refusal }) => [event.id, refusal?.cause])).toEqual([["slack:1", "paused"]]);
    expect(await stored()).toContainEqual(["slack:2", "dropped"]);
    expect(await countOf(deps.metrics, "refusals", { platform: "slack", cause: "paused" })).toBe(2);
  });

  it("of an installation that is not ours is acknowledged and recorded, never run and never told", async () => {
    slack.serves = ({ tenant }) => tenant === "T1";
    expect(await postEvents([{ tenant: "T2" }])).toMatchObject({
      outcome: "refused",
      ack: ACK,
      reason: "not_installed: tenant T2",
    });
    expect(await stored()).toEqual([["slack:T1:C1:1", "dropped"]]);
    expect(await queued()).toEqual([]);
    expect(await store.journal.find("slack:T1:C1:1")).toMatchObject({ cause: "not_installed" });
  });

  it("that may turn out to be of another is taken while nobody knows", async () => {
    slack.serves = () => null;
    expect(await postEvents([{}])).toMatchObject({ outcome: "accepted" });
  });

  it("whose sender has been told before gets the answer of a platform that waits for one", async () => {
    isPaused = true;
    const untoldAck = { status: 200, body: "not this either" };
    const postOne = (id: string) =>
      postOf({ kind: "events", events: [anEvent({ id })], ignored: [], ack: ACK, untoldAck });
    expect(await postOne("slack:1")).toMatchObject({ outcome: "refused", ack: ACK });
    expect(await postOne("slack:2")).toMatchObject({ outcome: "refused", ack: untoldAck });
    expect(await postOne("slack:1")).toMatchObject({ outcome: "duplicate", ack: ACK });
    isPaused = false;
    expect(await postOne("slack:3")).toMatchObject({ outcome: "accepted", ack: ACK });
  });

  it("by a rate limit is acknowledged and counted by whose limit it was", async () => {
    const user = { messages: 1, perMs: 60_000 };
    deps = { ...deps, policy: { ...policy, limits: { ...policy.limits, user } } };
    await postEvents([{ id: "slack:1" }]);
    expect(await postEvents([{ id: "slack:2" }])).toMatchObject({
      outcome: "refused",
      ack: ACK,
      reason: "rate_limited: user",
      refusal: { cause: "rate_limited", retryAfterMs: 60_000 },
    });
    expect(await countOf(deps.metrics, "rateLimited", { platform: "slack", scope: "user" })).toBe(1);
    expect(await countOf(deps.metrics, "refusals", { cause: "rate_limited" })).toBe(1);
  });
});

describe("an event that is ignored after all", () => {
  it("gets the answer of a platform that would wait for a reply", async () => {
    const ack = { status: 200, body: "thinking" };
    const untoldAck = { status: 200, body: "nothing follows" };
    const events = [anEvent({ trigger: "ambient" })];
    const inbound = { kind: "events", events, ignored: [], ack, untoldAck } as const;
    expect(await postOf(inbound)).toMatchObject({ outcome: "ignored", ack: untoldAck });
    const ignoredAck = { status: 200, body: "not for me" };
    expect(await postOf({ ...inbound, ignoredAck })).toMatchObject({ outcome: "ignored", ack: ignoredAck });
  });

  it("beside one that was refused without a word gets the answer of a platform that would wait", async () => {
    slack.serves = ({ tenant }) => tenant === "T1";
    const untoldAck = { status: 200, body: "nothing follows" };
    const events = [
      anEvent({ id: "slack:1", trigger: "thread", conversation: "slack:T1:C1:unknown" }),
      anEvent({ id: "slack:2", tenant: "T2" }),
    ];
    expect(await postOf({ kind: "events", events, ignored: [], ack: ACK, untoldAck })).toMatchObject({
      outcome: "refused",
      ack: untoldAck,
      others: [{ outcome: "ignored", reason: "not_addressed" }],
    });
  });

  it("is not remembered by its adapter, and one that is stored is, once", async () => {
    const heard: string[] = [];
    slack.accepted = ({ id }) => void heard.push(id);
    await postEvents([{ id: "slack:1", trigger: "ambient" }, { id: "slack:2" }]);
    await postEvents([{ id: "slack:2" }]);
    isPaused = true;
    await postEvents([{ id: "slack:3" }]);
    expect(heard).toEqual(["slack:2"]);
  });
});

describe("a store that cannot take an event", () => {
  it("is 503, so that the platform sends it again", async () => {
    const accept = () => Promise.reject(new GatewayError("STORE_WRITE_FAILED", "disk full"));
    deps = { ...deps, inbox: { accept } };
    expect(await postEvents([{}])).toMatchObject({
      outcome: "unavailable",
      ack: { status: 503 },
      reason: "STORE_WRITE_FAILED",
    });
  });

  it("because too much waits is 503, and what did not fit is not stored", async () => {
    for (const n of [1, 2]) await postEvents([{ id: `slack:${n}` }]);
    expect(await postEvents([{ id: "slack:3" }])).toMatchObject({
      outcome: "unavailable",
      ack: { status: 503 },
      reason: "QUEUE_FULL",
    });
    expect(await stored()).not.toContainEqual(["slack:3", "queued"]);
    await store.queue.settle(await claimOne(store.queue), { kind: "dead", cause: "test" });
    expect(await postEvents([{ id: "slack:3" }])).toMatchObject({ outcome: "accepted", ack: ACK });
  });
});

describe("what comes without a request, as by a socket", () => {
  const inbound = (id: string): Inbound => ({
    kind: "events",
    events: [anEvent({ id })],
    ignored: [],
    ack: ACK,
  });

  it("is taken as a webhook is, and is the same event as the webhook's", async () => {
    expect(await take(inbound("slack:1"), slack, deps)).toMatchObject({ outcome: "accepted", ack: ACK });
    expect(await postEvents([{ id: "slack:1" }])).toMatchObject({ outcome: "duplicate" });
    expect(await stored()).toEqual([["slack:1", "queued"]]);
    expect(slack.parsed).toBe(1);
  });

  it("is unavailable when it could not be stored", async () => {
    const accept = () => Promise.reject(new GatewayError("STORE_WRITE_FAILED", "disk full"));
    const reception = await take(inbound("slack:1"), slack, { ...deps, inbox: { accept } });
    expect(reception).toMatchObject({ outcome: "unavailable", reason: "STORE_WRITE_FAILED" });
  });
});

describe("a batch", () => {
  it("is stored in its order, and what it ignores is counted", async () => {
    const ids = ["slack:1", "slack:2"];
    slack.ignored = { status_read: "A message of the bot was read." };
    const reception = await postEvents(
      ids.map((id) => ({ id })),
      ["status_read", "status_read", "edit"],
    );
    expect(reception).toMatchObject({ outcome: "accepted", events: 2, eventId: "slack:1" });
    expect((await claimOne(store.queue)).event.id).toBe("slack:1");
    expect(await countOf(deps.metrics, "ignored", { reason: "status_read" })).toBe(2);
    expect(await countOf(deps.metrics, "ignored", { reason: "edit" })).toBe(1);
  });

  it("shares one commit", async () => {
    const ticks: number[] = [];
    let tick = 0;
    deps = {
      ...deps,
      inbox: {
        async accept() {
          ticks.push(tick);
          await new Promise((resolve) => setImmediate(resolve));
          tick += 1;
          return { kind: "accepted" };
        },
      },
    };
    await postEvents([{ id: "slack:1" }, { id: "slack:2" }, { id: "slack:3" }]);
    expect(ticks).toEqual([0, 0, 0]);
  });

  it("of which a part could not be stored is 503 as a whole, and coming again it runs nothing twice", async () => {
    const batch = ["1", "2", "3"].map((n) => ({ id: `slack:${n}` }));
    expect(await postEvents(batch)).toMatchObject({ outcome: "unavailable", ack: { status: 503 } });
    await store.queue.settle(await claimOne(store.queue), { kind: "dead", cause: "test" });

    expect(await postEvents(batch)).toMatchObject({ outcome: "accepted", ack: ACK });
    expect(await stored()).toHaveLength(3);
    expect(await countOf(deps.metrics, "duplicates")).toBe(2);
  });

  it("is named by the worst that happened to it", async () => {
    const bot = { sender: { id: "B1", name: "bot", isBot: true } };
    await postEvents([{ id: "slack:1" }]);
    expect(await postEvents([{ id: "slack:1" }, { id: "slack:2", ...bot }])).toMatchObject({
      outcome: "duplicate",
      ack: ACK,
    });
    expect(await postEvents([{ id: "slack:1" }, { id: "slack:3" }])).toMatchObject({ outcome: "accepted" });
  });

  it("of nothing is ignored", async () => {
    expect(await postEvents([])).toEqual({ outcome: "ignored", ack: ACK, events: 0 });
  });
});

describe("a press that comes to nothing", () => {
  const press = (id: string): TriggerEvent => anEvent({ id, trigger: "button", command: "go" });
  const events = (...all: TriggerEvent[]): Inbound => ({
    kind: "events",
    events: all,
    ignored: [],
    ack: ACK,
  });

  it("is told so when it is nothing that could be run", async () => {
    const awaited = press("x").replyTo;
    slack.inbound = { kind: "ignored", reason: "inline_button", ack: ACK, awaited };
    expect(await post()).toMatchObject({ outcome: "ignored" });
    expect(slack.dismissed).toEqual([awaited]);
  });

  it("is told so when it was refused and no notice will say it", async () => {
    isPaused = true;
    slack.inbound = events(press("a"));
    await post();
    expect(slack.dismissed).toEqual([]);
    slack.inbound = events(press("b"));
    await post();
    expect(slack.dismissed).toEqual([press("b").replyTo]);
  });

  it("is left to whoever runs it when it is taken, also the second time", async () => {
    slack.inbound = events(press("a"));
    await post();
    await post();
    expect(slack.dismissed).toEqual([]);
  });
});

describe("a question for choices", () => {
  const event = anEvent({ id: "slack:typing" });
  const asked: Inbound = {
    kind: "handshake",
    ack: { status: 200, body: "plain" },
    question: {
      source: { agent: "assistant", tool: "t", arguments: {} },
      typed: "a",
      event,
      ackWith: (found) => ({ status: 200, body: found.map(({ name }) => name).join() }),
    },
  };
  const answered = async (given: Inbound) => {
    const findChoices = async () => [{ name: "one", value: 1 }];
    return (await take(given, slack, { ...deps, findChoices })).ack.body;
  };

  it("is answered with what was found, and leaves nothing in the store", async () => {
    expect(await answered(asked)).toBe("one");
    expect((await take(asked, slack, deps)).ack.body).toBe("plain");
  });

  it("is not asked for who may not write there, for a bot, or while all is paused", async () => {
    const { question } = asked as { question: ChoiceQuestion };
    const by = (change: Partial<TriggerEvent>) => ({
      ...asked,
      question: { ...question, event: { ...event, ...change } },
    });
    expect(await answered(by({ sender: { ...event.sender, isBot: true } }))).toBe("plain");
    expect(await answered(by({ rolesDue: true }))).toBe("plain");
    isPaused = true;
    expect(await answered(asked)).toBe("plain");
    isPaused = false;
    deps = { ...deps, policy: { ...policy, platforms: everywhere({ ...OPEN, users: new Set(["U9"]) }) } };
    expect(await answered(asked)).toBe("plain");
  });
});
