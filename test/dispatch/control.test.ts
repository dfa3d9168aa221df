import { describe, expect, it } from "vitest";
import { type ControlDeps, obey } from "../../src/dispatch/control.ts";
import type { LaneState } from "../../src/ports/lanes.ts";
import { FakeClock } from "../support/clock.ts";
import { NO_DESK } from "../support/desk.ts";
import { anEvent } from "../support/event.ts";
import { guideWith } from "../support/guide.ts";
import { selectionOf } from "../support/selection.ts";

const event = anEvent({ conversation: "c1" });

function depsOf(changes: Partial<ControlDeps> = {}): ControlDeps {
  return {
    memory: { forget: async () => {} },
    lanes: lanesWhere("idle"),
    describeAgent: (name) => ({ name, model: "the demo model" }),
    selection: selectionOf(),
    guide: guideWith(),
    approversOf: () => ({ only: null, self: true }),
    desk: NO_DESK,
    clock: new FakeClock(),
    isPaused: () => false,
    version: "1.2.3",
    ...changes,
  };
}

/** Conversation c1 is in this state, every other one idle. */
function lanesWhere(state: LaneState): ControlDeps["lanes"] {
  const stateOf = async (lane: string) => (lane === "c1" ? state : "idle");
  return {
    stateOf,
    head: async () => null,
    signal: async (lane) => ({ state: await stateOf(lane), isKept: true }),
  };
}

describe("the command", () => {
  it("help names every command, in both spellings", async () => {
    const { text } = await obey("help", event, depsOf());
    for (const command of ["help", "status", "reset", "stop"]) {
      expect(text).toContain(`\`/${command}\``);
      expect(text).toContain(`\`!${command}\``);
    }
  });

  it("status says who answers here, with what, and in which version", async () => {
    const { text } = await obey("status", event, depsOf());
    expect(text).toBe(
      "Agent **assistant** answers here, with the demo model.\nNothing is running in this conversation.\n\nParley 1.2.3",
    );
  });

  it("status says so when nobody answers, when it is busy, and when it is paused", async () => {
    const lanes = lanesWhere("running");
    const { text } = await obey(
      "status",
      event,
      depsOf({ selection: selectionOf({ routes: [] }), lanes, isPaused: () => true }),
    );
    expect(text).toContain("No agent is set up to answer here.");
    expect(text).toContain("I am working on an answer in this conversation.");
    expect(text).toContain("I am paused");
  });

  it("status says so when a message waits for its turn or its next attempt", async () => {
    const { text } = await obey("status", event, depsOf({ lanes: lanesWhere("waiting") }));
    expect(text).toContain("A message in this conversation waits to be answered.");
  });

  it("reset forgets this conversation before it says so", async () => {
    const forgotten: string[] = [];
    const memory = {
      async forget(conversation: string) {
        forgotten.push(conversation);
      },
    };
    expect((await obey("reset", event, depsOf({ memory }))).text).toContain("forgotten");
    expect(forgotten).toEqual(["c1"]);
    const down = { forget: () => Promise.reject(new Error("disk full")) };
    await expect(obey("reset", event, depsOf({ memory: down }))).rejects.toThrow("disk full");
  });

  it.each([
    ["thread", ["c1"]],
    ["user", ["c1"]],
    ["channel", ["c1", "slack:T1:C1"]],
  ] as const)(
    "reset forgets answers of the conversation where the agent remembers by %s",
    async (scope, of) => {
      const forgotten: string[] = [];
      const answers = { forgetOf: async (key: string) => void forgotten.push(key) };
      await obey("reset", event, depsOf({ answers, remembersBy: () => ({ scope }) }));
      expect(forgotten).toEqual(expect.arrayContaining([...of]));
    },
  );

  it.each<LaneState>(["waiting", "running"])("stop says so when there is a message %s", async (state) => {
    const lanes = lanesWhere(state);
    expect((await obey("stop", event, depsOf({ lanes }))).text).toBe("Stopping.");
    const elsewhere = await obey("stop", anEvent({ conversation: "c2" }), depsOf({ lanes }));
    expect(elsewhere.text).toBe("Nothing is running here.");
  });
});
