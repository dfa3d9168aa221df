import { type DestinationStream, type Logger, pino } from "pino";
import { redacted } from "../domain/redact.ts";
import { Lines } from "./lines.ts";

export type { Logger } from "pino";

/** How long a line may wait in memory. A killed process loses at most this much of its log, never an event. */
const FLUSH_MS = 200;

export interface LogOptions {
  readonly level: string;
  /** One line a message in words, for a person at a terminal, instead of JSON. */
  readonly pretty: boolean;
  /** Which of several processes that share stdout; in every line. Absent: it is the only one. */
  readonly process?: number;
}

/** Written without waiting for more. */
const GATHERED_BYTES = 8_192;
/** A pipe takes this much whole; more may end up between the lines of another process. */
const PIPE_BYTES = 4_096;

/**
 * JSON lines on stdout, one wide line per unit of work. Fields are named by the caller, one by one:
 * nothing is logged because it happened to be part of an object, so message text and secrets stay out.
 */
export async function createLogger({ level, pretty, process: number }: LogOptions): Promise<Logger> {
  const options = {
    level,
    base: number === undefined ? null : { process: number },
    timestamp: isoTimestamp(),
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (pretty) {
    const { terminalText } = await import("./terminal.ts");
    const isAll = level === "debug" || level === "trace";
    const stream: DestinationStream = {
      write(line) {
        const text = terminalText(line, isAll);
        // A terminal takes it at once, so that nothing is lost at an exit.
        if (text !== null) process.stdout.write(text);
      },
    };
    return withoutSecrets(pino({ ...options, formatters: {} }, stream));
  }
  const lines = new Lines({
    // Asking for it makes a pipe one that refuses instead of waiting, so that a stalled reader holds up no thread.
    fd: process.stdout.fd,
    ...(number === undefined
      ? { bytesMin: GATHERED_BYTES, bytesMax: 2 * GATHERED_BYTES }
      : { bytesMin: PIPE_BYTES / 2, bytesMax: PIPE_BYTES }),
    waitMs: FLUSH_MS,
    onDropped: (dropped) => log.warn({ lines: dropped }, "log.dropped"),
  });
  const log = withoutSecrets(atOnce(pino(options, lines)));
  process.once("exit", () => lines.writeRest());
  return log;
}

const { info: INFO = 30 } = pino.levels.values;

/** What of pino makes text of a line. */
interface Serializing {
  [pino.symbols.asJsonSym](fields: object, msg: string | undefined, level: number, time: string): string;
  readonly [pino.symbols.lsCacheSym]: Readonly<Record<number, string>>;
  readonly [pino.symbols.chindingsSym]: string;
}

/**
 * Makes the text of all fields in one native call. pino quotes them one by one in JavaScript, which took a tenth of the
 * time of a webhook. What is not plain (errors, cycles) still goes its way.
 */
function atOnce(log: Logger): Logger {
  const serializing = log as unknown as Serializing;
  const oneByOne = serializing[pino.symbols.asJsonSym];
  serializing[pino.symbols.asJsonSym] = function (fields, msg, level, time) {
    const text = "err" in fields ? undefined : jsonOf(fields);
    if (text === undefined) return oneByOne.call(this, fields, msg, level, time);
    const inner = text.length > 2 ? `,${text.slice(1, -1)}` : "";
    const last = msg === undefined ? "" : `,"msg":${JSON.stringify(msg)}`;
    const first = `${this[pino.symbols.lsCacheSym][level]}${time}${this[pino.symbols.chindingsSym]}`;
    return `${first}${inner}${last}}\n`;
  };
  return log;
}

/**
 * The last door, for what went past the others: errors of libraries, with their causes. Only the lines that something
 * went wrong for and those of somebody who looks for a fault: they are few, and are where others are quoted.
 */
function withoutSecrets(log: Logger): Logger {
  const serializing = log as unknown as Serializing;
  const asJson = serializing[pino.symbols.asJsonSym];
  serializing[pino.symbols.asJsonSym] = function (fields, msg, level, time) {
    const line = asJson.call(this, fields, msg, level, time);
    return level === INFO ? line : redacted(line);
  };
  return log;
}

function jsonOf(fields: object): string | undefined {
  try {
    return JSON.stringify(fields);
  } catch {
    return undefined;
  }
}

/** Longer, and whoever reads stdout has stopped reading it. */
const LAST_WRITE_MS = 1_000;

/**
 * Resolves once no write is under way. To be awaited before the process is ended: what is written at its exit would
 * overtake a write under way, which may not even be made.
 */
export function written(log: Logger): Promise<void> {
  return new Promise((resolve) => {
    const late = setTimeout(resolve, LAST_WRITE_MS);
    log.flush(() => {
      clearTimeout(late);
      resolve();
    });
  });
}

/** For tests and tools that want no log. */
export function silentLogger(): Logger {
  return pino({ level: "silent" });
}

/** Many lines share a millisecond, and its text is costly to make. */
function isoTimestamp(): () => string {
  let atMs = 0;
  let text = "";
  return () => {
    const nowMs = Date.now();
    if (nowMs !== atMs) {
      atMs = nowMs;
      text = `,"time":"${new Date(nowMs).toISOString()}"`;
    }
    return text;
  };
}
