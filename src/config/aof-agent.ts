import { isObject, type JsonObject } from "../shared/json.ts";

/** `anthropic:claude-sonnet-5`, of providers that go by the same name here. */
const MODEL = /^(anthropic|openai|bedrock):(\S+)$/;

/** Whether it says that it is a file of AOF. */
export function isOfAof(value: unknown): value is JsonObject {
  return isObject(value) && typeof value.apiVersion === "string" && /^aof\b/i.test(value.apiVersion);
}

/**
 * An agent of AOF, or a list of them, as it would be written here: what only has another name, or stands in another place, and means
 * the same. Whatever else it says is left for the schema to refuse.
 */
export function asOurs(given: JsonObject): JsonObject {
  const { apiVersion: _, ...file } = given;
  if (Array.isArray(file.items))
    return { ...file, items: file.items.map((item: unknown) => (isObject(item) ? withOurSpec(item) : item)) };
  return withOurSpec(file);
}

function withOurSpec(file: JsonObject): JsonObject {
  return isObject(file.spec) ? { ...file, spec: ourSpec(file.spec) } : file;
}

/** A key that stands in both forms stays where it is: which of them counts, nobody knows. */
function ourSpec(spec: JsonObject): JsonObject {
  const model = modelOf(spec.model);
  if (model === null) return spec;
  const ours: Record<string, unknown> = { ...spec, model };
  move(ours, "instructions", ours, "system_prompt");
  move(ours, "temperature", model);
  move(ours, "max_tokens", model);
  const limits = { ...(isObject(spec.limits) ? spec.limits : {}) };
  if (move(ours, "max_iterations", limits)) ours.limits = limits;
  return ours;
}

function modelOf(model: unknown): Record<string, unknown> | null {
  if (isObject(model)) return { ...model };
  const [, provider, name] = (typeof model === "string" && MODEL.exec(model)) || [];
  return provider === undefined ? null : { provider, model: name };
}

/** Gives whether there was something to move, and room for it. */
function move(
  from: Record<string, unknown>,
  key: string,
  to: Record<string, unknown>,
  name: string = key,
): boolean {
  if (from[key] === undefined || to[name] !== undefined) return false;
  to[name] = from[key];
  delete from[key];
  return true;
}
