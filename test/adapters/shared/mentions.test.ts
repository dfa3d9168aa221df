import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mintAddress } from "../../../adapters/discord/address.ts";
import { ALONE, messageBody } from "../../../adapters/discord/body.ts";
import { renderDiscord } from "../../../adapters/discord/dialect.ts";
import { readPart, renderReply } from "../../../adapters/discord/render.ts";
import { renderSlack } from "../../../adapters/slack/dialect.ts";
import type { Named } from "../../../src/domain/mention.ts";
import { markdownish } from "./markdown-arbitrary.ts";

const ANN: Named = { kind: "person", id: "U1", name: "Ann" };
const ANN_LEE: Named = { kind: "person", id: "U2", name: "Ann Lee" };
const OPS: Named = { kind: "channel", id: "C1", name: "ops" };

const slack = (markdown: string, ...named: readonly Named[]) =>
  renderSlack(markdown, undefined, named).join("|");
const discord = (markdown: string, ...named: readonly Named[]) =>
  renderDiscord(
    markdown,
    named.map((one) => ({ ...one, id: one.id.slice(1) })),
  ).join("|");

describe("a mention in an answer", () => {
  it("is made of the name of whom it may name, the longest first, in any look", () => {
    const text = "@Ann, **@Ann Lee** see #ops (@Ann)";
    expect(slack(text, ANN, ANN_LEE, OPS)).toBe("<@U1>, *<@U2>* see <#C1> (<@U1>)");
    expect(discord(text, ANN, ANN_LEE, OPS)).toBe("<@1>, **<@2>** see <#1> (<@1>)");
    expect(slack("# Hi @Ann\n- @Ann Lee\n> @Ann", ANN, ANN_LEE)).toBe("*Hi <@U1>*\n\n• <@U2>\n\n> <@U1>");
  });

  it("is none of those whom it may not name, and none by default", () => {
    expect(slack("@Ann and @Bob", ANN)).toBe("<@U1> and @Bob");
    expect(slack("@Ann")).toBe("@Ann");
    expect(discord("@Ann")).toBe("@Ann");
  });

  it.each([
    "@Anna",
    "@Ann-Marie",
    "@Ann.Lee",
    "me@Ann",
    "@Ann@x.example",
    "@@Ann",
    "@ann",
    "@ Ann",
    "@Ann_1",
    "##ops",
  ])("is not in %s", (text) => expect(slack(text, ANN, OPS)).not.toMatch(/<[@#]/));

  it("is not in code, and not in the label of a link", () => {
    expect(slack("`@Ann`\n\n```\n@Ann\n```\n\n[@Ann](https://x.example/)", ANN)).not.toMatch(/<@/);
    expect(discord("`@Ann`\n\n```\n@Ann\n```\n\n[@Ann](https://x.example/)", ANN)).not.toMatch(/<@/);
  });

  it.each(["channel", "here", "everyone", "Everyone", "", " Ann", "a\nb", "a\u200eb", "x".repeat(101)])(
    "is not made of the name %j",
    (name) => {
      const named: Named = { kind: "person", id: "U1", name };
      expect(slack(`hi @${name}`, named)).not.toMatch(/<@/);
      expect(discord(`hi @${name}`, named)).not.toMatch(/<@/);
    },
  );

  it("names nobody by an id that is none, and no group", () => {
    for (const id of ["U1>", "!channel", "U1|x", "everyone", "", "S1", "u1"])
      expect(slack("@Ann", { ...ANN, id })).toBe("@Ann");
    expect(slack("@Ann", { ...ANN, kind: "group", id: "S1" })).toBe("@Ann");
    for (const id of ["", "1>", "&1", "everyone", "!1"])
      expect(renderDiscord("@Ann", [{ ...ANN, id }])).toEqual(["@Ann"]);
    expect(renderDiscord("@Ann", [{ ...ANN, kind: "group", id: "1" }])).toEqual(["@Ann"]);
  });

  it("is not cut through: what is left of it are words", () => {
    const name = "Ann Lee";
    const filled = (chars: number) => `${"x".repeat(chars)} @${name} is here`;
    for (let chars = 1_980; chars <= 1_996; chars++) {
      const parts = renderDiscord(filled(chars), [{ kind: "person", id: "2", name }]);
      expect(parts.join(" ")).toBe(`${"x".repeat(chars)} <@2> is here`);
    }
  });

  it("rings on Discord for those whom that message names, and for nobody else", () => {
    const to = mintAddress({ kind: "message", id: "1", channelId: "20", guildId: "10" });
    const named: readonly Named[] = [
      { kind: "person", id: "31", name: "Ann" },
      { kind: "person", id: "32", name: "Bob" },
      OPS,
    ];
    const parts = renderReply("@Ann, not <@32>, `<@32>` or @everyone", to, [], named);
    const [part] = parts.flatMap((one) => readPart(one) ?? []);
    expect(part).toMatchObject({ content: expect.stringContaining("<@31>"), mentions: ["31"] });
    expect(messageBody(part?.content ?? "", { ...ALONE, ...part })).toMatchObject({
      allowed_mentions: { parse: [], users: ["31"] },
    });
    const [plain] = renderReply("@Ann", to).flatMap((one) => readPart(one) ?? []);
    expect(messageBody("@Ann", { ...ALONE, ...(plain ?? { mentions: ["1"] }) })).toMatchObject({
      allowed_mentions: { parse: [] },
    });
    expect(JSON.stringify(plain)).not.toContain("users");
  });

  it("names nobody else, whatever the answer is and whatever people are called", () => {
    const anyName = fc.oneof(fc.string({ maxLength: 30 }), fc.constantFrom("<@U9>", "U9>", "a|b", "*x*"));
    fc.assert(
      fc.property(markdownish, anyName, (markdown, name) => {
        const text = `${markdown} @${name} ${markdown}`;
        const written = slack(text, { kind: "person", id: "U1", name });
        expect(written.replaceAll("<@U1>", "")).not.toMatch(/<[@#!]/);
        const inDiscord = renderDiscord(text, [{ kind: "person", id: "1", name }]).join("\n");
        expect(inDiscord.replaceAll("<@1>", "")).not.toMatch(/<(?:[@#]|@!|@&)\d|@(?:everyone|here)/);
      }),
      { numRuns: 100 },
    );
  });
});
