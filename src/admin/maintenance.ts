import { z } from "zod";
import type { Clock } from "../ports/clock.ts";
import type { EventState, Journal } from "../ports/journal.ts";
import type { Retention } from "../ports/retention.ts";
import type { Overdue, Upkeep } from "../ports/upkeep.ts";
import { CHUNK } from "./bounds.ts";
import { cursorOf, placeOf } from "./cursor.ts";
import { type ApiResponse, problem } from "./responses.ts";
import { eventDetailSchema } from "./schemas.ts";
import { eventDetail } from "./views.ts";

/** What is done to the store now and then: read it through, make it smaller, take out what is old. */
export interface MaintenanceDeps {
  readonly upkeep: Upkeep;
  readonly journal: Pick<Journal, "list">;
  readonly housekeeping: {
    readonly retention: () => Retention;
    /** Gives how many rows went. */
    readonly sweep: () => Promise<number>;
  };
  readonly clock: Pick<Clock, "nowMs">;
}

const FINISHED = ["done", "dropped", "dead", "merged"] as const satisfies readonly EventState[];
const REMOVED_MAX = 1_000;

const pruneBody = z.strictObject({
  dry_run: z.boolean().default(false).describe("Count what would go, and delete nothing."),
});
export const finishedQuery = z.strictObject({
  state: z.enum(FINISHED),
  before: z.iso.datetime({ offset: true }).describe("Those that have been so since before this time."),
  limit: z.coerce.number().int().min(1).max(CHUNK).default(CHUNK),
  cursor: z
    .string()
    .refine((text) => placeOf("events", text) !== null, {
      error: "expected the `next` of a page of this list, as it was given",
    })
    .optional()
    .describe("The `next` of the page before, as it was given."),
});
const seq = z.int().min(0);
const removeBody = z.strictObject({
  events: z
    .array(z.strictObject({ seq, merged: z.array(seq).max(REMOVED_MAX).default([]) }))
    .min(1)
    .max(REMOVED_MAX)
    .describe("By their numbers, each with those that were merged into it."),
});

export const checkedSchema = z.object({
  whole: z.boolean(),
  findings: z.array(z.string()).describe("What is wrong, a line each; at most some of them."),
  events: z.int(),
  ms: z.number(),
});
export const vacuumedSchema = z.object({
  bytes_before: z.int().nullable().describe("Null: the store has no file of its own to make smaller."),
  bytes_after: z.int().nullable(),
  longest_ms: z.number().nullable().describe("The longest that others had to wait for it."),
});
const overdueSchema = z.object({
  events: z.int().describe("Answered, dropped, and merged ones."),
  letters: z.int(),
  turns: z.int(),
  conversations: z.int(),
});
export const prunedSchema = z.object({
  dry_run: z.boolean(),
  overdue: overdueSchema.nullable().describe("Of a dry run: what would go."),
  rows: z.int().nullable().describe("Else how many rows went, of all tables."),
});
export const finishedPageSchema = z.object({
  events: z.array(eventDetailSchema),
  next: z.string().nullable(),
});
export const removedSchema = z.object({
  removed: z.int().describe("Fewer than were asked for where some were replayed since."),
});
export type Checked = z.output<typeof checkedSchema>;
export type Vacuumed = z.output<typeof vacuumedSchema>;
export type Pruned = z.output<typeof prunedSchema>;
export type FinishedPage = z.output<typeof finishedPageSchema>;
export type Removed = z.output<typeof removedSchema>;

const noQuery = z.strictObject({});
const JSON_TYPE = "application/json";

/** Those of OPERATIONS that keep the store in order. */
export const MAINTENANCE_OPERATIONS = {
  checkStore: {
    method: "post",
    path: "/maintenance/check",
    summary: "Read all that the store keeps, and say what is wrong with it",
    query: noQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["StoreChecked"], what: "What was found." },
    problems: [400, 409, 503],
  },
  vacuumStore: {
    method: "post",
    path: "/maintenance/vacuum",
    summary: "Give the disk back what deleted rows have left in the database file, a little at a time",
    query: noQuery,
    answer: { status: 200, type: JSON_TYPE, schemas: ["StoreVacuumed"], what: "How much smaller it is." },
    problems: [400, 503],
  },
  pruneStore: {
    method: "post",
    path: "/maintenance/prune",
    summary: "Delete what is past its retention now, not at the next sweep",
    query: noQuery,
    body: pruneBody,
    answer: { status: 200, type: JSON_TYPE, schemas: ["StorePruned"], what: "What went, or would." },
    problems: [400, 409, 413, 415, 503],
  },
  listFinished: {
    method: "get",
    path: "/maintenance/finished",
    summary: "Whole events that are over, newest first, for an archive of them",
    query: finishedQuery,
    answer: {
      status: 200,
      type: JSON_TYPE,
      schemas: ["FinishedPage"],
      what: "A page of them; it may be empty.",
    },
    problems: [400, 503],
  },
  removeFinished: {
    method: "post",
    path: "/maintenance/remove",
    summary: "Delete events that are over and that an archive holds; one that was replayed since stays",
    query: noQuery,
    body: removeBody,
    answer: { status: 200, type: JSON_TYPE, schemas: ["FinishedRemoved"], what: "How many went." },
    problems: [400, 413, 415, 503],
  },
} as const;

const BUSY = problem(
  409,
  "The database file cannot be read through now: a backup or another check uses it, or too much was written meanwhile",
);

export async function checkStore({ upkeep }: MaintenanceDeps): Promise<ApiResponse> {
  const startedAt = performance.now();
  const found = await upkeep.check();
  if (found === "busy") return BUSY;
  const { findings, events } = found;
  const ms = Math.round(performance.now() - startedAt);
  return ok({ whole: findings.length === 0, findings: [...findings], events, ms } satisfies Checked);
}

export async function vacuumStore({ upkeep }: MaintenanceDeps): Promise<ApiResponse> {
  const done = await upkeep.vacuum();
  const vacuumed: Vacuumed = {
    bytes_before: done?.bytesBefore ?? null,
    bytes_after: done?.bytesAfter ?? null,
    longest_ms: done === null ? null : Math.round(done.longestMs * 10) / 10,
  };
  return ok(vacuumed);
}

export async function pruneStore(
  { dry_run }: z.output<typeof pruneBody>,
  { upkeep, housekeeping }: MaintenanceDeps,
): Promise<ApiResponse> {
  if (!dry_run) {
    const rows = await housekeeping.sweep();
    return ok({ dry_run, overdue: null, rows } satisfies Pruned);
  }
  const overdue: Overdue | "busy" = await upkeep.overdue(housekeeping.retention());
  return overdue === "busy" ? BUSY : ok({ dry_run, overdue, rows: null } satisfies Pruned);
}

export async function finishedPage(
  { state, before, limit, cursor }: z.output<typeof finishedQuery>,
  { journal }: Pick<MaintenanceDeps, "journal">,
): Promise<FinishedPage> {
  const beforeSeq = cursor === undefined ? undefined : Number(placeOf("events", cursor));
  const records = await journal.list({ state, limit, ...(beforeSeq !== undefined && { beforeSeq }) });
  const untilMs = Date.parse(before);
  const last = records.at(-1);
  return {
    events: records.filter(({ updatedAtMs }) => updatedAtMs < untilMs).map((record) => eventDetail(record)),
    next: records.length < limit || last === undefined ? null : cursorOf("events", last.seq),
  };
}

export async function removeFinished(
  { events }: z.output<typeof removeBody>,
  { upkeep }: MaintenanceDeps,
): Promise<ApiResponse> {
  return ok({ removed: await upkeep.remove(events) } satisfies Removed);
}

function ok(body: object): ApiResponse {
  return { status: 200, body };
}
