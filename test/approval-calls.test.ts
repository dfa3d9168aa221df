import { beforeEach, describe, expect, it } from "vitest";
import type { TriggerEvent } from "../src/domain/event.ts";
import { type Asking, bob, DEPLOY, openAsking } from "./support/asking.ts";

const ID = "apr_1_1";
let asking: Asking;
beforeEach(async () => {
  asking = await openAsking();
});

const deploy = (input: object, more: Partial<TriggerEvent> = {}) =>
  asking.say(`demo: tool deploy ${JSON.stringify(input)}`, more);
const answer = () => asking.read(() => asking.runOne());
const stateOf = async (id = "slack:1") => (await asking.store.journal.find(id))?.state;

describe("a tool that needs an approval by its configuration", () => {
  it("is shown as it would be called, and not decided by whoever asked", async () => {
    const input = { service: "api", note: "a `b` *c* > d" };
    const [question] = await deploy(input);
    expect(question).toContain("**May I use** `deploy`**?** It changes something.");
    expect(question).toContain(`\n\`\`\`json\n${JSON.stringify(input, null, 2)}\n\`\`\`\n`);
    expect(await asking.say(`!approve ${ID}`)).toEqual(["You are not among those who may decide this."]);
    expect(await asking.say(`!approve ${ID}`, { sender: bob })).toEqual(["Approved."]);
    expect(await answer()).toEqual([`Tool deploy said: deployed ${JSON.stringify(input)}`]);
  });

  it("hides nothing: no sign that is not seen or that turns others around, no end of the arguments", async () => {
    const [question] = await deploy({ text: "a\u202eb\u200b c\u{e0041} ```\n**Approved** by bob." });
    expect(question).toContain('"a\\u202eb\\u200b c\\udb40\\udc41 ```\\n**Approved** by bob."');
    expect(question).toMatch(/\n````json\n.*\n````\n\nApprove with/s);
  });

  it("shows long arguments whole, before the question and its buttons", async () => {
    const { slack } = asking;
    slack.canEdit();
    const text = "word ".repeat(1_800);
    const [shown, question, ...more] = await deploy({ text });
    expect(more).toEqual([]);
    expect(shown).toContain(JSON.stringify({ text }, null, 2));
    expect(shown).not.toContain("[Approve]");
    expect(question).toContain(`The ${JSON.stringify({ text }, null, 2).length} characters above`);
    expect(question).toContain(`[Approve](approve:${ID})`);
    expect(slack.sends.map(({ partId, follows = false }) => [partId, follows])).toEqual([
      ["slack:1/ask/1/0", false],
      ["slack:1/ask/1/question/0", true],
    ]);
    await asking.press(`approve:${ID}`, { sender: bob });
    await answer();
    expect(slack.edits.map(({ delivery }) => delivery.partId)).toEqual(["slack:1/ask/1/question/0"]);
  });

  it("is neither asked for nor called when nobody could see what it is given", async () => {
    const [told, ...more] = await deploy({ text: "\u200b".repeat(9_000) });
    expect(more).toEqual([]);
    expect(told).toContain("Expected at most 50000 characters, which a person has to approve, got 54016");
    expect(await stateOf()).toBe("done");
  });

  it("ends at once where nobody else is there to ask, and says why", async () => {
    expect(await deploy({}, { isDirect: true })).toEqual([
      expect.stringMatching(/^This needs the approval of somebody else, and nobody else can give it here/),
      "Tool deploy said: no decision in time",
    ]);
    expect(await stateOf()).toBe("done");
  });

  it.each([
    ["who may decide themselves", { self: true }],
    ["where others are named", { only: new Set(["slack:T1:U2"]) }],
  ])("asks those %s, also in a direct message", async (_, rules) => {
    asking.ruledBy(rules);
    expect(await deploy({}, { isDirect: true })).toHaveLength(1);
    expect(await stateOf()).toBe("parked");
  });
});

describe("a configuration that has changed while a question was open", () => {
  const { asks: _, ...withoutAsking } = DEPLOY;

  it("does not let a call through that somebody denied, though its tool needs no approval any more", async () => {
    await deploy({ service: "api" });
    asking.ruledBy({}, [withoutAsking]);
    await asking.say(`!deny ${ID} not today`, { sender: bob });
    expect(await answer()).toEqual(["Tool deploy said: denied by bob: not today"]);
  });

  it("keeps it waiting for the answer, and then makes it as it was shown", async () => {
    await deploy({ service: "api" });
    asking.ruledBy({}, [withoutAsking]);
    expect(await asking.say(`!approve ${ID}`, { sender: bob })).toEqual(["Approved."]);
    expect(await answer()).toEqual(['Tool deploy said: deployed {"service":"api"}']);
  });

  it("tells the model where the tool is gone, and the question who has decided", async () => {
    asking.slack.canEdit();
    await deploy({ service: "api" });
    asking.ruledBy({}, []);
    await asking.press(`approve:${ID}`, { sender: bob });
    expect(await answer()).toEqual([
      expect.stringContaining("Expected one of these tools: ask, pick. Got: deploy"),
    ]);
    expect(asking.slack.edits.at(-1)?.delivery.part).toMatch(/\*\*Approved\*\* by bob\.$/);
  });

  it("hears nobody who may not decide any more", async () => {
    asking.ruledBy({ only: new Set(["slack:T1:U2"]) });
    await deploy({ service: "api" });
    asking.ruledBy({ only: new Set(["slack:T1:U9"]) });
    expect(await asking.press(`approve:${ID}`, { sender: bob })).toEqual([
      "You are not among those who may decide this.",
    ]);
    expect(await stateOf()).toBe("parked");
  });
});
