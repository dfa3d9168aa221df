import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readText } from "../../../adapters/telegram/text.ts";
import { BOT } from "./setup.ts";

const command = (length: number) => [{ type: "bot_command", offset: 0, length }];
const mention = (offset: number, length = 7) => ({ type: "mention", offset, length });

describe("a command", () => {
  it.each([
    ["/deploy", command(7), "/deploy", ""],
    ["/deploy api prod", command(7), "/deploy", "api prod"],
    ["/deploy@gw_bot api", command(14), "/deploy", "api"],
    ["/Deploy@GW_BOT api", command(14), "/deploy", "api"],
    ["/deploy\napi", command(7), "/deploy", "api"],
    ["/deploy @gw_bot api", [...command(7), mention(8)], "/deploy", "api"],
    ["/status now", undefined, "/status", "now"],
  ])("%j is read", (text, entities, name, rest) => {
    const read = readText(text, entities, BOT);
    expect(read).toMatchObject({ command: name, text: rest, isForOtherBot: false });
  });

  it.each([
    ["say /deploy", [{ type: "bot_command", offset: 4, length: 7 }]],
    ["/usr/bin is full", undefined],
    ["/usr", []],
    ["/usr", [{ type: "code", offset: 0, length: 4 }]],
    ["deploy", command(6)],
    ["/", command(1)],
    ["/deploy", command(70)],
    ["/deploy", command(-7)],
    ["/deploy", [{ type: "bot_command", offset: 0 }]],
    ["/deploy", "bot_command"],
  ])("%j with %j is none", (text, entities) => {
    expect(readText(text, entities, BOT)).toMatchObject({ command: null, text });
  });

  it("for another bot is told apart", () => {
    expect(readText("/deploy@my_bot", command(14), BOT).isForOtherBot).toBe(true);
    expect(readText("/deploy@gw_bot2", command(15), BOT).isForOtherBot).toBe(true);
  });
});

describe("a mention", () => {
  it.each([
    ["@gw_bot", [mention(0)], ""],
    ["@gw_bot hi", [mention(0)], "hi"],
    ["@gw_bot: hi", [mention(0)], "hi"],
    [" @gw_bot, hi", [mention(1)], "hi"],
    [" @gw_bot ,", [mention(1)], ""],
    ["hi @gw_bot", [mention(3)], "hi"],
    ["ask @gw_bot, please", [mention(4)], "ask , please"],
    ["ask @gw_bot now", [mention(4)], "ask now"],
    ["@gw_bot @gw_bot hi", [mention(8), mention(0)], "hi"],
    ["👩‍👩‍👧 @gw_bot 👍", [mention(9)], "👩‍👩‍👧 👍"],
  ])("is taken out of %j", (text, entities, rest) => {
    expect(readText(text, entities, BOT)).toMatchObject({ mentionsBot: true, text: rest });
  });

  it.each([
    ["@gw_bot hi", undefined],
    ["@gw_bot hi", [{ type: "code", offset: 0, length: 7 }]],
    ["@gw_bot2 hi", [mention(0, 8)]],
    ["@ann hi", [mention(0, 4)]],
    ["Ann hi", [{ type: "text_mention", offset: 0, length: 3, user: { id: 30 } }]],
    ["Ann hi", [{ type: "text_mention", offset: 0, length: 3 }]],
  ])("is not found in %j with %j", (text, entities) => {
    expect(readText(text, entities, BOT)).toMatchObject({ mentionsBot: false, text });
  });

  it("leaves whole what stands around it, wherever it stands", () => {
    const words = fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => text.trim());
    fc.assert(
      fc.property(words, words, (before, after) => {
        const text = `${before} @gw_bot ${after}`;
        const read = readText(text, [mention(before.length + 1)], BOT);
        expect(read.mentionsBot).toBe(true);
        expect(read.text).toBe(before === "" ? after.replace(/^[\s,:]+/, "") : `${before} ${after}`.trim());
      }),
    );
  });

  it("of any shape gives well-formed text that was there before", () => {
    const entity = fc.record({
      type: fc.constantFrom("mention", "text_mention", "bot_command", "bold"),
      offset: fc.integer({ min: -2, max: 30 }),
      length: fc.integer({ min: -2, max: 30 }),
      user: fc.constantFrom({ id: 77 }, { id: 30 }, null),
    });
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 30 }), fc.array(entity), (text, entities) => {
        const read = readText(text, entities, BOT);
        expect(read.text.isWellFormed()).toBe(true);
        expect(read.text.length).toBeLessThanOrEqual(text.length);
      }),
    );
  });
});
