import { JSON_DEPTH_MAX } from "../domain/bounds.ts";

export type JsonObject = { readonly [key: string]: unknown };

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** The body as a JSON object, or why it is none. Never throws. */
export function readJsonObject(
  body: Buffer,
): { ok: true; value: JsonObject } | { ok: false; message: string } {
  let text: string;
  try {
    text = utf8.decode(body);
  } catch {
    return { ok: false, message: "Expected UTF-8, got other bytes" };
  }
  return parseJsonObject(text);
}

export function parseJsonObject(
  text: string,
): { ok: true; value: JsonObject } | { ok: false; message: string } {
  if (text.length === 0) return { ok: false, message: "Expected a JSON object, got an empty body" };
  if (isTooDeep(text))
    return { ok: false, message: `Expected at most ${JSON_DEPTH_MAX} levels of nesting, got more` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const where = /position \d+/.exec(error instanceof Error ? error.message : "")?.[0];
    return { ok: false, message: `Expected JSON, got something else${where ? ` at ${where}` : ""}` };
  }
  if (!isObject(value)) return { ok: false, message: `Expected a JSON object, got ${nameOf(value)}` };
  return { ok: true, value };
}

/** A bound on nesting before parsing: deep input makes every later recursive walk a stack overflow. */
function isTooDeep(text: string): boolean {
  // Each level needs a bracket, so few brackets cannot nest deeply: that spares nearly every payload the scan.
  const half = JSON_DEPTH_MAX / 2;
  return (occursMoreThan(half, "{", text) || occursMoreThan(half, "[", text)) && nestsTooDeep(text);
}

function occursMoreThan(times: number, char: string, text: string): boolean {
  let at = -1;
  for (let count = 0; count <= times; count++) {
    at = text.indexOf(char, at + 1);
    if (at === -1) return false;
  }
  return true;
}

function nestsTooDeep(text: string): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 92) i++;
      else if (c === 34) inString = false;
    } else if (c === 34) inString = true;
    else if (c === 123 || c === 91) {
      if (++depth > JSON_DEPTH_MAX) return true;
    } else if (c === 125 || c === 93) depth--;
  }
  return false;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** An own property only, so that `constructor` and `__proto__` in a payload are just absent names. */
export function get(object: unknown, key: string): unknown {
  return isObject(object) && Object.hasOwn(object, key) ? object[key] : undefined;
}

/** A non-empty string; anything else is undefined. */
export function getString(object: unknown, key: string): string | undefined {
  const value = get(object, key);
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function getObject(object: unknown, key: string): JsonObject | undefined {
  const value = get(object, key);
  return isObject(value) ? value : undefined;
}

export function getArray(object: unknown, key: string): readonly unknown[] {
  const value = get(object, key);
  return Array.isArray(value) ? value : [];
}

/** How to name a value in an error: `null`, `an array`, `a number`. */
export function nameOf(value: unknown): string {
  if (value === null) return "null";
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** The media type before `;`, lower-case; empty when the header is absent. */
export function mediaType(header: string | undefined): string {
  return (header ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}
