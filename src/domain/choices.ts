import type { Button, ButtonLimits } from "./button.ts";
import type { TriggerEvent } from "./event.ts";

/** What an answer offers to answer it with. */
export interface Declared {
  /** The answer without them. */
  readonly text: string;
  readonly choices: readonly string[];
}

const CHOICES_MAX = 25;
const CHOICE_CHARS_MAX = 200;

/** A block of code named `choices` that ends an answer, a choice on each line. */
const BLOCK = /(?:^|\n) {0,3}(`{3,})choices[ \t]*\n([^`]*)\n {0,3}\1[ \t]*$/;
const BEGUN = /(?:^|\n) {0,3}`{3,}(?:(c\w{0,6})|choices[ \t]*\n[^`]*(?:\n {0,3}`{0,3})?)$/;

/** One with none, or with more than can be offered, is an answer as any other. */
export function declaredChoices(markdown: string): Declared {
  const whole = markdown.trimEnd();
  const block = BLOCK.exec(whole);
  const choices = [
    ...new Set(
      (block?.[2] ?? "")
        .split("\n")
        .map(choiceOn)
        .filter((one) => one !== ""),
    ),
  ];
  if (block === null || choices.length === 0 || choices.length > CHOICES_MAX)
    return { text: markdown, choices: [] };
  return { text: whole.slice(0, block.index).trimEnd(), choices };
}

/** Of an answer that grows, what stands before its choices. */
export function beforeChoices(growing: string): string {
  const begun = BEGUN.exec(growing);
  if (begun === null || (begun[1] !== undefined && !"choices".startsWith(begun[1]))) return growing;
  return growing.slice(0, begun.index);
}

/** As a model writes one for `declaredChoices`. */
export function choicesBlock(choices: readonly string[]): string {
  return ["```choices", ...choices, "```"].join("\n");
}

function choiceOn(line: string): string {
  return line
    .trim()
    .replace(/^(?:[-*•]|\d{1,2}[.)])\s+/, "")
    .slice(0, CHOICE_CHARS_MAX)
    .toWellFormed();
}

const ID = /^choice:\d{1,2}$/;

export function choiceButtons(choices: readonly string[]): readonly Button[] {
  return choices.map((label, index) => ({ id: `choice:${index + 1}`, label }));
}

/** Whether each stands on a button of its own, and whole. */
export function fitOnButtons(
  choices: readonly string[],
  { buttonsMax, labelCharsMax }: ButtonLimits,
): "whole" | "cut" | "none" {
  if (choices.length > buttonsMax) return "none";
  return choices.every((choice) => choice.length <= labelCharsMax) ? "whole" : "cut";
}

/** A choice that is pressed says what stood on its button, as if it had been written. */
export function chosen(event: TriggerEvent): TriggerEvent {
  const label = event.pressed?.label ?? null;
  const isChoice = event.trigger === "button" && ID.test(event.command ?? "");
  return isChoice && label !== null && event.text.trim() === "" ? { ...event, text: label } : event;
}
