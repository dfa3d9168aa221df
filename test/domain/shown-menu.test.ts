import { describe, expect, it } from "vitest";
import { contextItem } from "../../src/domain/context.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import { chosenByNumber, MENU_MS, type ShownMenu } from "../../src/domain/shown-menu.ts";
import { anEvent } from "../support/event.ts";

const AT = anEvent().occurredAtMs;
const MENU: ShownMenu = {
  eventId: "slack:0",
  text: "What *shall* I deploy?",
  choices: [
    { label: "API", command: "/deploy api" },
    { label: "Old", command: "/gone" },
    { label: "What runs there now?" },
  ],
  atMs: AT - 5_000,
};
const KNOWN = { onButtons: new Set(["/deploy api"]) };

/** What is left of a number that is written a moment after the menu. */
function read(changes: Partial<TriggerEvent>, menu: ShownMenu | null = MENU): string {
  return chosenByNumber(anEvent({ trigger: "direct", ...changes }), menu, KNOWN).text;
}

describe("a number behind a menu", () => {
  it.each(["1", " 1 ", "1.", "1)\n"])("written as %j is the choice, as if that had been written", (text) => {
    expect(read({ text })).toBe("/deploy api");
    expect(read({ text: "3" })).toBe("What runs there now?");
  });

  it("behind the command that carries ours is the command behind that", () => {
    expect(read({ trigger: "command", command: "/parley", text: "1" })).toBe("deploy api");
    expect(read({ trigger: "command", command: "/ask", text: "1" })).toBe("!deploy api");
    expect(read({ trigger: "command", command: "/ask", text: "3" })).toBe("What runs there now?");
    expect(read({ trigger: "command", command: "/approve", text: "1" })).toBe("1");
    expect(read({ trigger: "command", command: "/parley agent", text: "1" })).toBe("1");
  });

  it.each(["0", "4", "01", "1 2", "12345", "1?", "one", "-1", "1.5", "²", "١"])("is %j no choice", (text) => {
    expect(read({ text })).toBe(text);
  });

  it("is text where the choice is not offered any more, and where there is no menu", () => {
    expect(read({ text: "2" })).toBe("2");
    expect(read({ text: "1" }, null)).toBe("1");
  });

  it.each<[string, Partial<TriggerEvent>]>([
    [
      "with a file",
      { attachments: [{ id: "F1", kind: "file", name: "a", mime: null, sizeBytes: 1 } as never] },
    ],
    ["of a bot", { sender: { id: "B1", name: "bot", isBot: true } }],
    ["for an agent", { agent: "ops" }],
    ["that is pressed", { trigger: "button", command: "choice:1" }],
    ["from before the menu", { occurredAtMs: AT - 60_000 }],
    ["when its time is over", { occurredAtMs: AT - 5_000 + MENU_MS }],
  ])("%s is text", (_what, changes) => {
    expect(read({ text: "1", ...changes })).toBe("1");
  });

  it("that answers another message is text, and one that answers the menu is not", () => {
    const bot = { id: "B1", name: "bot", isSelf: true };
    const inReplyTo = (text: string, author = bot) =>
      read({ text: "1", context: [contextItem("quoted", text, { author })] });
    expect(inReplyTo("What shall I deploy?\n1. API")).toBe("/deploy api");
    expect(inReplyTo("Pump 1 or pump 2?")).toBe("1");
    expect(inReplyTo("What shall I deploy?", { id: "U2", name: "eve", isSelf: false })).toBe("1");
    // WhatsApp does not say which words it answers.
    expect(read({ text: "1", context: [contextItem("note", "a reply")] })).toBe("/deploy api");
  });
});
