import type { Attachment } from "../../src/domain/attachment.ts";
import type { ContextItem } from "../../src/domain/context.ts";
import type { Pressed, Trigger } from "../../src/domain/event.ts";
import { MENTIONS_MAX, type Mention } from "../../src/domain/mention.ts";
import { get, getArray, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import { pressedItem, targetItems } from "./context.ts";
import { attachmentsIn } from "./files.ts";
import { namelessIn, namesChosen, readableText } from "./mentions.ts";
import { readInvocation } from "./options.ts";
import { nameOfUser } from "./people.ts";
import { componentsIn, labelOf } from "./text.ts";

/** Application command types. */
const SLASH = 1;
const USER_COMMAND = 2;
const MESSAGE_COMMAND = 3;

/** What was said with an interaction. */
export interface Content {
  readonly trigger: Trigger;
  readonly command: string;
  readonly text: string;
  readonly attachments: readonly Attachment[];
  readonly pressed?: Pressed;
  readonly context?: readonly ContextItem[];
  readonly mentions?: readonly Mention[];
}

export type Reading =
  | { readonly kind: "content"; readonly content: Content }
  | { readonly kind: "unknown" }
  | { readonly kind: "malformed"; readonly where: string; readonly got: unknown };

/** A slash command, or one chosen from the menu of a person or of a message. */
export function readCommand(data: JsonObject, applicationId: string): Reading {
  const name = getString(data, "name");
  if (name === undefined) return { kind: "malformed", where: "data.name", got: get(data, "name") };
  const invocation = invocationOf(name, data);
  if (invocation === undefined) return { kind: "unknown" };
  const attachments = attachmentsIn(getObject(data, "resolved"));
  if (get(data, "type") !== MESSAGE_COMMAND)
    return content("command", { ...invocation, ...namedIn(invocation.text, data), attachments });
  const context = targetItems(targetMessage(data), applicationId);
  // What routes look at; the agent is shown it as what it is, the words of somebody else.
  const text = context.find(({ kind }) => kind === "target")?.text ?? "";
  return content("command", { ...invocation, text, attachments, context });
}

function invocationOf(name: string, data: JsonObject): { command: string; text: string } | undefined {
  switch (get(data, "type")) {
    case SLASH:
      return readInvocation(name, data);
    case USER_COMMAND:
      return { command: name, text: targetUser(data) };
    case MESSAGE_COMMAND:
      return { command: name, text: "" };
    default:
      return undefined;
  }
}

function targetUser(data: JsonObject): string {
  const id = getString(data, "target_id") ?? "";
  const name = nameOfUser(getObject(getObject(getObject(data, "resolved"), "users"), id));
  return name === undefined ? id : `${name} (${id})`;
}

/** A text that was typed into a command or a form, as people read it, and whom it names beside those that were chosen. */
function namedIn(text: string, data: JsonObject): Pick<Content, "text" | "mentions"> {
  const resolved = getObject(data, "resolved");
  const nameOf = namesChosen(resolved);
  const mentions = [...chosenIn(resolved), ...namelessIn(text, NOBODY, nameOf)].slice(0, MENTIONS_MAX);
  return { text: readableText(text, NOBODY, nameOf), ...(mentions.length > 0 && { mentions }) };
}

/** Also the bot is named there as anybody is. */
const NOBODY = "";

/** The people and channels that were chosen for a command, and are shown by their names. */
function chosenIn(resolved: JsonObject | undefined): readonly Mention[] {
  const all = [
    ...Object.entries(getObject(resolved, "users") ?? {}).map(([id, user]) => [
      "person",
      id,
      nameOfUser(user),
    ]),
    ...Object.entries(getObject(resolved, "channels") ?? {}).map(([id, one]) => [
      "channel",
      id,
      getString(one, "name"),
    ]),
  ] as const;
  return all
    .slice(0, MENTIONS_MAX)
    .flatMap(([kind, id, name]) =>
      name === undefined ? [] : [{ kind, id, name: name.toWellFormed() } as Mention],
    );
}

function targetMessage(data: JsonObject): JsonObject | undefined {
  return getObject(getObject(getObject(data, "resolved"), "messages"), getString(data, "target_id") ?? "");
}

/** A button, or what was chosen from a select menu; `message` holds it. */
export function readComponent(
  data: JsonObject,
  message: JsonObject | undefined,
  applicationId: string,
): Reading {
  const isButton = (get(data, "component_type") ?? BUTTON) === BUTTON;
  const component = componentsIn(message).find((one) => get(one, "custom_id") === get(data, "custom_id"));
  const chosen = strings(getArray(data, "values")).map((value) => choiceOf(value, component, data));
  return withCustomId(data, {
    text: chosen.join(", "),
    pressed: { kind: isButton ? "button" : "choice", label: labelOf(component) },
    context: pressedItem(message, applicationId),
  });
}

const BUTTON = 2;

/** What was chosen as the person saw it, with the value that stands for it: the model needs the one, tools the other. */
function choiceOf(value: string, component: unknown, data: JsonObject): string {
  const option = getArray(component, "options").find((one) => get(one, "value") === value);
  const shown = getString(option, "label") ?? resolvedName(value, getObject(data, "resolved"));
  return shown === undefined || shown === value ? value : `${shown} (${value})`;
}

/** Of a menu of people, roles or channels. */
function resolvedName(id: string, resolved: JsonObject | undefined): string | undefined {
  const named = (kind: string) => getString(getObject(getObject(resolved, kind), id), "name");
  return nameOfUser(getObject(getObject(resolved, "users"), id)) ?? named("roles") ?? named("channels");
}

/** A submitted form. Its fields hang in labels (type 18) or, in older forms, in rows (type 1). */
export function readModal(data: JsonObject, message: JsonObject | undefined, applicationId: string): Reading {
  const fields = getArray(data, "components")
    .flatMap((holder) => [get(holder, "component"), ...getArray(holder, "components")])
    .flatMap((field) => fieldOf(field, data));
  const [only] = fields;
  // A lone field is what the form is about; of several, each says which it is.
  const isOne = fields.length === 1 && only !== undefined;
  const text = isOne ? only.shown : fields.map(({ name, shown }) => `${name}: ${shown}`).join("\n");
  return withCustomId(data, {
    ...namedIn(text, data),
    pressed: { kind: "form", label: isOne ? only.name.slice(0, LABEL_CHARS_MAX).toWellFormed() : null },
    context: pressedItem(message, applicationId),
  });
}

const LABEL_CHARS_MAX = 200;
const FILE_UPLOAD = 19;

/** Discord does not repeat what stood above a field, so it is known by its id. */
function fieldOf(field: unknown, data: JsonObject): readonly { name: string; shown: string }[] {
  // The values of an upload are ids; the files themselves are among the attachments.
  if (get(field, "type") === FILE_UPLOAD) return [];
  const chosen = strings(getArray(field, "values")).map((value) => choiceOf(value, undefined, data));
  const shown = fieldValue(get(field, "value")) ?? chosen.join(", ");
  return shown === "" ? [] : [{ name: getString(field, "custom_id") ?? "field", shown }];
}

/** Text, one of several, or a box that is ticked or not. */
function fieldValue(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "boolean" ? String(value) : undefined;
}

function withCustomId(
  data: JsonObject,
  said: Pick<Content, "text" | "mentions" | "pressed" | "context">,
): Reading {
  const customId = getString(data, "custom_id");
  if (customId === undefined)
    return { kind: "malformed", where: "data.custom_id", got: get(data, "custom_id") };
  const attachments = attachmentsIn(getObject(data, "resolved"));
  return content("button", { ...said, command: customId, attachments });
}

/** Lone surrogates are replaced: storage and the next request are UTF-8, which has no place for them. */
function content(trigger: Trigger, { context = [], ...said }: Omit<Content, "trigger">): Reading {
  const { command, text } = said;
  return {
    kind: "content",
    content: {
      ...said,
      trigger,
      command: command.toWellFormed(),
      text: text.toWellFormed(),
      ...(context.length > 0 && { context }),
    },
  };
}

function strings(values: readonly unknown[]): readonly string[] {
  return values.filter((value) => typeof value === "string");
}
