import { z } from "zod";
import { BUSY_MODES } from "../domain/busy.ts";

// What the schemas of both kinds of file are made of.

export const apiVersion = z
  .literal("parley/v1")
  .default("parley/v1")
  .describe("Version of the file format; `parley/v1` is the only one.");
export const count = (min: number, max: number) => z.int().min(min).max(max);
export const seconds = (max: number) => count(1, max);
export const DAY = 86_400;
export const YEAR = 366 * DAY;

export const agentName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, {
  error: "expected 1 to 63 letters, digits, dots, dashes or underscores, the first a letter or digit",
});

export function notYet(available: readonly string[], later: readonly string[]) {
  return (issue: { input?: unknown }) =>
    later.includes(String(issue.input))
      ? `expected ${available.join(" or ")}, got "${String(issue.input)}", which is not available in this version`
      : `expected ${available.join(" or ")}`;
}

export const busy = z.enum(BUSY_MODES);
