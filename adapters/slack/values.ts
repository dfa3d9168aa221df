import type { Attachment } from "../../src/domain/attachment.ts";
import type { Pressed } from "../../src/domain/event.ts";
import { get, getArray, getObject, getString, isObject, type JsonObject } from "../../src/shared/json.ts";
import { blocksText } from "./blocks.ts";
import { filesOf } from "./files.ts";
import { readableText } from "./text.ts";

const NOBODY: ReadonlySet<string> = new Set();

/** Where Slack's elements keep a choice that is neither a plain value nor an option. */
const CHOICES = [
  "selected_user",
  "selected_channel",
  "selected_conversation",
  "selected_date",
  "selected_time",
  "selected_date_time",
  "selected_users",
  "selected_channels",
  "selected_conversations",
];

/** What a button, a choice or an input says; empty when it says nothing. */
export function actionText(action: unknown): string {
  const value = getString(action, "value") ?? optionText(getObject(action, "selected_option"));
  if (value !== undefined) return value.toWellFormed();
  const options = getArray(action, "selected_options").flatMap((option) => optionText(option) ?? []);
  if (options.length > 0) return options.join(", ").toWellFormed();
  for (const choice of CHOICES) {
    const chosen = [get(action, choice)].flat().filter(isWord);
    if (chosen.length > 0) return chosen.join(", ").toWellFormed();
  }
  const rich = getObject(action, "rich_text_value");
  if (rich !== undefined) return readableText(blocksText([rich]), NOBODY).toWellFormed();
  return filesOf(action)
    .flatMap(({ name }) => name ?? [])
    .join(", ");
}

/** What was handed in with a form. */
export function filesIn(view: JsonObject): readonly Attachment[] {
  return inputsIn(getObject(view, "state")).flatMap(([, input]) => filesOf(input));
}

/** A submitted form: the value of its only input, or a line `name: value` for each of several. */
export function viewText(view: JsonObject): string {
  const filled = filledIn(getObject(view, "state"));
  const [only, ...others] = filled;
  if (only !== undefined && others.length === 0) return only.text;
  return filled.map(({ name, text }) => `${name}: ${text}`).join("\n");
}

/** What was pressed or chosen, as the person saw it. */
export function pressedOf(action: unknown): Pressed {
  const type = getString(action, "type") ?? "button";
  if (type === "button" || type === "workflow_button")
    return { kind: "button", label: labelTextOf(get(action, "text")) };
  const chosen = [get(action, "selected_option"), ...getArray(action, "selected_options")];
  const labels = chosen.flatMap((option) => labelTextOf(get(option, "text")) ?? []);
  // An overflow menu is a row of buttons behind three dots: each of its options does something.
  const kind = type === "overflow" ? "button" : "choice";
  return { kind, label: labels.length > 0 ? labels.join(", ") : null };
}

export function labelTextOf(text: unknown): string | null {
  return getString(text, "text")?.toWellFormed() ?? null;
}

/** What stands in the inputs of the message or the view when its button is pressed. */
export function inputLines(payload: JsonObject): string[] {
  return filledIn(getObject(payload, "state") ?? getObject(getObject(payload, "view"), "state")).flatMap(
    ({ name, text }) => (text === "" ? [] : `${name}: ${text}`),
  );
}

/** Bounded by Slack: at most 100 blocks, each with one input or 25 elements. */
function inputsIn(state: JsonObject | undefined): [name: string, input: unknown][] {
  const blocks = Object.values(getObject(state, "values") ?? {});
  return blocks.flatMap((block) => (isObject(block) ? Object.entries(block) : []));
}

function filledIn(state: JsonObject | undefined): { name: string; text: string }[] {
  return inputsIn(state).map(([name, input]) => ({ name: name.toWellFormed(), text: actionText(input) }));
}

function optionText(option: unknown): string | undefined {
  return getString(option, "value");
}

function isWord(value: unknown): value is string | number {
  return (typeof value === "string" && value !== "") || typeof value === "number";
}
