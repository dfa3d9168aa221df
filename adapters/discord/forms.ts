import { get, getArray, getString, type JsonObject } from "../../src/shared/json.ts";
import type { Faults, Field, Form, Forms } from "../shared/forms.ts";
import { EPHEMERAL } from "./body.ts";

export const DISCORD_FIELDS = ["user", "channel", "role", "file"] as const;

const MODAL = 9;
const LABEL = 18;
const TEXT_INPUT = 4;
const SELECTS: Readonly<Record<string, number>> = { choice: 3, choices: 3, user: 5, role: 6, channel: 8 };
const FILE_UPLOAD = 19;
const FILES_MAX = 10;

/** What opens it, as the first answer to an interaction. */
export function modalAnswer({ id, title, fields }: Form): object {
  const components = fields.map((field) => ({
    type: LABEL,
    label: field.label,
    component: componentOf(field),
  }));
  return { type: MODAL, data: { custom_id: id, title, components } };
}

function componentOf({ id, type, required, placeholder, max_length, choices = [] }: Field): object {
  const common = { custom_id: id, required };
  const hint = placeholder === undefined ? {} : { placeholder };
  const select = SELECTS[type];
  if (type === "file")
    return { type: FILE_UPLOAD, ...common, min_values: required ? 1 : 0, max_values: FILES_MAX };
  if (select !== undefined) {
    const options = choices.map((choice) => ({ label: choice, value: choice }));
    return {
      type: select,
      ...common,
      ...hint,
      ...(options.length > 0 && { options }),
      ...(type === "choices" && { min_values: required ? 1 : 0, max_values: options.length }),
    };
  }
  const style = type === "paragraph" ? 2 : 1;
  return { type: TEXT_INPUT, ...common, ...hint, style, ...(max_length !== undefined && { max_length }) };
}

/** What is wrong with a form that was sent. */
export function faultsOf(data: JsonObject, forms: Forms): Faults {
  const fields = getArray(data, "components").map((holder) => get(holder, "component"));
  const filled = (id: string) =>
    getString(
      fields.find((field) => getString(field, "custom_id") === id),
      "value",
    ) ?? "";
  return forms.faultsIn(getString(data, "custom_id") ?? "", filled);
}

/** Discord closes a form that was sent, whatever is in it: the person is told what to write when they open it again. */
export function faultsAnswer(faults: Faults): object {
  const lines = faults.map(
    ({ field, message }) => `**${field.label.replaceAll(/[*_`~|\\]/g, "\\$&")}**: ${message}`,
  );
  const content = `This was not sent:\n${lines.join("\n")}`;
  return { type: 4, data: { content, flags: EPHEMERAL, allowed_mentions: { parse: [] } } };
}
