import { isObject, type JsonObject } from "../../src/shared/json.ts";

/** What tells the members of a list of objects apart. */
const KEYS = ["command", "callback_id"] as const;
/** What belongs to whoever made the app: how it is called and looks. */
const THEIRS = new Set(["/_metadata", "/display_information", "/features/bot_user"]);

/**
 * What the app has, and whatever of `wanted` it lacks: what somebody added by hand stays, and so does what it is called. Gives
 * a line for each difference, too.
 */
export function merged(
  current: JsonObject,
  wanted: JsonObject,
): { readonly manifest: JsonObject; readonly changes: readonly string[] } {
  const changes: string[] = [];
  const manifest = mergedObject(current, wanted, "", changes);
  return { manifest, changes };
}

function mergedObject(current: JsonObject, wanted: JsonObject, path: string, changes: string[]): JsonObject {
  const all = { ...current };
  for (const [key, value] of Object.entries(wanted))
    all[key] = mergedValue(current[key], value, `${path}/${key}`, changes);
  return all;
}

function mergedValue(current: unknown, wanted: unknown, path: string, changes: string[]): unknown {
  if (THEIRS.has(path) && current !== undefined) return current;
  if (Array.isArray(wanted)) return mergedList(Array.isArray(current) ? current : [], wanted, path, changes);
  if (isObject(wanted)) return mergedObject(isObject(current) ? current : {}, wanted, path, changes);
  if (current !== wanted) changes.push(`${path}: ${shown(current)} → ${shown(wanted)}`);
  return wanted;
}

function mergedList(
  current: readonly unknown[],
  wanted: readonly unknown[],
  path: string,
  changes: string[],
): unknown[] {
  const all = [...current];
  for (const one of wanted) {
    const at = all.findIndex((other) => isSame(other, one));
    if (at >= 0) all[at] = mergedValue(all[at], one, `${path}/${nameOf(one)}`, changes);
    else {
      all.push(one);
      changes.push(`${path}: + ${nameOf(one)}`);
    }
  }
  return all;
}

function isSame(one: unknown, other: unknown): boolean {
  return nameOf(one) === nameOf(other);
}

function nameOf(one: unknown): string {
  if (!isObject(one)) return String(one);
  const key = KEYS.find((name) => typeof one[name] === "string");
  return key === undefined ? JSON.stringify(one) : String(one[key]);
}

function shown(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
