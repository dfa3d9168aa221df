import { describe, expect, it } from "vitest";
import { knownCommands } from "../../src/config/commands-schema.ts";
import type { GuideRules } from "../../src/dispatch/guide.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import { menuButtons } from "../../src/domain/menu.ts";
import { offered } from "../../src/reply/choices.ts";
import { anEvent } from "../support/event.ts";
import { guideWith } from "../support/guide.ts";
import { selectionOf } from "../support/selection.ts";

const MENU = { text: "What?", choices: [{ label: "API", command: "/deploy api" }, { label: "Why?" }] };
const RULES: GuideRules = {
  commands: [
    {
      command: "/deploy",
      aliases: ["/ship"],
      description: "Deploys a service",
      usage: "SERVICE",
      menu: MENU,
    },
    { command: "/report", aliases: [] },
    { command: "/hidden", aliases: [] },
  ],
  menus: new Map([["assistant", MENU]]),
  routes: [
    { match: { commands: new Set(["deploy run"]), roles: new Set(["R1"]) }, agent: "deployer" },
    { match: { commands: new Set(["report", "weather", "a button"]) }, agent: "reporter" },
    { match: { commands: new Set(["secret"]), channels: new Set(["C9"]) }, agent: "spy" },
    { match: { platforms: new Set(["slack"]) }, agent: "assistant" },
  ],
};

const help = async (event: TriggerEvent, rules: Partial<GuideRules> = RULES) =>
  await guideWith(rules).help(event, selectionOf({ routes: rules.routes ?? [] }));

describe("/help", () => {
  it("names what is configured and open to whoever asks, and nothing else", async () => {
    const { text } = await help(anEvent());
    expect(text).toContain("- `/deploy SERVICE` (also `/ship`): Deploys a service\n");
    expect(text).toContain("- `/report`: asks **reporter**\n");
    expect(text).toContain("- `/weather`: asks **reporter**\n");
    expect(text).toContain("- `/status`:");
    for (const other of ["secret", "/agent NAME"]) expect(text).not.toContain(other);
    expect((await help(anEvent({ place: "C9" }))).text).toContain("- `/secret`: asks **spy**");
  });

  it("says who answers a command to those alone whom its route takes", async () => {
    const routes = RULES.routes.slice(0, 1);
    const commands = [{ command: "/deploy", aliases: [] }];
    const sender = { id: "U1", name: "Ann", isBot: false, roles: ["R1"] };
    expect((await help(anEvent(), { commands, routes })).text).not.toContain("/deploy");
    expect((await help(anEvent({ sender }), { commands, routes })).text).toContain(
      "- `/deploy`: asks **deployer**",
    );
  });

  it("offers the menu of the agent that would answer", async () => {
    const { text, menu } = await help(anEvent());
    expect(text.endsWith("\n\nWhat?")).toBe(true);
    expect(menu).toEqual(MENU.choices);
    expect((await help(anEvent({ platform: "discord" }))).menu).toBeUndefined();
  });

  it("is what it always was where nothing is configured", async () => {
    const { text } = await help(anEvent(), {});
    expect(text).not.toContain("Commands here");
    expect(text).toContain("- `/help`: this text");
  });
});

describe("a menu", () => {
  it("answers a command with nothing behind it, and a message without a word", () => {
    const menuFor = (changes: Partial<TriggerEvent>) =>
      guideWith(RULES).menuFor(anEvent(changes), "assistant");
    expect(menuFor({ trigger: "command", command: "/deploy", text: " " })).toEqual(MENU);
    expect(menuFor({ trigger: "command", command: "/deploy", text: "api" })).toBeNull();
    expect(menuFor({ trigger: "command", command: "/report", text: "" })).toBeNull();
    expect(menuFor({ trigger: "mention", command: null, text: "" })).toEqual(MENU);
    expect(menuFor({ trigger: "mention", command: null, text: "hello" })).toBeNull();
    expect(menuFor({ trigger: "button", command: null, text: "" })).toBeNull();
    const attachments = [{ id: "F1", kind: "image", name: null, mime: null, sizeBytes: null }] as const;
    expect(menuFor({ trigger: "mention", text: "", attachments })).toBeNull();
  });

  const said = (buttons: { buttonsMax: number; labelCharsMax: number } | undefined, areHeard = true) =>
    offered({ outcome: "answered", text: "What?", menu: MENU.choices }, buttons ? { buttons } : {}, areHeard);
  const LIST = "What?\n\n1. API: write `!deploy api`\n2. Why?";

  it("stands on buttons, of which each gives back what it stands for", () => {
    expect(said({ buttonsMax: 3, labelCharsMax: 20 })).toEqual({
      markdown: "What?",
      buttons: [
        { id: "/deploy api", label: "API" },
        { id: "choice:2", label: "Why?" },
      ],
    });
    const known = knownCommands([], [{ ...MENU, choices: [...MENU.choices] }]);
    expect(known.onButtons.has(menuButtons(MENU.choices)[0]?.id ?? "")).toBe(true);
  });

  it("is a numbered list where there are none, too few, too short ones, or nobody hears them", () => {
    expect(said(undefined)).toEqual({ markdown: LIST });
    expect(said({ buttonsMax: 1, labelCharsMax: 20 })).toEqual({ markdown: LIST });
    expect(said({ buttonsMax: 3, labelCharsMax: 2 })).toEqual({ markdown: LIST });
    expect(said({ buttonsMax: 3, labelCharsMax: 20 }, false)).toEqual({ markdown: LIST });
  });
});
