import { z } from "zod";
import { BUSY_MODES, type BusyMode } from "../domain/busy.ts";
import { PLATFORMS } from "../domain/event.ts";

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

/** No client calls an address with a password in it, and whoever prints it prints the password. */
export const httpUrl = z
  .url({ protocol: /^https?$/, error: "expected an http:// or https:// address" })
  .max(2_000)
  .refine(hasNoLogin, {
    error: "expected an address without a user name and password, got one with them",
  });

function hasNoLogin(text: string): boolean {
  const url = URL.parse(text);
  return url === null || (url.username === "" && url.password === "");
}

/** A workspace, as conversations begin. */
export const tenantName = z.string().regex(new RegExp(`^(?:${PLATFORMS.join("|")}):[^:]+$`), {
  error: `expected platform:workspace, the platform one of ${PLATFORMS.join(", ")}`,
});

const QUIET_MS_MAX = 30_000;

export const busy = z.union([
  z.enum(BUSY_MODES),
  z.strictObject({ mode: z.literal("collect"), quiet_ms: count(1, QUIET_MS_MAX) }),
]);
type BusySpec = z.output<typeof busy>;

export function busyModeOf(busy: BusySpec): BusyMode {
  return typeof busy === "string" ? busy : busy.mode;
}

export function busyQuietMs(busy: BusySpec): number {
  return typeof busy === "string" ? 0 : busy.quiet_ms;
}

const linkHost = z
  .string()
  .max(255)
  .regex(/^(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/, {
    error:
      "expected the name of a host in small letters, without scheme and port, such as docs.example.com or *.example.com (other letters as xn--…)",
  });

export const linkHosts = z.union([z.literal("any"), z.array(linkHost).max(1_000)]);
