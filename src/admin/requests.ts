import { z } from "zod";
import { closest } from "../config/closest.ts";
import { findings, formatPath, got, type Path } from "../config/problems.ts";
import { AUDIT_ROLES } from "../domain/audit.ts";
import { PLATFORMS } from "../domain/event.ts";
import { REFUSED_OUTCOMES, type RequestOutcome } from "../domain/request.ts";
import { tenantIn } from "../domain/tenant.ts";
import { LIFE_STATES, type LifeState } from "../feed/life.ts";
import { EVENT_STATES } from "../ports/journal.ts";
import { QUESTION_STATES } from "../ports/questions.ts";
import { parseJsonObject } from "../shared/json.ts";
import { isMoment } from "../shared/time.ts";
import {
  BODY_BYTES_MAX,
  BULK_IDS_MAX,
  BULK_MAX,
  PAGE_DEFAULT,
  PAGE_MAX,
  UNREAD_BYTES_MAX,
} from "./bounds.ts";
import { type ListName, placeOf } from "./cursor.ts";
import { LETTER_KINDS } from "./schemas.ts";

/** What callers of the admin API may ask. */

const name = z.string().min(1).max(2_000);
const moment = (what: string) =>
  z
    .string()
    .refine(isMoment, { error: "expected an ISO time, or a span such as 30m, 2h or 7d" })
    .optional()
    .describe(
      `${what}: an ISO time (UTC where it names no zone), or a span before now such as 30m, 2h or 7d.`,
    );
const limit = z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE_DEFAULT);
/** What `next` said; nothing else is one, a number neither. */
const cursor = (list: ListName) =>
  z
    .string()
    .refine((text) => placeOf(list, text) !== null, {
      error: "expected the `next` of a page of this list, as it was given",
    })
    .optional()
    .describe("The `next` of the page before, as it was given.");
const seqCursor = (list: ListName) =>
  cursor(list).transform((text) => (text === undefined ? undefined : Number(placeOf(list, text))));
/** One of these, or several with commas between. */
const some = <T extends string>(choices: readonly T[], what: string) =>
  z
    .string()
    .max(400)
    .refine((text) => strangers(text, choices).length === 0, {
      error: ({ input }) => notAmong(strangers(String(input), choices)[0] ?? "", choices),
    })
    .transform((text) => text.split(",") as T[])
    .optional()
    .describe(`${what}, or several with commas between: ${choices.join(", ")}.`);
const strangers = (text: string, choices: readonly string[]) =>
  text.split(",").filter((one) => !choices.includes(one));

const place = {
  platform: z.enum(PLATFORMS).optional(),
  conversation: name.optional(),
};
export const tenantKey = z
  .string()
  .max(200)
  .refine((text) => tenantIn(text) !== null, {
    error: `expected platform:id, the platform one of ${PLATFORMS.join(", ")}`,
  })
  .describe("One workspace: platform and id with a colon between.");
const tenant = tenantKey.optional();
const letterFilter = {
  ...place,
  agent: name.optional(),
  kind: z.enum(LETTER_KINDS).optional(),
  cause: name.optional().describe("A part of the cause, whatever the case of letters."),
  since: moment("Died at or after"),
  until: moment("Died before"),
};

export const eventsQuery = z.strictObject({
  state: z.enum(EVENT_STATES).optional(),
  ...place,
  tenant,
  since: moment("Accepted at or after"),
  until: moment("Accepted before"),
  limit,
  before: seqCursor("events"),
});
export type EventsQuery = z.output<typeof eventsQuery>;

export const lettersQuery = z.strictObject({ ...letterFilter, limit, before: seqCursor("letters") });
export type LetterFilter = Omit<z.output<typeof lettersQuery>, "limit" | "before">;

export const streamQuery = z.strictObject({
  ...place,
  tenant,
  state: some<LifeState>(LIFE_STATES, "One state"),
});
export type StreamQuery = z.output<typeof streamQuery>;

const refusalFilter = {
  platform: z.enum(PLATFORMS).optional(),
  outcome: some<RequestOutcome>(REFUSED_OUTCOMES, "One outcome"),
};
export const refusalsQuery = z.strictObject({
  ...refusalFilter,
  since: moment("Came at or after"),
  until: moment("Came before"),
  limit,
  cursor: cursor("refusals"),
});
export type RefusalsQuery = z.output<typeof refusalsQuery>;
export const refusalStreamQuery = z.strictObject(refusalFilter);
export type RefusalStreamQuery = z.output<typeof refusalStreamQuery>;

export const approvalsQuery = z.strictObject({
  state: z
    .enum(QUESTION_STATES)
    .default("waiting")
    .describe("What waits for a decision, or what was decided."),
  limit,
  cursor: cursor("approvals"),
});

export const auditQuery = z.strictObject({
  actor: name.optional(),
  role: z.enum(AUDIT_ROLES).optional(),
  action: name.optional().describe("Exactly this, such as kill_switch.set."),
  subject: name.optional(),
  since: moment("Done at or after"),
  until: moment("Done before"),
  limit,
  cursor: cursor("audit"),
});
export type AuditQuery = z.output<typeof auditQuery>;

export const auditVerifyQuery = z
  .strictObject({
    seq: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
    hash: z
      .string()
      .regex(/^[0-9a-f]{64}$/, { error: "expected 64 hexadecimal digits" })
      .optional()
      .describe("With `seq`: that entry is to have this hash, as somebody has noted it elsewhere."),
  })
  .refine(({ seq, hash }) => (seq === undefined) === (hash === undefined), {
    error: "expected seq and hash together, got one of them",
  });
export type AuditVerifyQuery = z.output<typeof auditVerifyQuery>;

export const bulkBody = z.strictObject({
  ...letterFilter,
  ids: z
    .array(name)
    .min(1)
    .max(BULK_IDS_MAX)
    .optional()
    .describe("Only these; the filters hold for them, too."),
  dry_run: z.boolean().default(false).describe("Say what would be done, and do nothing."),
  limit: z
    .int()
    .min(1)
    .max(BULK_MAX)
    .default(BULK_MAX)
    .describe("So many at most, those that were accepted or replayed first."),
});
export type BulkBody = z.output<typeof bulkBody>;

export const noQuery = z.strictObject({});
export const backupQuery = z.strictObject({
  file: z
    .string()
    .regex(/^\d{1,20}:\d{1,20}$/, { error: "expected the device and number of a file, such as 2049:1234" })
    .optional()
    .describe(
      "Device and number of the file, with a colon between: whichever process of this supervisor has it. Absent: that of the process which is asked.",
    ),
});

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string };

export function readQuery<S extends z.ZodObject>(schema: S, url: URL): Read<z.output<S>> {
  const names = [...url.searchParams.keys()];
  const repeated = names.find((name, i) => names.indexOf(name) < i);
  if (repeated !== undefined) {
    const times = names.filter((name) => name === repeated).length;
    return { ok: false, message: `${got(repeated).slice(1, -1)}: expected it once, got it ${times} times` };
  }
  return check(schema, Object.fromEntries(url.searchParams));
}

function notAmong(given: string, choices: readonly string[]): string {
  const near = closest(given, choices);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  return `expected one of ${choices.join(", ")}, got ${got(given)}${hint}`;
}

/** A JSON object within the limit; `status` says in which way it is none. */
export async function readBody<S extends z.ZodObject>(
  schema: S,
  request: Request,
): Promise<Read<z.output<S>> & { readonly status?: 413 | 415 }> {
  const type = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type !== "application/json") {
    const what = type === "" ? "no content type" : "another type";
    return { ok: false, status: 415, message: `Expected application/json, got ${what}` };
  }
  const text = await boundedText(request).catch(() => undefined);
  if (text === undefined) return { ok: false, message: "Expected the whole body, got a part of it" };
  if (text === null)
    return {
      ok: false,
      status: 413,
      message: `Expected a body of at most ${BODY_BYTES_MAX} bytes, got more`,
    };
  const parsed = parseJsonObject(text);
  return parsed.ok ? check(schema, parsed.value) : parsed;
}

/** Null: over the limit. Rejects when the caller goes away midway. */
async function boundedText(request: Request): Promise<string | null> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of request.body ?? []) {
    bytes += chunk.length;
    // To stop reading cuts the connection, and with it whatever a proxy sends behind this on the same one.
    if (bytes > UNREAD_BYTES_MAX) return null;
    text = bytes > BODY_BYTES_MAX ? "" : text + decoder.decode(chunk, { stream: true });
  }
  return bytes > BODY_BYTES_MAX ? null : text + decoder.decode();
}

export function check<S extends z.ZodObject>(schema: S, input: Record<string, unknown>): Read<z.output<S>> {
  const result = schema.safeParse(input);
  if (result.success) return { ok: true, value: result.data };
  const at = (path: Path) =>
    path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)?.[key], input);
  const wrong = findings(result.error.issues, {
    got: (path) => got(at(path)),
    keysAt: (path) => (path.length === 0 ? Object.keys(schema.shape) : []),
  });
  return {
    ok: false,
    message: wrong.map(({ path, message }) => `${formatPath(path)}: ${message}`).join("; "),
  };
}
