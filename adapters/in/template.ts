import { TEXT_CHARS_MAX } from "../../src/domain/bounds.ts";
import { get, isObject, type JsonObject } from "../../src/shared/json.ts";

/** `{/build/id}`: what a JSON pointer (RFC 6901) leads to; `{}`: the whole body. Nothing else is looked at, and nothing run. */
const POINTER = /\{((?:\/[^{}]*)?)\}/g;

/**
 * What is not there, or null, is nothing; an object or a list is its JSON. Behind `charsMax` nothing is filled in: a body
 * that is said a hundred times is a hundred times as large.
 */
export function filled(template: string, body: JsonObject, charsMax = TEXT_CHARS_MAX): string {
  let chars = 0;
  return template.replaceAll(POINTER, (_, pointer: string) => {
    if (chars > charsMax) return "";
    const words = wordsOf(valueAt(body, pointer));
    chars += words.length;
    return words;
  });
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
