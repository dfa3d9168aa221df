import { get, getArray, getObject, getString, isObject, type JsonObject } from "../shared/json.ts";

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
  return "";
}

/** A submitted form: the value of its only input, or a line `name: value` for each of several. */
export function viewText(view: JsonObject): string {
  const blocks = Object.values(getObject(getObject(view, "state"), "values") ?? {});
  const inputs = blocks.flatMap((block) => (isObject(block) ? Object.entries(block) : []));
  const filled = inputs.map(([name, input]) => ({ name, text: actionText(input) }));
  const [only, ...others] = filled;
  if (only !== undefined && others.length === 0) return only.text;
  return filled.map(({ name, text }) => `${name.toWellFormed()}: ${text}`).join("\n");
}

function optionText(option: unknown): string | undefined {
  return getString(option, "value");
}

function isWord(value: unknown): value is string | number {
  return (typeof value === "string" && value !== "") || typeof value === "number";
}
