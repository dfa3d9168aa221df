import { beforeEach, describe, expect, it } from "vitest";
import { type Asking, bob, openAsking } from "./support/asking.ts";

const ID = "apr_1_1";
let asking: Asking;
beforeEach(async () => {
  asking = await openAsking();
  asking.slack.canEdit();
});

const ask = () => asking.say('demo: tool pick {"question":"Deploy?","choices":["Deploy","Not *now*"]}');
const answer = () => asking.read(() => asking.runOne());
const lastEdit = () => asking.slack.edits.at(-1)?.delivery.part as string | undefined;
const told = (choice: string | null, more: object = {}) =>
  `Tool pick said: ${JSON.stringify({ choice, by: { id: bob.id, name: bob.name }, ...more })}`;

describe("a question with answers of its own", () => {
  it("has them as buttons and in words, and gives the one that is pressed", async () => {
    const [question] = await ask();
    expect(question).toContain(
      `> Deploy?\n\n1. Deploy\n2. Not \\*now\\*\n\nChoose with \`/approve ${ID} 1\``,
    );
    expect(question).toContain(`[Not *now*](approve:${ID}:2)`);
    expect(await asking.press(`approve:${ID}:2`, { sender: bob })).toEqual(["Your answer is noted."]);
    expect(await answer()).toEqual([told("Not *now*")]);
    expect(lastEdit()).toMatch(/\*\*Not \\\*now\\\*\*\*, chosen by bob\.$/);
  });

  it("takes a number by command, none that it has not, and the first where none is named", async () => {
    await ask();
    const word = (text: string) => asking.say(text, { sender: bob });
    expect(await word(`!approve ${ID} 3`)).toEqual([
      "That is not among the answers: expected a number from 1 to 2.",
    ]);
    expect(await word(`!approve ${ID}`)).toEqual(["Your answer is noted."]);
    expect(await answer()).toEqual([told("Deploy")]);
  });

  it("tells who declined, and why", async () => {
    await ask();
    expect(await asking.say(`!deny ${ID} too late`, { sender: bob })).toEqual(["Your answer is noted."]);
    expect(await answer()).toEqual([told(null, { reason: "too late" })]);
  });
});
