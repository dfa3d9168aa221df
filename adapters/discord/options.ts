import { CARRIER } from "../../src/domain/command.ts";
import { get, getArray, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import { nameOfUser } from "./people.ts";

/** Application command option types: https://discord.com/developers/docs/interactions/application-commands */
const SUB_COMMAND = 1;
const SUB_COMMAND_GROUP = 2;
export const STRING = 3;
export const INTEGER = 4;
const USER = 6;
const CHANNEL = 7;
const ROLE = 8;
const MENTIONABLE = 9;
export const NUMBER = 10;
const ATTACHMENT = 11;

/** A slash command as it was typed: `/deploy run` and what was filled in. */
export interface Invocation {
  readonly command: string;
  readonly text: string;
}

/**
 * The path of sub-commands goes into the command, the values into the text. A lone text is taken as it is, for
 * `/ask question:…` is the usual shape; anything else becomes `name=value` pairs; a command to the gateway
 * itself is read as it would be typed (`/parley deny apr_1 too risky`). Files are attachments, not text.
 */
export function readInvocation(name: string, data: JsonObject): Invocation {
  const { path, options } = optionsIn(name, data);
  const values = options.flatMap((option) => readValue(option, getObject(data, "resolved")));
  const [only] = values;
  const text =
    values.length === 1 && only?.type === STRING
      ? only.shown
      : name === CARRIER
        ? values.map(({ shown }) => shown).join(" ")
        : values.map((value) => `${value.name}=${value.shown}`).join(" ");
  return { command: `/${path}`, text };
}

/** `deploy run`, and what was filled in there. */
export function optionsIn(name: string, data: JsonObject): { path: string; options: readonly unknown[] } {
  const path = [name];
  let options = getArray(data, "options");
  // Nesting is bounded by the JSON reader; Discord itself knows two levels.
  for (let inner = subCommandIn(options); inner !== undefined; inner = subCommandIn(options)) {
    path.push(inner.name);
    options = inner.options;
  }
  return { path: path.join(" "), options };
}

function subCommandIn(
  options: readonly unknown[],
): { name: string; options: readonly unknown[] } | undefined {
  const [first] = options;
  const type = get(first, "type");
  const name = getString(first, "name");
  if ((type !== SUB_COMMAND && type !== SUB_COMMAND_GROUP) || name === undefined) return undefined;
  return { name, options: getArray(first, "options") };
}

interface OptionValue {
  readonly name: string;
  readonly type: unknown;
  readonly shown: string;
}

function readValue(option: unknown, resolved: JsonObject | undefined): readonly OptionValue[] {
  const name = getString(option, "name");
  const type = get(option, "type");
  const value = get(option, "value");
  if (name === undefined || type === ATTACHMENT) return [];
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return [];
  return [{ name, type, shown: show(type, String(value), resolved) }];
}

/** Ids of people, channels and roles with the name beside them: the model needs the one, tools the other. */
function show(type: unknown, value: string, resolved: JsonObject | undefined): string {
  const name = nameBehind(type, value, resolved);
  return name === undefined ? value : `${name} (${value})`;
}

function nameBehind(type: unknown, id: string, resolved: JsonObject | undefined): string | undefined {
  const named = (kind: string) => getString(getObject(getObject(resolved, kind), id), "name");
  const user = () => nameOfUser(getObject(getObject(resolved, "users"), id));
  switch (type) {
    case USER:
      return user();
    case CHANNEL:
      return named("channels");
    case ROLE:
      return named("roles");
    case MENTIONABLE:
      return user() ?? named("roles");
    default:
      return undefined;
  }
}
