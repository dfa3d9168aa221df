import type { BreakerRules } from "./breaker.ts";
import { PLATFORMS } from "./event.ts";

export const LOG_LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What a line of the log begins with: `run` of `run.finished`. */
export const LOG_PARTS: readonly string[] = (
  "admin approval audit breaker budget choices configuration conversations developer dispatcher event " +
  "feedback file gateway hold hook http installation kill_switch limits live log log_level media memory " +
  "metrics model notes notice performance platform process processes rendering replica reply requests " +
  "run schedule secrets socket spool store task thread token tool usergroups webhook"
).split(" ");
/** Of which lines a level is set: a part, or all that are about a platform. */
export const LOG_SUBJECTS: readonly string[] = [...PLATFORMS, ...LOG_PARTS];
/** By subject. */
export type LogLevels = Readonly<Record<string, LogLevel>>;

export const LIMIT_SCOPES = ["user", "conversation", "tenant", "global"] as const;
export type LimitScope = (typeof LIMIT_SCOPES)[number];

/** As the configuration says it. */
export type LimitValue =
  | "off"
  | { readonly messages: number; readonly per_seconds: number; readonly burst?: number | undefined };

/** What an operator has set in place of the configuration, when, and who. */
export interface SetBy<T> {
  readonly value: T;
  readonly by: string;
  readonly atMs: number;
}

/** What operators change while the gateway runs, beside its switches. */
export interface Controls {
  readonly logLevel: SetBy<LogLevel> | null;
  /** Of some lines, by subject. */
  readonly logLevels: Readonly<Record<string, SetBy<LogLevel>>>;
  readonly limits: Readonly<Partial<Record<LimitScope, SetBy<LimitValue>>>>;
  /** Breakers by their names, with the time at which somebody has closed them. */
  readonly resets: Readonly<Record<string, number>>;
  /** Breakers by their names, with what holds for them in place of the default. */
  readonly breakers: BreakersSet;
}

export type BreakersSet = Readonly<Record<string, SetBy<Partial<BreakerRules>>>>;

/** Breakers with rules of their own: what is kept of them is one note. */
export const BREAKERS_SET_MAX = 10;

export const NO_CONTROLS: Controls = { logLevel: null, logLevels: {}, limits: {}, resets: {}, breakers: {} };

export type ControlOrder = { readonly by: string; readonly atMs: number } & (
  | {
      readonly kind: "log-level";
      /** Null: as configured. */
      readonly level: LogLevel | null;
      /** A subject; null: of all that have no level of their own. */
      readonly of: string | null;
    }
  | {
      readonly kind: "limits";
      /** Null: as configured; a scope that is absent stays as it is. */
      readonly limits: Readonly<{ [S in LimitScope]?: LimitValue | null | undefined }>;
    }
  | { readonly kind: "breaker-reset"; readonly name: string }
  /** Null: as by default; what is absent stays as it is. */
  | { readonly kind: "breaker-rules"; readonly name: string; readonly rules: BreakerChange }
);

export type BreakerChange = { readonly [R in keyof BreakerRules]?: number | null | undefined };

/** All that is kept is one small note. */
const RESETS_MAX = 10;

export function controlled(controls: Controls, order: ControlOrder): Controls {
  const { by, atMs } = order;
  switch (order.kind) {
    case "log-level": {
      const set = order.level === null ? null : { value: order.level, by, atMs };
      if (order.of === null) return { ...controls, logLevel: set };
      const { [order.of]: _, ...logLevels } = controls.logLevels;
      return { ...controls, logLevels: set === null ? logLevels : { ...logLevels, [order.of]: set } };
    }
    case "limits": {
      const limits = { ...controls.limits };
      for (const scope of LIMIT_SCOPES) {
        const value = order.limits[scope];
        if (value === null) delete limits[scope];
        else if (value !== undefined) limits[scope] = { value, by, atMs };
      }
      return { ...controls, limits };
    }
    case "breaker-reset": {
      const { [order.name]: before = 0, ...others } = controls.resets;
      // One that is made again must be another one, whatever the clock says.
      const kept = Object.entries(others).sort(([, one], [, other]) => other - one);
      const latest = [[order.name, Math.max(atMs, before + 1)] as const, ...kept].slice(0, RESETS_MAX);
      return { ...controls, resets: Object.fromEntries(latest) };
    }
    case "breaker-rules": {
      const { [order.name]: before, ...others } = controls.breakers;
      const value = changedRules(before?.value ?? {}, order.rules);
      const isSet = Object.keys(value).length > 0;
      return { ...controls, breakers: isSet ? { ...others, [order.name]: { value, by, atMs } } : others };
    }
  }
}

/** What is set of a breaker's rules after a change. */
export function changedRules(before: Partial<BreakerRules>, change: BreakerChange): Partial<BreakerRules> {
  const all = Object.entries({ ...before, ...withoutAbsent(change) });
  return Object.fromEntries(all.filter(([, value]) => value !== null)) as Partial<BreakerRules>;
}

function withoutAbsent(change: BreakerChange): object {
  return Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
}
