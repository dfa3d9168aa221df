import { get, isObject, type JsonObject } from "../../src/shared/json.ts";

/** `{/build/id}`: what a JSON pointer (RFC 6901) leads to; `{}`: the whole body. Nothing else is looked at, and nothing run. */
const POINTER = /\{((?:\/[^{}]*)?)\}/g;

/** What is not there, or null, is nothing; an object or a list is its JSON. */
export function filled(template: string, body: JsonObject): string {
  return template.replaceAll(POINTER, (_, pointer: string) => wordsOf(valueAt(body, pointer)));
}

function valueAt(body: JsonObject, pointer: string): unknown {
  let value: unknown = body;
  for (const part of pointer.split("/").slice(1)) {
    const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (Array.isArray(value)) value = /^(?:0|[1-9]\d{0,8})$/.test(key) ? value[Number(key)] : undefined;
    else value = isObject(value) ? get(value, key) : undefined;
  }
  return value;
}

function wordsOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
