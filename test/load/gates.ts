import { readFileSync } from "node:fs";

/** What the load is, and what must hold of it. k6 reads the same file. */
export interface Gate {
  readonly what: string;
  /** People at a time: from what it was to `to` in so many seconds. Absent: `per_second`, whatever the answers take. */
  readonly users?: readonly { readonly seconds: number; readonly to: number }[];
  readonly pause_seconds?: number;
  readonly per_second?: number;
  readonly seconds?: number;
  /** Until its answer is said, not only until it is acknowledged. */
  readonly answered?: boolean;
  readonly p95_ms: number;
  /** At most this share fails. */
  readonly failed: number;
}

export const GATE_NAMES = ["spike", "soak", "throughput", "tasks"] as const;
export type GateName = (typeof GATE_NAMES)[number];

const FILE = new URL("../../deploy/load/gates.json", import.meta.url);

export function gates(): Readonly<Record<GateName, Gate>> {
  return JSON.parse(readFileSync(FILE, "utf8")) as Record<GateName, Gate>;
}

/** One in `times` as long, and as much. */
export function shortened(gate: Gate, times: number): Gate {
  return {
    ...gate,
    ...(gate.users && { users: gate.users.map(({ seconds, to }) => ({ seconds: seconds * times, to })) }),
    ...(gate.seconds !== undefined && { seconds: gate.seconds * times }),
  };
}

/** How many write at this moment; null: it is over. */
export function usersAt(stages: NonNullable<Gate["users"]>, second: number): number | null {
  let from = 0;
  let begin = 0;
  for (const { seconds, to } of stages) {
    if (second < begin + seconds) return Math.round(from + ((to - from) * (second - begin)) / seconds);
    begin += seconds;
    from = to;
  }
  return null;
}

export interface Measured {
  readonly sent: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** What went wrong, and how often. */
  readonly causes: Readonly<Record<string, number>>;
}

/** What is broken; nothing: it holds. */
export function broken(gate: Gate, { sent, failed, seconds, p95Ms }: Measured): readonly string[] {
  const share = sent === 0 ? 1 : failed / sent;
  const wanted = gate.per_second === undefined ? 0 : gate.per_second * (gate.seconds ?? 0) * 0.98;
  return [
    ...(p95Ms <= gate.p95_ms ? [] : [`P95 is ${Math.round(p95Ms)} ms, at most ${gate.p95_ms} expected`]),
    ...(share <= gate.failed
      ? []
      : [`${(share * 100).toFixed(2)} % failed, at most ${gate.failed * 100} % expected`]),
    ...(sent >= wanted
      ? []
      : [`${sent} were sent in ${Math.round(seconds)} s, at least ${Math.round(wanted)} expected`]),
  ];
}

export function measured(
  latenciesMs: readonly number[],
  causes: Record<string, number>,
  seconds: number,
): Measured {
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  const failed = Object.values(causes).reduce((sum, count) => sum + count, 0);
  return {
    ...{ sent: sorted.length + failed, failed, seconds, causes },
    ...{ p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) },
  };
}
