import { z } from "zod";
import { type BreakerReport, type BreakerRules, rulesOf } from "../domain/breaker.ts";
import {
  BREAKERS_SET_MAX,
  type BreakersSet,
  type ControlOrder,
  type Controls,
  changedRules,
  LIMIT_SCOPES,
  type LimitScope,
  type LimitValue,
  LOG_LEVELS,
  LOG_SUBJECTS,
  type LogLevel,
  type LogLevels,
} from "../domain/controls.ts";
import type { Clock } from "../ports/clock.ts";
import { iso } from "../shared/time.ts";

export interface ControlsDeps {
  readonly controls: {
    readonly now: Controls;
    readonly configuredLogLevel: LogLevel;
    readonly configuredLogLevels: LogLevels;
    set(order: ControlOrder): Promise<void>;
  };
  readonly configuredLimits: () => Readonly<Record<LimitScope, LimitValue>>;
  /** Of this replica: of each model and platform in use. */
  readonly breakers: () => readonly (BreakerReport & { readonly kind: "model" | "platform" })[];
  readonly clock: Pick<Clock, "nowMs">;
}

const set = z
  .object({ by: z.string(), since: z.iso.datetime() })
  .nullable()
  .describe("Who has set it in place of the configuration; null: it is as configured.");

export const logLevelBody = z.strictObject({
  level: z.enum(LOG_LEVELS).nullable().describe("Null: as configured."),
  of: z
    .enum(LOG_SUBJECTS)
    .optional()
    .describe(
      "Of these lines alone: those about a platform, or that begin with this word (`run` of `run.finished`). Absent: of all that have no level of their own.",
    ),
});

export const logLevelSchema = z.object({
  level: z.enum(LOG_LEVELS),
  configured: z.enum(LOG_LEVELS).describe("PARLEY_LOG_LEVEL of this replica."),
  set,
  of: z
    .array(
      z.object({
        name: z.string(),
        level: z.enum(LOG_LEVELS),
        configured: z.enum(LOG_LEVELS).nullable().describe("In PARLEY_LOG_LEVELS; null: nothing is."),
        set,
      }),
    )
    .describe("Which lines have a level of their own."),
});
export type LogLevelView = z.infer<typeof logLevelSchema>;

const COUNT_MAX = 1_000_000;
const DAY_SECONDS = 86_400;
const rate = z.strictObject({
  messages: z.int().min(1).max(COUNT_MAX),
  per_seconds: z.int().min(1).max(DAY_SECONDS).default(60),
  burst: z.int().min(1).max(COUNT_MAX).optional().describe("At once, before they are spread."),
});
const limitBody = z
  .union([z.literal("off"), rate])
  .nullable()
  .optional()
  .describe("Null: as configured. Absent: as it is.");

export const limitsBody = z
  .strictObject({ user: limitBody, conversation: limitBody, tenant: limitBody, global: limitBody })
  .refine((body) => Object.values(body).some((one) => one !== undefined), {
    error: `expected at least one of ${LIMIT_SCOPES.join(", ")}, got none`,
  });

const limit = z.union([z.literal("off"), rate]);
const limitNow = z.object({ limit, configured: limit, set });

export const limitsSchema = z.object({
  user: limitNow,
  conversation: limitNow,
  tenant: limitNow,
  global: limitNow,
});
export type LimitsView = z.infer<typeof limitsSchema>;

const rules = {
  failure_threshold: z.int().describe("It opens after so many failures in a row."),
  failure_rate: z.number().describe("Or when this share of the calls of a minute failed, of at least 20."),
  open_seconds: z
    .number()
    .describe("So long it is left alone, then one call goes through; after a refusal, 15 s."),
};
const rule = <T extends z.ZodType>(of: T) =>
  of.nullable().optional().describe("Null: as by default. Absent: as it is.");

const RULES = ["failure_threshold", "failure_rate", "open_seconds"] as const;
export const breakerBody = z
  .strictObject({
    failure_threshold: rule(z.int().min(1).max(1_000)),
    failure_rate: rule(z.number().min(0.01).max(1)),
    open_seconds: rule(z.int().min(1).max(3_600)),
    dry_run: z.boolean().default(false).describe("Say what would hold, and change nothing."),
  })
  .refine((body) => RULES.some((name) => body[name] !== undefined), {
    error: "expected at least one of failure_threshold, failure_rate, open_seconds, got none",
  });

const breaker = z.object({
  name: z.string().describe("May hold a slash: encode it in a path."),
  kind: z.enum(["model", "platform"]),
  state: z.enum(["closed", "half-open", "open"]),
  since: z.iso.datetime().nullable().describe("Since when it is not closed."),
  retry_at: z.iso.datetime().nullable().describe("When one that is open lets a call through."),
  code: z.string().nullable(),
  cause: z.string().nullable(),
  calls: z.int().describe("Of the last minute, while it is closed."),
  failures: z.int(),
  failures_in_row: z.int(),
  opens: z.int().describe("Since the replica was started."),
  ...rules,
  set,
});

export const breakersSchema = z.object({ breakers: z.array(breaker) });
export type BreakersView = z.infer<typeof breakersSchema>;

export const breakerResetSchema = z.object({
  name: z.string(),
  status: z.literal("reset"),
  by: z.string(),
});

export const breakerRulesSchema = z.object({ name: z.string(), ...rules, set, dry_run: z.boolean() });
export type BreakerRulesView = z.infer<typeof breakerRulesSchema>;

export function logLevelView({ controls }: Pick<ControlsDeps, "controls">): LogLevelView {
  const { logLevel, logLevels } = controls.now;
  const configured = controls.configuredLogLevel;
  const configuredOf = controls.configuredLogLevels;
  const names = [...new Set([...Object.keys(configuredOf), ...Object.keys(logLevels)])].sort();
  const of = names.map((name) => {
    const own = logLevels[name];
    const before = configuredOf[name] ?? null;
    return { name, level: own?.value ?? before ?? configured, configured: before, set: setView(own) };
  });
  return { level: logLevel?.value ?? configured, configured, set: setView(logLevel), of };
}

export async function setLogLevel(
  { level, of }: z.output<typeof logLevelBody>,
  by: string,
  deps: ControlsDeps,
): Promise<LogLevelView> {
  await deps.controls.set({ kind: "log-level", level, of: of ?? null, by, atMs: deps.clock.nowMs() });
  return logLevelView(deps);
}

export function limitsView({ controls, configuredLimits }: ControlsDeps): LimitsView {
  const configured = configuredLimits();
  const views = LIMIT_SCOPES.map((scope) => {
    const one = controls.now.limits[scope];
    return [
      scope,
      { limit: one?.value ?? configured[scope], configured: configured[scope], set: setView(one) },
    ] as const;
  });
  return Object.fromEntries(views) as LimitsView;
}

export async function setLimits(
  limits: z.output<typeof limitsBody>,
  by: string,
  deps: ControlsDeps,
): Promise<LimitsView> {
  await deps.controls.set({ kind: "limits", limits, by, atMs: deps.clock.nowMs() });
  return limitsView(deps);
}

export function breakersView({
  breakers,
  controls,
}: Pick<ControlsDeps, "breakers" | "controls">): BreakersView {
  const { breakers: own } = controls.now;
  return {
    breakers: breakers().map(({ name, kind, state, sinceMs, retryAtMs, cause, ...counts }) => ({
      ...{ name, kind, state, since: timeOf(sinceMs), retry_at: timeOf(retryAtMs) },
      ...{ code: cause?.code ?? null, cause: cause?.message ?? null },
      ...{ calls: counts.calls, failures: counts.failures, failures_in_row: counts.failuresInRow },
      opens: counts.opens,
      ...rulesView(own[name]?.value),
      set: setView(own[name]),
    })),
  };
}

/** Null: nothing in use has this name. */
export async function resetBreaker(
  name: string,
  by: string,
  { breakers, controls, clock }: ControlsDeps,
): Promise<z.infer<typeof breakerResetSchema> | null> {
  if (!breakers().some((one) => one.name === name)) return null;
  await controls.set({ kind: "breaker-reset", name, by, atMs: clock.nowMs() });
  return { name, status: "reset", by };
}

/** What holds for one, or would; or why not. */
export async function setBreaker(
  name: string,
  { dry_run, ...given }: z.output<typeof breakerBody>,
  by: string,
  { breakers, controls, clock }: ControlsDeps,
): Promise<BreakerRulesView | "unknown" | "too-many"> {
  const before = setFor(name, controls.now.breakers);
  // What is set can be put back, also when nothing of that name is in use any more.
  if (before === undefined && !breakers().some((one) => one.name === name)) return "unknown";
  if (before === undefined && Object.keys(controls.now.breakers).length >= BREAKERS_SET_MAX)
    return "too-many";
  const { failure_threshold: failuresInRow, failure_rate: failureRate, open_seconds: seconds } = given;
  const openMs = typeof seconds === "number" ? seconds * 1000 : seconds;
  const change = { failuresInRow, failureRate, openMs };
  const value = changedRules(before?.value ?? {}, change);
  if (dry_run) return { name, ...rulesView(value), set: setView(before), dry_run };
  await controls.set({ kind: "breaker-rules", name, rules: change, by, atMs: clock.nowMs() });
  const now = setFor(name, controls.now.breakers);
  return { name, ...rulesView(now?.value), set: setView(now), dry_run };
}

/** For the audit. */
export function breakerState(
  { breakers, controls }: Pick<ControlsDeps, "breakers" | "controls">,
  name: string,
) {
  const own = setFor(name, controls.now.breakers);
  return { state: breakers().find((one) => one.name === name)?.state, ...rulesView(own?.value) };
}

/** A name from outside may be one that every object has, such as `constructor`. */
function setFor(name: string, all: BreakersSet): BreakersSet[string] | undefined {
  return Object.hasOwn(all, name) ? all[name] : undefined;
}

function rulesView(set: Partial<BreakerRules> | undefined) {
  const { failuresInRow, failureRate, openMs } = rulesOf(set);
  return { failure_threshold: failuresInRow, failure_rate: failureRate, open_seconds: openMs / 1000 };
}

function setView(one: { readonly by: string; readonly atMs: number } | null | undefined) {
  return one == null ? null : { by: one.by, since: iso(one.atMs) };
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}
