import { describe, expect, it } from "vitest";
import { obey } from "../../src/dispatch/control.ts";
import type { Selection } from "../../src/dispatch/selection.ts";
import type { ChosenBy } from "../../src/domain/asking.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import { createAgentChoices } from "../../src/store/agent-choices.ts";
import { FakeClock } from "../support/clock.ts";
import { NO_DESK } from "../support/desk.ts";
import { anEvent } from "../support/event.ts";
import { guideWith } from "../support/guide.ts";
import { selectionOf } from "../support/selection.ts";
import { openTestStore } from "../support/store.ts";

const AGENTS = new Map<string, ChosenBy>([
  ["assistant", "routes"],
  ["ops", new Set(["slack:U1"])],
  ["deployer", "any"],
  ["hidden", "none"],
]);
const room = (changes: Partial<TriggerEvent> = {}) => anEvent({ conversation: "slack:T1:C1", ...changes });
const thread = (changes: Partial<TriggerEvent> = {}) =>
  anEvent({ conversation: "slack:T1:C1:7", thread: "7", ...changes });
const bob = { sender: { id: "U2", name: "bob", isBot: false } };

const say = (selection: Selection, text: string, event = room()) => selection.obey({ ...event, text });
const whoAnswers = async (selection: Selection, event: TriggerEvent) =>
  (await selection.agentFor(event, "assistant")).agent;

describe("the agent of a conversation", () => {
  it("is that of the route until somebody chooses another, and again when they go back", async () => {
    const selection = selectionOf({ agents: AGENTS });
    expect(await whoAnswers(selection, room())).toBe("assistant");
    expect((await say(selection, "/agent OPS")).text).toContain("From now on **ops** answers here.");
    expect(await whoAnswers(selection, room())).toBe("ops");
    expect((await say(selection, "!agent default")).text).toContain("**assistant** answers here again");
    expect(await whoAnswers(selection, room())).toBe("assistant");
  });

  it("is for those who might have chosen it; the others have that of the route", async () => {
    const selection = selectionOf({ agents: AGENTS });
    await say(selection, "/agent ops");
    expect(await whoAnswers(selection, room(bob))).toBe("assistant");
  });

  it("holds in the threads of its place, unless they have one of their own or have gone back", async () => {
    const selection = selectionOf({ agents: AGENTS });
    await say(selection, "/agent ops");
    expect(await whoAnswers(selection, thread())).toBe("ops");
    await say(selection, "!agent deployer", thread());
    expect(await whoAnswers(selection, thread())).toBe("deployer");
    expect(await whoAnswers(selection, room())).toBe("ops");
    await say(selection, "!agent default", thread());
    expect(await whoAnswers(selection, thread())).toBe("assistant");
  });

  it("gives way to an agent that is named, and to the route of a command", async () => {
    const routes = [
      { match: { commands: new Set(["deploy"]) }, agent: "deployer" },
      { match: {}, agent: "assistant" },
    ];
    const selection = selectionOf({ agents: AGENTS, routes });
    await say(selection, "/agent ops");
    expect((await selection.agentFor(room({ agent: "assistant" }), "assistant")).agent).toBe("assistant");
    const command = room({ trigger: "command", command: "/deploy", text: "api" });
    expect((await selection.agentFor(command, "deployer")).agent).toBe("deployer");
  });

  it("is that of the route where the chosen one is gone", async () => {
    const agents = new Map(AGENTS);
    const selection = selectionOf({ agents });
    await say(selection, "/agent deployer");
    agents.delete("deployer");
    expect(await whoAnswers(selection, room())).toBe("assistant");
  });
});

describe("/agent", () => {
  it("shows who answers and whom this person may choose, in words and on buttons", async () => {
    const selection = selectionOf({ agents: AGENTS });
    const { text, buttons } = await say(selection, "/agent");
    expect(text).toContain("**assistant** answers here. You can also choose **ops** and **deployer**.");
    expect(buttons.map(({ id, label }) => [id, label])).toEqual([
      ["agent:ops", "ops"],
      ["agent:deployer", "deployer"],
    ]);
    await say(selection, "/agent ops");
    const later = await say(selection, "/agent");
    expect(later.text).toContain("**ops** answers here, as it was chosen.");
    expect(later.buttons.map(({ label }) => label)).toEqual(["assistant", "deployer", "default"]);
  });

  it.each(["nobody", "hidden", "ops"])("tells who may not choose %s whom they may", async (name) => {
    const selection = selectionOf({ agents: AGENTS });
    const { text } = await say(selection, `/agent ${name}`, room(bob));
    expect(text).toContain(`There is no agent \`${name}\` that you can choose here.`);
    expect(text).toContain("There are **assistant** and **deployer**.");
    expect(await whoAnswers(selection, room())).toBe("assistant");
  });

  it("is forgotten with the conversation, and told by /status", async () => {
    const selection = selectionOf({ agents: AGENTS });
    await say(selection, "/agent ops");
    const deps = {
      memory: { forget: async () => {} },
      lanes: {
        stateOf: async () => "idle" as const,
        head: async () => null,
        signal: async () => ({ state: "idle" as const, isKept: true }),
      },
      describeAgent: (name: string) => ({ name, model: "the demo model" }),
      selection,
      guide: guideWith(),
      approversOf: () => null,
      desk: NO_DESK,
      clock: new FakeClock(),
      isPaused: () => false,
      version: "1.2.3",
    };
    expect((await obey("status", room(), deps)).text).toContain(
      "Agent **ops** answers here, as it was chosen, with the demo model. `/agent default` goes back.",
    );
    await obey("reset", room(), deps);
    expect((await obey("status", room(), deps)).text).toContain("Agent **assistant** answers here, with");
  });
});

it("a message for an agent that nobody has, or not for them, is told so; other words are left alone", () => {
  const selection = selectionOf({ agents: AGENTS });
  expect(selection.refusal(room({ text: "@agent:nobody hello" }))).toContain("no agent `nobody`");
  expect(selection.refusal(room({ text: "@agent:hidden hello" }))).toContain("no agent `hidden`");
  expect(selection.refusal(room({ text: "@bob: hello" }))).toBeNull();
  expect(selection.refusal(room({ text: "hello", agent: "ops" }))).toBeNull();
});

it("what was chosen is kept in the store, and forgotten a long time after", async () => {
  const clock = new FakeClock();
  const store = await openTestStore(clock);
  const choices = createAgentChoices(store.vault, clock);
  await choices.choose("slack:T1:C1", { agent: "ops", isHanded: true });
  await choices.choose("slack:T1:C1:7", { agent: "deployer" });
  expect(await choices.find("slack:T1:C1")).toEqual({ agent: "ops", isHanded: true });
  expect(await choices.find("slack:T1:C1:7")).toEqual({ agent: "deployer" });
  clock.advance(60 * 86_400_000);
  await choices.choose("slack:T1:C1:7", { agent: "ops" });
  clock.advance(60 * 86_400_000);
  expect(await choices.find("slack:T1:C1")).toBeNull();
  expect(await choices.forget()).toBe(1);
  expect(await choices.find("slack:T1:C1:7")).toEqual({ agent: "ops" });
});
