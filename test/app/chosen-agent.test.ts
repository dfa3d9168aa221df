import { beforeEach, describe, expect, it } from "vitest";
import { createAcquaintances } from "../../src/admit/people.ts";
import type { AdmissionPolicy } from "../../src/admit/policy.ts";
import { chosenAgentFor } from "../../src/app/chosen-agent.ts";
import type { BusyMode } from "../../src/domain/busy.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import { take } from "../../src/gateway.ts";
import { createAgentChoices } from "../../src/store/agent-choices.ts";
import type { InlineStore } from "../../src/store/sqlite/inline.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { FakeAdapter } from "../support/adapter.ts";
import { FakeClock } from "../support/clock.ts";
import { NO_DESK } from "../support/desk.ts";
import { anEvent } from "../support/event.ts";
import { everywhere, OPEN } from "../support/policy.ts";
import { claimAll, openTestStore } from "../support/store.ts";

let clock: FakeClock;
let store: InlineStore;
let paused: string[];
let looks: number;

beforeEach(async () => {
  clock = new FakeClock();
  store = await openTestStore(clock);
  paused = [];
  looks = 0;
});

/** Everything is for `assistant`, which does not mind; anybody may choose `ops`. */
async function said(changes: Partial<TriggerEvent> = {}, busyOfOps: BusyMode = "queue", find = found) {
  const policy: AdmissionPolicy = {
    platforms: everywhere(OPEN),
    limits: { user: null, conversation: null, tenant: null, global: null },
    routes: [{ match: {}, agent: "assistant" }],
    agents: new Map([
      ["assistant", "queue"],
      ["ops", busyOfOps],
    ]),
    chosenBy: new Map([
      ["assistant", "routes"],
      ["ops", "any"],
    ]),
    maxAgeMs: null,
    noticeWindowMs: 600_000,
    isPaused: (of) => of?.agent != null && paused.includes(of.agent),
  };
  const events = [anEvent({ occurredAtMs: clock.nowMs(), ...changes })];
  const deps = {
    ...{ inbox: store.inbox, people: createAcquaintances(store.people), policy, lanes: store.lanes },
    chosenAgent: chosenAgentFor({ policy: () => policy, choices: { find }, clock }),
    ...{ memory: store.memory, desk: NO_DESK, clock, metrics: createMetrics() },
  };
  const ack = { status: 200 } as const;
  return await take({ kind: "events", events, ignored: [], ack }, new FakeAdapter("slack"), deps);
}

const choices = () => createAgentChoices(store.vault, clock);
const found = (conversation: string) => {
  looks++;
  return choices().find(conversation);
};
const choose = (agent: string) => choices().choose(anEvent().conversation, { agent });
const PAUSED = { outcome: "refused", reason: "paused: kill_switch" };
const ACCEPTED = { outcome: "accepted" };

describe("where another agent was chosen", () => {
  beforeEach(() => choose("ops"));

  it("who writes is told that it is paused", async () => {
    paused = ["ops"];
    expect(await said()).toMatchObject(PAUSED);
  });

  it("the one of the route may be paused", async () => {
    paused = ["assistant"];
    expect(await said()).toMatchObject(ACCEPTED);
    expect(await said({ id: "2", conversation: "slack:T1:C2", place: "C2" })).toMatchObject(PAUSED);
  });

  it("that holds in the threads of the place, too", async () => {
    paused = ["ops"];
    expect(await said({ conversation: "slack:T1:C1:17", thread: "17" })).toMatchObject(PAUSED);
  });

  it("who names one is for that one", async () => {
    paused = ["ops"];
    expect(await said({ text: "@agent:assistant hello" })).toMatchObject(ACCEPTED);
    expect(await said({ id: "2", agent: "assistant" })).toMatchObject(ACCEPTED);
  });

  it("a message does while it works what is said of it, and not of the other", async () => {
    expect(await said({}, "interrupt")).toMatchObject(ACCEPTED);
    expect(await claimAll(store.queue)).toMatchObject([{ busy: "interrupt", agent: "assistant" }]);
  });

  it("it is not looked for where that changes nothing", async () => {
    expect(await said()).toMatchObject(ACCEPTED);
    paused = ["assistant", "ops"];
    expect(await said({ id: "2" })).toMatchObject(PAUSED);
    expect(looks).toBe(0);
  });
});

it.each([
  ["fails", () => Promise.reject(new Error("away"))],
  ["does not answer", () => new Promise<never>(() => {})],
])("a store that %s keeps no message out", async (_what, find) => {
  await choose("ops");
  const taken = said({}, "interrupt", find);
  while (clock.sleeping === 0) await Promise.resolve();
  clock.advance(250);
  expect(await taken).toMatchObject(ACCEPTED);
  expect(await claimAll(store.queue)).toMatchObject([{ busy: "queue" }]);
});
