import { describe, expect, it } from "vitest";
import { admit } from "../../src/admit/admit.ts";
import type { AdmissionPolicy } from "../../src/admit/policy.ts";
import { controlCommandOf } from "../../src/domain/command.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import { commanded, type KnownCommands, NO_COMMANDS } from "../../src/domain/named-command.ts";
import { anEvent } from "../support/event.ts";
import { everywhere, OPEN } from "../support/policy.ts";

const KNOWN: KnownCommands = {
  names: new Map([
    ["deploy", "deploy"],
    ["ship", "deploy"],
  ]),
  onButtons: new Set(["/ship api staging", "/status", "/agent ops"]),
};

function read(changes: Partial<TriggerEvent>): Pick<TriggerEvent, "trigger" | "command" | "text"> {
  const event = commanded(anEvent(changes), KNOWN);
  // What waits in a spool is looked at twice.
  expect(commanded(event, KNOWN)).toEqual(event);
  const { trigger, command, text } = event;
  return { trigger, command, text };
}

describe("a command", () => {
  it("is the same by each of its names, with what stands behind it", () => {
    const used = (command: string, text = "api") => read({ trigger: "command", command, text });
    expect(used("/ship")).toEqual({ trigger: "command", command: "/deploy", text: "api" });
    expect(used("/SHIP run").command).toBe("/deploy run");
    expect(used("/deploy").command).toBe("/deploy");
    expect(used("/parley", "ship api")).toMatchObject({ command: "/deploy", text: "api" });
    expect(used("/ask", "!ship api\nnow")).toMatchObject({ command: "/deploy", text: "api\nnow" });
    expect(used("/ask", "ship api")).toMatchObject({ command: "/ask", text: "ship api" });
    expect(used("/parley", "stop")).toMatchObject({ command: "/parley", text: "stop" });
  });

  it("is what is written as one, where there are no slash commands, and keeps how it came", () => {
    const said = (text: string) => read({ trigger: "thread", command: null, text });
    expect(said("!Ship  api staging ")).toEqual({
      trigger: "thread",
      command: "/deploy",
      text: "api staging",
    });
    expect(said("/deploy")).toMatchObject({ command: "/deploy", text: "" });
    for (const talk of ["ship api", "!shipping api", "do !ship api", "/status", "!"])
      expect(said(talk)).toMatchObject({ command: null, text: talk });
  });

  it("is what stands behind a button of a menu, and of no other button", () => {
    const pressed = { kind: "choice" as const, label: "API" };
    const press = (command: string) => read({ trigger: "button", command, text: "API", pressed });
    expect(press("/ship api staging")).toEqual({
      trigger: "command",
      command: "/deploy",
      text: "api staging",
    });
    expect(press("/deploy api")).toEqual({ trigger: "button", command: "/deploy api", text: "API" });
    expect(controlCommandOf(press("/status"))).toBe("status");
    expect(controlCommandOf(press("/agent ops"))).toBe("agent");
    const form = anEvent({ trigger: "button", command: "/status", pressed: { kind: "form", label: null } });
    expect(commanded(form, KNOWN)).toBe(form);
  });

  it("is left as it is where the configuration knows none", () => {
    const event = anEvent({ trigger: "command", command: "/ship" });
    expect(commanded(event, NO_COMMANDS)).toBe(event);
  });
});

describe("admission", () => {
  const rules: AdmissionPolicy = {
    platforms: everywhere(OPEN),
    limits: { user: null, conversation: null, tenant: null, global: null },
    routes: [
      { match: { commands: new Set(["deploy"]) }, agent: "deployer" },
      { match: {}, agent: "assistant" },
    ],
    commands: KNOWN,
    agents: new Map([
      ["assistant", "steer"],
      ["deployer", "steer"],
    ]),
    maxAgeMs: null,
    noticeWindowMs: 0,
    isPaused: () => false,
  };
  const offered = (changes: Partial<TriggerEvent>, policy = rules) => {
    const admission = admit(anEvent(changes), policy, 0);
    return admission.kind === "offer" ? admission.offer : admission.reason;
  };

  it("routes an alias, and what is written as a command, which waits its turn like any", () => {
    const deploy = { agent: "deployer", busy: "queue", event: { command: "/deploy", text: "api" } };
    expect(offered({ trigger: "command", command: "/ship", text: "api" })).toMatchObject(deploy);
    expect(offered({ trigger: "mention", text: "!ship api" })).toMatchObject({
      ...deploy,
      onlyIfKnown: false,
    });
    expect(offered({ trigger: "thread", text: "!ship api" })).toMatchObject({ ...deploy, onlyIfKnown: true });
    expect(offered({ trigger: "ambient", text: "!ship api" })).toBe("not_addressed");
  });

  it("takes what is pressed in a menu as its command, and not where presses mean nothing", () => {
    const press = { trigger: "button", command: "/ship api staging", text: "" } as const;
    expect(offered(press)).toMatchObject({ agent: "deployer", event: { text: "api staging" } });
    const deaf = { ...rules, platforms: everywhere({ ...OPEN, buttons: "ignore" }) };
    expect(offered(press, deaf)).toBe("buttons_off");
    expect(offered({ ...press, command: "/status" })).toMatchObject({ kind: "command" });
  });
});
