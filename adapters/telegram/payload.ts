import { get } from "../../src/shared/json.ts";

/** Telegram's ids fit in 52 bits, so a number that is not a safe integer is not one of them. */
export function integer(object: unknown, key: string): number | undefined {
  const value = get(object, key);
  return typeof value === "number" && Number.isSafeInteger(value) ? value : undefined;
}

/** An id as the rest of the gateway wants it: a string. */
export function id(object: unknown, key: string): string | undefined {
  const value = integer(object, key);
  return value === undefined ? undefined : String(value);
}

export function flag(object: unknown, key: string): boolean {
  return get(object, key) === true;
}

/** Telegram's times are whole seconds. Undefined for one that no calendar holds. */
export function timeMs(object: unknown, key: string): number | undefined {
  const seconds = integer(object, key);
  return seconds !== undefined && seconds > 0 && seconds < 8.64e12 ? seconds * 1000 : undefined;
}
