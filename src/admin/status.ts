import { z } from "zod";
import type { Clock } from "../ports/clock.ts";
import type { Journal } from "../ports/journal.ts";
import { breakersView, type ControlsDeps } from "./controls.ts";
import { type KillSwitchDeps, killSwitchSchema, killSwitchView } from "./kill-switch.ts";
import { type ReplicasDeps, replicasView } from "./replicas.ts";
import { type UsageDeps, usageOf } from "./usage.ts";

export interface StatusDeps extends UsageDeps, ControlsDeps, KillSwitchDeps, ReplicasDeps {
  readonly clock: Clock;
  readonly stats: Journal["stats"];
  /** What /ready says. */
  readonly ready: () => Promise<Ready>;
}

interface Ready {
  readonly status: "ready" | "degraded" | "not_ready";
  readonly version: string;
  readonly timestamp: string;
  readonly components: Readonly<Record<string, Component>>;
}

interface Component {
  readonly status: string;
  readonly details: string;
  readonly code?: string;
  readonly since?: string;
}

const count = z.int().min(0);

export const statusSchema = z.object({
  status: z
    .enum(["ready", "degraded", "not_ready"])
    .describe("Of the replica that answers, as /ready has it."),
  version: z.string(),
  timestamp: z.iso.datetime(),
  unwell: z
    .array(
      z.object({
        component: z.string(),
        status: z.string(),
        code: z.string().nullable(),
        details: z.string(),
        since: z.string().nullable(),
      }),
    )
    .describe("Components that are not ok; a socket that another process holds is."),
  events: z
    .object({
      queued: count,
      running: count,
      retrying: count,
      parked: count,
      dead: count,
      oldest_seconds: z.number().nullable().describe("How long the oldest has waited; null: none waits."),
    })
    .nullable()
    .describe("In the store; null while that cannot be asked."),
  replicas: z
    .array(z.object({ id: z.string(), role: z.string(), version: z.string(), configuration: z.string() }))
    .nullable()
    .describe("Seen within an hour; null while the store cannot be asked."),
  paused: killSwitchSchema,
  left_alone: z
    .array(z.object({ kind: z.string(), name: z.string(), state: z.string() }))
    .describe("Models and platforms whose breaker is not closed, on the replica that answers."),
  agents: z.array(z.string()),
  spent_today: z
    .object({ day: z.string(), cost_cents: z.number(), limit_cents: z.number().nullable() })
    .nullable()
    .describe("By all together; null while the store cannot be asked."),
});
export type StatusView = z.infer<typeof statusSchema>;

/** What an operator wants to know first. It is told while the store is away, too: that is when somebody asks. */
export async function statusView(deps: StatusDeps): Promise<StatusView> {
  const orNull = <T>(asked: Promise<T>) => asked.catch(() => null);
  const [ready, stats, replicas, usage] = await Promise.all([
    deps.ready(),
    orNull(deps.stats()),
    orNull(replicasView(deps)),
    orNull(usageOf({}, deps)),
  ]);
  const { status, version, timestamp, components } = ready;
  return {
    ...{ status, version, timestamp },
    unwell: Object.entries(components)
      .filter(([, one]) => one.status !== "ok" && one.status !== "standby")
      .map(([component, { status: how, code = null, details, since = null }]) => {
        return { component, status: how, code, details, since };
      }),
    events: stats && eventsOf(stats, deps.clock.nowMs()),
    replicas:
      replicas?.replicas.map(({ id, role, version: runs, configuration }) => {
        return { id, role, version: runs, configuration };
      }) ?? null,
    paused: killSwitchView(deps),
    left_alone: breakersView(deps)
      .breakers.filter(({ state }) => state !== "closed")
      .map(({ kind, name, state }) => ({ kind, name, state })),
    agents: [...deps.agents()],
    spent_today: usage && {
      day: usage.day,
      cost_cents: usage.total.cost_cents,
      limit_cents: usage.total.limit_cents,
    },
  };
}

function eventsOf(stats: Awaited<ReturnType<Journal["stats"]>>, nowMs: number) {
  const { queued, running, retrying, parked, dead, oldestAcceptedAtMs: oldest } = stats;
  const oldest_seconds = oldest === null ? null : Math.max(0, nowMs - oldest) / 1000;
  return { queued, running, retrying, parked, dead, oldest_seconds };
}
