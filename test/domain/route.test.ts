import { describe, expect, it } from "vitest";
import type { TriggerEvent } from "../../src/domain/event.ts";
import { commandName, quietMsOf, type Route, routeOf, routingOf } from "../../src/domain/route.ts";
import { anEvent } from "../support/event.ts";

const AGENTS = new Map([
  ["assistant", {}],
  ["deployer", {}],
]);

function takenBy(match: Route["match"], event: Partial<TriggerEvent> = {}): boolean {
  return routeOf(anEvent(event), [{ match, agent: "assistant" }], AGENTS) === "assistant";
}

describe("a route", () => {
  it("without a condition takes everything", () => {
    expect(takenBy({})).toBe(true);
  });

  it("takes only what fits all of its conditions", () => {
    const match = {
      platforms: new Set(["slack"]),
      tenants: new Set(["T1"]),
      channels: new Set(["C1", "C2"]),
      patterns: [(text: string) => text.includes("deploy")],
    };
    const event = { text: "deploy it" };
    expect(takenBy(match, event)).toBe(true);
    expect(takenBy(match, { ...event, place: "C2" })).toBe(true);
    expect(takenBy(match, { ...event, platform: "discord" })).toBe(false);
    expect(takenBy(match, { ...event, tenant: "T2" })).toBe(false);
    expect(takenBy(match, { ...event, place: "C3" })).toBe(false);
    expect(takenBy(match, { text: "hello" })).toBe(false);
  });

  it("takes what fits one of its patterns", () => {
    const patterns = ["a", "b"].map((letter) => (text: string) => text === letter);
    expect([takenBy({ patterns }, { text: "b" }), takenBy({ patterns }, { text: "c" })]).toEqual([
      true,
      false,
    ]);
  });

  it.each([
    ["/deploy", true],
    ["/Deploy", true],
    ["deploy", true],
    ["/deploy run", true],
    ["/deployment", false],
    [null, false],
  ])("for a command takes it in any case, with its subcommands: %s is %s", (command, taken) => {
    expect(takenBy({ commands: new Set([commandName("/Deploy")]) }, { command })).toBe(taken);
  });

  it("for a subcommand takes that one only", () => {
    const commands = new Set([commandName("/deploy run")]);
    expect(takenBy({ commands }, { command: "/deploy run" })).toBe(true);
    expect(takenBy({ commands }, { command: "/deploy stop" })).toBe(false);
  });
});

describe("routing", () => {
  const routes: Route[] = [
    { match: { channels: new Set(["C1"]) }, agent: "deployer" },
    { match: { platforms: new Set(["slack"]) }, agent: "assistant" },
  ];

  it("goes to the first route that fits", () => {
    expect(routeOf(anEvent({ place: "C1" }), routes, AGENTS)).toBe("deployer");
    expect(routeOf(anEvent({ place: "C9" }), routes, AGENTS)).toBe("assistant");
    expect(routeOf(anEvent({ platform: "discord", place: "C9" }), routes, AGENTS)).toBeNull();
  });

  it("obeys an event that names its agent, if there is such an agent", () => {
    expect(routeOf(anEvent({ agent: "assistant" }), routes, AGENTS)).toBe("assistant");
    expect(routeOf(anEvent({ agent: "nobody" }), routes, AGENTS)).toBeNull();
  });
});

describe("what comes while an agent works", () => {
  const agents = new Map([
    ["assistant", "queue"],
    ["ops", "collect"],
  ] as const);
  const quiet = new Map([["ops", 1_500]]);
  const routes: Route[] = [{ match: {}, agent: "assistant" }];
  const inRoute: Route[] = [{ match: {}, agent: "assistant", busy: "collect", quietMs: 20 }];

  it("is treated as whoever answers says, and has the quiet time of that one", () => {
    expect(routingOf(anEvent(), routes, agents, "ops")).toEqual({
      agent: "assistant",
      answerer: "ops",
      busy: "collect",
    });
    expect(quietMsOf(anEvent(), routes, quiet, "ops")).toBe(1_500);
    expect(quietMsOf(anEvent(), routes, quiet, "assistant")).toBe(0);
  });

  it("is treated as the route says, whoever answers, where it says something", () => {
    expect(routingOf(anEvent(), inRoute, agents, "ops").busy).toBe("collect");
    expect(quietMsOf(anEvent(), inRoute, quiet, "ops")).toBe(20);
  });

  it("is for the agent that the event names, whoever was chosen", () => {
    expect(routingOf(anEvent({ agent: "assistant" }), routes, agents, "ops")).toMatchObject({
      answerer: "assistant",
      busy: "queue",
    });
  });
});
