import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beforeChoices, choicesBlock, chosen, declaredChoices } from "../../src/domain/choices.ts";
import { offering } from "../../src/reply/choices.ts";
import { anEvent } from "../support/event.ts";

const LIMITS = { buttons: { buttonsMax: 3, labelCharsMax: 20 } };
const answer = (...choices: readonly string[]) => `Which?\n\n${choicesBlock(choices)}`;

describe("choices of an answer", () => {
  it("are the lines of the block named so that ends it, each once, without marks of a list", () => {
    expect(declaredChoices("Which?\n```choices\n- A\n2. B\n\n  * C d \nA\n```\n ")).toEqual({
      text: "Which?",
      choices: ["A", "B", "C d"],
    });
    expect(declaredChoices("````choices\nA\n````")).toEqual({ text: "", choices: ["A"] });
  });

  it.each([
    "no block",
    "```choices\nA\n```\nand more words",
    "```choices\n\n```",
    "```choices\nA",
    "```choices of\nA\n```",
    "```\nA\n```",
    "    ```choices\n    A\n    ```",
    choicesBlock(Array.from({ length: 26 }, (_, i) => `c${i}`)),
  ])("are none in %j", (text) => {
    expect(declaredChoices(text)).toEqual({ text, choices: [] });
  });

  it("stand on buttons, and come back as what was said", () => {
    const { markdown, buttons = [] } = offering(answer("A", "B"), LIMITS, true);
    expect(markdown).toBe("Which?");
    expect(buttons).toEqual([
      { id: "choice:1", label: "A" },
      { id: "choice:2", label: "B" },
    ]);
    const press = anEvent({
      trigger: "button",
      command: "choice:2",
      text: "",
      pressed: { kind: "button", label: "B" },
    });
    expect(chosen(press).text).toBe("B");
    expect(chosen({ ...press, text: "said" }).text).toBe("said");
    expect(chosen({ ...press, command: "choice:x" }).text).toBe("");
    expect(chosen({ ...press, trigger: "command" }).text).toBe("");
  });

  it("stand in words where a button does not hold all of one, or there are none for so many", () => {
    const long = "The third of them, on Monday";
    const cut = offering(answer("A", long), LIMITS, true);
    expect(cut.markdown).toBe(`Which?\n\n1. A\n2. ${long}`);
    expect(cut.buttons?.map(({ label }) => label)).toEqual(["A", long]);
    const inWords = { markdown: "Which?\n\n1. 1\n2. 2\n3. 3\n4. 4" };
    expect(offering(answer("1", "2", "3", "4"), LIMITS, true)).toEqual(inWords);
    expect(offering(answer("1", "2", "3", "4"), {}, true)).toEqual(inWords);
    expect(offering(answer("A"), LIMITS, false)).toEqual({ markdown: "Which?\n\n1. A" });
    expect(offering(choicesBlock(["A"]), LIMITS, true).markdown).toBe("Please choose:");
  });

  it("are not shown of an answer that grows, and nothing else is left out", () => {
    const whole = answer("A", "B");
    for (let chars = "Which?".length; chars <= whole.length; chars++)
      expect(beforeChoices(whole.slice(0, chars)).trim()).toMatch(/^Which\?\s*`{0,3}$/);
    for (const text of ["```ts\nlet a", "a ```c", "```css", "```choicest\nA", "words"])
      expect(beforeChoices(text)).toBe(text);
  });

  it("take no time to speak of, whatever the answer is", () => {
    const piece = fc.constantFrom("```choices\n", "```", "`", "\n", " ", "a", "    ");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        const text = pieces.join("");
        const { text: said, choices } = declaredChoices(text);
        expect(text.startsWith(said)).toBe(true);
        expect(choices.length > 0 || said === text).toBe(true);
        expect(text.startsWith(beforeChoices(text))).toBe(true);
      }),
    );
    // What takes quadratic time would not come to its end here.
    for (const hostile of [
      "\n```choices\n".repeat(80_000),
      `\n\`\`\`choices\n${"\n".repeat(900_000)}`,
      "`".repeat(900_000),
    ])
      expect([declaredChoices(hostile).choices, hostile.startsWith(beforeChoices(hostile))]).toEqual([
        [],
        true,
      ]);
  });
});
