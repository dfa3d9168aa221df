import { setTimeout as wait } from "node:timers/promises";
import { type Drive, drive, median, percentile } from "./drive.ts";
import type { ServerProcess } from "./server-process.ts";

/** A server that takes its turn against the others. */
export interface Contender {
  readonly name: string;
  readonly server: Pick<ServerProcess, "port" | "cpuMicros">;
  readonly request: (index: number) => Buffer;
  /** Processor time used so far by what the server needs beside itself, in microseconds. */
  readonly besideMicros?: () => number;
  /** Comes about after the request was answered; the server gets no other on that connection until then. */
  readonly awaited?: (index: number) => Promise<void>;
  /** How many requests are in flight; 64 when absent. */
  readonly connections?: number;
  /** Whom it is compared with; the first contender when absent. */
  readonly against?: string;
}

export interface AcceptRow {
  readonly name: string;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicros: number;
  readonly besideMicros: number;
  /** Medians over the rounds of this contender against the bare server, or another one, of the same round. */
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
const SLICE_MS_MAX = 120_000;
const LOOK_MS = 200;
const LOOKS_MAX = 50;
/** One tick of the kernel's clock, or less. */
const QUIET_SHARE = 0.05;

interface Slice extends Drive {
  readonly cpuMicros: number;
  readonly besideMicros: number;
}

/** The first contender is the bare server, unless a contender names another to be compared with. */
export async function takeTurns(
  contenders: readonly Contender[],
  options: { rounds: number; requests: number },
): Promise<AcceptRow[]> {
  const slices = new Map<string, Slice[]>(contenders.map(({ name }) => [name, []]));
  let index = 0;
  // The first round warms up and is not counted.
  for (let round = 0; round <= options.rounds; round++) {
    for (const contender of contenders) {
      const first = index;
      const batch = Array.from({ length: options.requests }, () => contender.request(index++));
      const slice = await sliceOf(contender, batch, first);
      if (round > 0) slices.get(contender.name)?.push(slice);
    }
  }
  const [bare] = contenders;
  return contenders.map(({ name, against = bare?.name ?? "" }) =>
    rowOf(name, slices.get(name) ?? [], slices.get(against) ?? []),
  );
}

async function sliceOf(contender: Contender, batch: readonly Buffer[], first: number): Promise<Slice> {
  const { name, server, besideMicros = () => 0, awaited, connections = CONNECTIONS } = contender;
  const before = { server: server.cpuMicros(), beside: besideMicros() };
  const driven = drive(server.port, batch, connections, awaited && ((index) => awaited(first + index)));
  const result = await Promise.race([driven, unheard(name)]);
  // What a server does after the last answer belongs to it, and not to the turn of the next.
  if (awaited !== undefined) await quiet(server);
  const refused = [...result.statuses].filter(([status]) => status !== 200);
  if (refused.length > 0) throw new Error(`${name} answered ${JSON.stringify(refused)}`);
  return {
    ...result,
    cpuMicros: (server.cpuMicros() - before.server) / batch.length,
    besideMicros: (besideMicros() - before.beside) / batch.length,
  };
}

/** What is awaited may never come. */
async function unheard(name: string): Promise<never> {
  await wait(SLICE_MS_MAX, undefined, { ref: false });
  throw new Error(`${name}: expected its turn to end within ${SLICE_MS_MAX / 1000} s`);
}

/** Waits until it does next to nothing. */
async function quiet(server: Contender["server"]): Promise<void> {
  for (let look = 0; look < LOOKS_MAX; look++) {
    const before = server.cpuMicros();
    await wait(LOOK_MS);
    if (server.cpuMicros() - before <= QUIET_SHARE * LOOK_MS * 1000) return;
  }
  throw new Error("Expected the server to come to rest after its last answer");
}

function rowOf(name: string, slices: readonly Slice[], against: readonly Slice[]): AcceptRow {
  const rate = (slice: Slice | undefined) => (slice ? slice.latencies.length / slice.seconds : Number.NaN);
  return {
    name,
    perSecond: median(slices.map(rate)),
    p50Ms: median(slices.map(({ latencies }) => percentile(latencies, 0.5))),
    p99Ms: median(slices.map(({ latencies }) => percentile(latencies, 0.99))),
    cpuMicros: median(slices.map(({ cpuMicros }) => cpuMicros)),
    besideMicros: median(slices.map(({ besideMicros }) => besideMicros)),
    rateRatio: median(slices.map((slice, round) => rate(slice) / rate(against[round]))),
    cpuRatio: median(
      slices.map(({ cpuMicros }, round) => cpuMicros / (against[round]?.cpuMicros ?? Number.NaN)),
    ),
  };
}
