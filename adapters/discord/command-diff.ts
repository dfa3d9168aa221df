import { isDeepStrictEqual } from "node:util";
import { getString, isObject, type JsonObject } from "../../src/shared/json.ts";

export interface CommandDiff {
  /** All that are to be there. */
  readonly commands: readonly JsonObject[];
  /** A line each. */
  readonly changes: readonly string[];
}

/** What has to change so that the wanted commands are there; others stay, unless they are to go. */
export function diffOf(
  present: readonly JsonObject[],
  wanted: readonly JsonObject[],
  { prunes }: { readonly prunes: boolean },
): CommandDiff {
  const others = present.filter((one) => !wanted.some((other) => keyOf(other) === keyOf(one)));
  const changes = wanted.flatMap((one) => {
    const before = present.find((other) => keyOf(other) === keyOf(one));
    if (before === undefined) return [`+ ${nameOf(one)}`];
    return isDeepStrictEqual(plain(before, one), plain(one, one)) ? [] : [`~ ${nameOf(one)}`];
  });
  const gone = prunes ? others.map((one) => `- ${nameOf(one)}`) : [];
  // What is there already keeps its id and all that we say nothing of, such as translations.
  const kept = wanted.map((one) => {
    const before = present.find((other) => keyOf(other) === keyOf(one));
    return before === undefined ? one : { ...settable(before), ...one };
  });
  return {
    commands: [...kept, ...(prunes ? [] : others.map(settable))],
    changes: [...changes, ...gone],
  };
}

function keyOf(command: JsonObject): string {
  const type = typeof command.type === "number" ? command.type : 1;
  return `${type} ${getString(command, "name")}`;
}

const MARKS: Readonly<Record<string, string>> = { 2: "on a person: ", 3: "on a message: " };

function nameOf(command: JsonObject): string {
  const mark = MARKS[String(command.type)] ?? "/";
  return `${mark}${getString(command, "name")}`;
}

const READ_ONLY = ["application_id", "guild_id", "version"];

function settable(command: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(command).filter(([key]) => !READ_ONLY.includes(key)));
}

/** Of what Discord gives, what we say something of; what is absent and what is empty are the same. */
function plain(value: unknown, like: unknown): unknown {
  if (Array.isArray(value)) {
    const model = Array.isArray(like) ? like : [];
    const numbers = value.filter((one) => typeof one === "number");
    return numbers.length === value.length
      ? numbers.sort((a, b) => a - b)
      : value.map((one, index) => plain(one, model[index] ?? {}));
  }
  if (!isObject(value)) return value;
  const keys =
    isObject(like) && "name" in like
      ? COMPARED.filter((key) => key in value || key in like)
      : Object.keys(value);
  const entries = keys.map(
    (key) => [key, plain(value[key], isObject(like) ? like[key] : undefined)] as const,
  );
  return Object.fromEntries(entries.filter(([, one]) => !isNothing(one)));
}

const COMPARED = [
  ...["name", "type", "description", "options", "choices", "value", "required", "autocomplete"],
  ...["contexts", "integration_types"],
];

function isNothing(value: unknown): boolean {
  return (
    value === undefined ||
    value === null ||
    value === false ||
    value === "" ||
    (Array.isArray(value) && value.length === 0)
  );
}
