import type { Attachment, Trigger } from "../../src/domain/event.ts";
import { get, getArray, getObject, getString, type JsonObject } from "../shared/json.ts";
import { readInvocation } from "./options.ts";
import { nameOfUser } from "./people.ts";
import { isSnowflake } from "./snowflake.ts";

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
}

export type Reading =
  | { readonly kind: "content"; readonly content: Content }
  | { readonly kind: "unknown" }
  | { readonly kind: "malformed"; readonly where: string; readonly got: unknown };

/** A slash command, or one chosen from the menu of a person or of a message. */
export function readCommand(data: JsonObject): Reading {
  const name = getString(data, "name");
  if (name === undefined) return { kind: "malformed", where: "data.name", got: get(data, "name") };
  const invocation = invocationOf(name, data);
  if (invocation === undefined) return { kind: "unknown" };
  const attachments = [...attachmentsIn(getObject(data, "resolved")), ...attachmentsIn(targetMessage(data))];
  return content("command", invocation.command, invocation.text, attachments);
}

function invocationOf(name: string, data: JsonObject): { command: string; text: string } | undefined {
  switch (get(data, "type")) {
    case SLASH:
      return readInvocation(name, data);
    case USER_COMMAND:
      return { command: name, text: targetUser(data) };
    case MESSAGE_COMMAND:
      return { command: name, text: getString(targetMessage(data), "content") ?? "" };
    default:
      return undefined;
  }
}

function targetUser(data: JsonObject): string {
  const id = getString(data, "target_id") ?? "";
  const name = nameOfUser(getObject(getObject(getObject(data, "resolved"), "users"), id));
  return name === undefined ? id : `${name} (${id})`;
}

function targetMessage(data: JsonObject): JsonObject | undefined {
  return getObject(getObject(getObject(data, "resolved"), "messages"), getString(data, "target_id") ?? "");
}

/** A button, or what was chosen from a select menu. */
export function readComponent(data: JsonObject): Reading {
  return withCustomId(data, strings(getArray(data, "values")).join(", "));
}

/** A submitted form. Its fields hang in labels (type 18) or, in older forms, in rows (type 1). */
export function readModal(data: JsonObject): Reading {
  const fields = getArray(data, "components").flatMap((holder) => [
    get(holder, "component"),
    ...getArray(holder, "components"),
  ]);
  return withCustomId(data, fields.flatMap(fieldValues).join("\n"));
}

const FILE_UPLOAD = 19;

function fieldValues(field: unknown): readonly string[] {
  // The values of an upload are ids; the files themselves are among the attachments.
  if (get(field, "type") === FILE_UPLOAD) return [];
  const value = getString(field, "value");
  return value === undefined ? strings(getArray(field, "values")) : [value];
}

function withCustomId(data: JsonObject, text: string): Reading {
  const customId = getString(data, "custom_id");
  if (customId === undefined)
    return { kind: "malformed", where: "data.custom_id", got: get(data, "custom_id") };
  return content("button", customId, text, attachmentsIn(getObject(data, "resolved")));
}

/** Lone surrogates are replaced: storage and the next request are UTF-8, which has no place for them. */
function content(
  trigger: Trigger,
  command: string,
  text: string,
  attachments: readonly Attachment[],
): Reading {
  return {
    kind: "content",
    content: { trigger, command: command.toWellFormed(), text: text.toWellFormed(), attachments },
  };
}

function strings(values: readonly unknown[]): readonly string[] {
  return values.filter((value) => typeof value === "string");
}

/** A message lists its files; what an interaction refers to comes as a table by id. */
function attachmentsIn(holder: JsonObject | undefined): readonly Attachment[] {
  const table = getObject(holder, "attachments");
  return (table === undefined ? getArray(holder, "attachments") : Object.values(table)).flatMap(
    readAttachment,
  );
}

function readAttachment(file: unknown): readonly Attachment[] {
  const id = get(file, "id");
  if (!isSnowflake(id)) return [];
  const mime = getString(file, "content_type")?.toWellFormed() ?? null;
  const size = get(file, "size");
  return [
    {
      id,
      kind: kindOf(mime),
      name: getString(file, "filename")?.toWellFormed() ?? null,
      mime,
      sizeBytes: typeof size === "number" && Number.isSafeInteger(size) && size >= 0 ? size : null,
    },
  ];
}

function kindOf(mime: string | null): Attachment["kind"] {
  const family = mime?.split("/", 1)[0];
  return family === "image" || family === "audio" || family === "video" ? family : "document";
}
