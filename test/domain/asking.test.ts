import { describe, expect, it } from "vitest";
import { addressed, askedIn, type ChosenBy, choosable } from "../../src/domain/asking.ts";
import { agentWordIn, controlCommandOf } from "../../src/domain/command.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Route } from "../../src/domain/route.ts";
import { anEvent } from "../support/event.ts";

const asked = (text: string) => askedIn({ trigger: "mention", text });

describe("a message asks for an agent", () => {
  it.each([
    ["@agent:ops why?", "ops", "why?"],
    ["@agent:ops: why?", "ops", "why?"],
    ["@agent:ops, why?", "ops", "why?"],
    ["@Agent:ops\nwhy?", "ops", "why?"],
    ["  @ops: why?", "ops", "why?"],
    ["@ops:why?", "ops", "why?"],
    ["@agent:ops", "ops", ""],
    ["@agent:ops.eu_2 why?", "ops.eu_2", "why?"],
    ["@agent:ops. Why?", "ops", "Why?"],
  ])("%j", (text, name, rest) => expect(asked(text)).toMatchObject({ name, rest }));

  it.each(["@ops why?", "ops: why?", "why? @agent:ops", "@agent: why?", "@agent:-x", "a@ops: b", "@ ops: b"])(
    "and %j asks for nobody explicitly",
    (text) => expect(asked(text)?.isExplicit ?? false).toBe(false),
  );

  it("but not by what stands on a button", () => {
    expect(askedIn({ trigger: "button", text: "@agent:ops why?" })).toBeNull();
  });
});

const routes: Route[] = [
  { match: { channels: new Set(["C1"]), commands: new Set(["deploy"]) }, agent: "deployer" },
  { match: { roles: new Set(["70"]) }, agent: "ops" },
  { match: {}, agent: "assistant" },
];
const all = (by: ChosenBy) => new Map(["assistant", "deployer", "ops", "hidden"].map((name) => [name, by]));
const withRole: Partial<TriggerEvent> = { sender: { id: "U1", name: "ann", isBot: false, roles: ["70"] } };

describe("who may ask for an agent by name", () => {
  it.each<[string, Partial<TriggerEvent>, string[]]>([
    ["a command of which is for this channel", { place: "C1" }, ["assistant", "deployer"]],
    ["that is for everybody", { place: "C2" }, ["assistant"]],
    ["that is for this role", { place: "C2", ...withRole }, ["assistant", "ops"]],
  ])("is whoever a route reaches there: one %s", (_, event, names) => {
    expect(choosable(anEvent(event), routes, all("routes"))).toEqual(names);
  });

  it("is anybody, nobody, or the people and roles that are named", () => {
    const people = new Set(["slack:T1:U1"]);
    const roles = new Set(["slack:role:T1:70"]);
    expect(choosable(anEvent(), routes, all("any"))).toHaveLength(4);
    expect(choosable(anEvent(), routes, all("none"))).toEqual([]);
    expect(choosable(anEvent(), routes, all(people))).toHaveLength(4);
    expect(choosable(anEvent({ tenant: "T2" }), routes, all(people))).toEqual([]);
    expect(choosable(anEvent(), routes, all(roles))).toEqual([]);
    expect(choosable(anEvent(withRole), routes, all(roles))).toHaveLength(4);
  });
});

describe("an event that asks for an agent", () => {
  const agents = all("routes");

  it("is for that agent, without its name", () => {
    const event = addressed(anEvent({ place: "C1", text: "@agent:Deployer ship it" }), routes, agents);
    expect(event).toMatchObject({ agent: "deployer", text: "ship it" });
    expect(addressed(event, routes, agents)).toBe(event);
  });

  it("stays as it is where nobody may be asked for by that name", () => {
    for (const text of ["@agent:deployer ship it", "@ops: why?", "@ann: hello", "@agent:nobody hello"]) {
      const event = anEvent({ place: "C2", text });
      expect(addressed(event, routes, agents)).toBe(event);
    }
  });

  it("keeps its words where there would be none, unless files are what it says", () => {
    const file = { id: "F1", kind: "image", name: null, mime: null, sizeBytes: null } as const;
    const text = "@assistant: ";
    expect(addressed(anEvent({ text }), routes, agents)).toMatchObject({ agent: "assistant", text });
    expect(addressed(anEvent({ text, attachments: [file] }), routes, agents)).toMatchObject({ text: "" });
  });
});

describe("the command /agent", () => {
  const said = (text: string) => agentWordIn({ trigger: "direct", command: null, text });
  const used = (command: string, text: string) => agentWordIn({ trigger: "command", command, text });

  it("is understood in every spelling", () => {
    expect([said("/agent"), said("!agent ops"), said(" /Agent ops ")]).toEqual(["", "ops", "ops"]);
    expect([used("/agent", "ops"), used("/agent", ""), used("/parley", "agent ops")]).toEqual([
      "ops",
      "",
      "ops",
    ]);
    expect([used("/parley agent", "ops"), used("/ask", "!agent ops")]).toEqual(["ops", "ops"]);
    expect(agentWordIn({ trigger: "button", command: "agent:ops", text: "" })).toBe("ops");
    expect(controlCommandOf({ trigger: "button", command: "agent:ops", text: "" })).toBe("agent");
  });

  it("is one word and at most a name: what says more is talk", () => {
    for (const text of ["!agent of change is needed", "agent ops", "/agents", "!agentops"])
      expect(said(text)).toBeNull();
    expect(used("/agent", "of change")).toBeNull();
    expect(used("/deploy", "agent ops")).toBeNull();
    expect(used("/deploy agent", "ops")).toBeNull();
  });
});
