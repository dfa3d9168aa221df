export type { SampleOptions, SampleRequest, Sampler } from "../../src/ports/sampler.ts";

/** JSON as platforms write it that escape whatever is not ASCII, and slashes: those bytes are what they sign. */
export function escapedJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll("/", "\\/")
    .replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
