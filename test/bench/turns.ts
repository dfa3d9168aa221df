import { type Drive, drive, median, percentile } from "./drive.ts";
import type { ServerProcess } from "./server-process.ts";

/** A server that takes its turn against the others. */
export interface Contender {
  readonly name: string;
  readonly server: ServerProcess;
  readonly request: (index: number) => Buffer;
  /** Processor time used so far by what the server needs beside itself, in microseconds. */
  readonly besideMicros?: () => number;
}

export interface AcceptRow {
  readonly name: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicros: number;
  readonly besideMicros: number;
  /** Medians over the rounds of this contender against the bare server of the same round. */
  readonly rateRatio: number;
  readonly cpuRatio: number;
}

/** A row of Markdown: what every table of webhooks shows, and what only this one does. */
export function acceptLine(row: AcceptRow, more: readonly string[]): string {
  const { name, perSecond, p50Ms, p99Ms, cpuMicros } = row;
  const figures = [perSecond.toFixed(0), p50Ms.toFixed(1), p99Ms.toFixed(1), cpuMicros.toFixed(0)];
  return `| ${[name, ...figures, ...more].join(" | ")} |`;
}

const CONNECTIONS = 64;

interface Slice extends Drive {
  readonly cpuMicros: number;
  readonly besideMicros: number;
}

/** The first contender is the bare server. */
export async function takeTurns(
  contenders: readonly Contender[],
  options: { rounds: number; requests: number },
): Promise<AcceptRow[]> {
  const slices = new Map<string, Slice[]>(contenders.map(({ name }) => [name, []]));
  let index = 0;
  // The first round warms up and is not counted.
  for (let round = 0; round <= options.rounds; round++) {
    for (const contender of contenders) {
      const batch = Array.from({ length: options.requests }, () => contender.request(index++));
      const slice = await sliceOf(contender, batch);
      if (round > 0) slices.get(contender.name)?.push(slice);
    }
  }
  const bare = slices.get(contenders[0]?.name ?? "") ?? [];
  return contenders.map(({ name }) => rowOf(name, slices.get(name) ?? [], bare));
}

async function sliceOf(contender: Contender, batch: readonly Buffer[]): Promise<Slice> {
  const { name, server, besideMicros = () => 0 } = contender;
  const before = { server: server.cpuMicros(), beside: besideMicros() };
  const result = await drive(server.port, batch, CONNECTIONS);
  const refused = [...result.statuses].filter(([status]) => status !== 200);
  if (refused.length > 0) throw new Error(`${name} answered ${JSON.stringify(refused)}`);
  return {
    ...result,
    cpuMicros: (server.cpuMicros() - before.server) / batch.length,
    besideMicros: (besideMicros() - before.beside) / batch.length,
  };
}

function rowOf(name: string, slices: readonly Slice[], bare: readonly Slice[]): AcceptRow {
  const rate = (slice: Slice | undefined) => (slice ? slice.latencies.length / slice.seconds : Number.NaN);
  return {
    name,
    perSecond: median(slices.map(rate)),
    p50Ms: median(slices.map(({ latencies }) => percentile(latencies, 0.5))),
    p99Ms: median(slices.map(({ latencies }) => percentile(latencies, 0.99))),
    cpuMicros: median(slices.map(({ cpuMicros }) => cpuMicros)),
    besideMicros: median(slices.map(({ besideMicros }) => besideMicros)),
    rateRatio: median(slices.map((slice, round) => rate(slice) / rate(bare[round]))),
    cpuRatio: median(
      slices.map(({ cpuMicros }, round) => cpuMicros / (bare[round]?.cpuMicros ?? Number.NaN)),
    ),
  };
}
