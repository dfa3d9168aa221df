import { beforeEach, describe, expect, it } from "vitest";
import { createAcquaintances } from "../../src/admit/people.ts";
import type { AdmissionPolicy } from "../../src/admit/policy.ts";
import { typedNumbers } from "../../src/app/typed-numbers.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import { MENU_MS } from "../../src/domain/shown-menu.ts";
import { take } from "../../src/gateway.ts";
import type { ShownMenus } from "../../src/ports/shown-menus.ts";
import { createShownMenus } from "../../src/store/shown-menus.ts";
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
let menus: ShownMenus;
let looks: number;

beforeEach(async () => {
  clock = new FakeClock();
  store = await openTestStore(clock);
  menus = createShownMenus(store.vault, clock);
  looks = 0;
});

const { conversation } = anEvent();
const MENU = {
  ...{ eventId: "slack:0", text: "What?" },
  choices: [
    { label: "API", command: "/ship api" },
    { label: "Status", command: "/status" },
    { label: "Nothing" },
  ],
};
const POLICY: AdmissionPolicy = {
  platforms: everywhere(OPEN),
  limits: { user: null, conversation: null, tenant: null, global: null },
  routes: [
    { match: { commands: new Set(["deploy"]), roles: new Set(["admin"]) }, agent: "deployer" },
    { match: {}, agent: "assistant" },
  ] as AdmissionPolicy["routes"],
  commands: {
    names: new Map([
      ["deploy", "deploy"],
      ["ship", "deploy"],
    ]),
    onButtons: new Set(["/ship api", "/status"]),
  },
  agents: new Map([
    ["assistant", "queue"],
    ["deployer", "queue"],
  ]),
  maxAgeMs: null,
  noticeWindowMs: 600_000,
  isPaused: () => false,
};

async function said(changes: Partial<TriggerEvent>, find: ShownMenus["find"] = (one) => menus.find(one)) {
  const looked: ShownMenus["find"] = (one) => {
    looks++;
    return find(one);
  };
  const events = [anEvent({ trigger: "direct", occurredAtMs: clock.nowMs(), ...changes })];
  const deps = {
    ...{ inbox: store.inbox, people: createAcquaintances(store.people), policy: POLICY, lanes: store.lanes },
    byNumber: typedNumbers({ policy: () => POLICY, menus: { find: looked }, clock }),
    ...{ memory: store.memory, desk: NO_DESK, clock, metrics: createMetrics() },
  };
  const ack = { status: 200 } as const;
  return await take({ kind: "events", events, ignored: [], ack }, new FakeAdapter("slack"), deps);
}

describe("a number that is written after a menu", () => {
  beforeEach(() => menus.show(conversation, MENU));

  it("is the command that stands for the choice, by the routes of whoever writes it", async () => {
    await said({ text: "1", sender: { id: "U1", name: "ann", isBot: false, roles: ["admin"] } });
    await said({ id: "2", text: "1", sender: { id: "U2", name: "eve", isBot: false, roles: [] } });
    expect(
      (await claimAll(store.queue)).map(({ event, agent }) => [event.command, event.text, agent]),
    ).toEqual([["/deploy", "api", "deployer"]]);
  });

  it("overtakes where that is a command to the gateway, and says the label where there is none", async () => {
    await said({ text: "3" });
    await said({ id: "2", text: "2" });
    expect((await claimAll(store.queue)).map(({ event, lane }) => [event.text, lane])).toEqual([
      ["/status", `${conversation}!control`],
      ["Nothing", conversation],
    ]);
  });

  it("is text in another conversation, and when its time is over, or something else was said", async () => {
    await said({ text: "1", conversation: "slack:T1:C2", place: "C2" });
    clock.advance(MENU_MS);
    await said({ id: "2", text: "1", conversation: "slack:T1:C1" });
    expect((await claimAll(store.queue)).map(({ event }) => event.text)).toEqual(["1", "1"]);
    expect(await menus.forget()).toBe(1);
    await menus.show("slack:T1:C3", MENU);
    await menus.leave("slack:T1:C3");
    expect(await menus.find("slack:T1:C3")).toBeNull();
  });

  it("is what a command is given, and a choice behind one that is the app's only one", async () => {
    await said({ text: "1", trigger: "command", command: "/deploy" });
    await said({ id: "2", text: "1", trigger: "command", command: "/ship" });
    expect(looks).toBe(0);
    await said({ id: "3", text: "3", trigger: "command", command: "/ask" });
    expect((await claimAll(store.queue)).map(({ event }) => event.text)).toEqual(["1"]);
  });

  it("is not looked at in a room where the bot was not named, nor is a text that is no number", async () => {
    expect(await said({ text: "1", trigger: "ambient" })).toMatchObject({ outcome: "ignored" });
    await said({ id: "2", text: "1 pump" });
    expect(looks).toBe(0);
  });

  it.each([
    ["fails", () => Promise.reject(new Error("away"))],
    ["does not answer", () => new Promise<never>(() => {})],
  ])("a store that %s keeps it not out", async (_what, find) => {
    const taken = said({ text: "1" }, find);
    while (clock.sleeping === 0) await Promise.resolve();
    clock.advance(250);
    expect(await taken).toMatchObject({ outcome: "accepted" });
    expect(await claimAll(store.queue)).toMatchObject([{ event: { text: "1" } }]);
  });
});
