import { type DestinationStream, type LogFn, type Logger, pino } from "pino";
import type { LogLevel, LogLevels } from "../domain/controls.ts";
import { redacted } from "../domain/redact.ts";
import { Levels } from "./levels.ts";
import { Lines } from "./lines.ts";
import type { TraceIds } from "./trace.ts";

export type { Logger } from "pino";

/** How long a line may wait in memory. A killed process loses at most this much of its log, never an event. */
const FLUSH_MS = 200;

export interface LogOptions {
  readonly level: LogLevel;
  /** Of lines that begin with this word, or are about this platform. */
  readonly levels?: LogLevels;
  /** One line a message in words, for a person at a terminal, instead of JSON. */
  readonly pretty: boolean;
  /** Which of several processes that share stdout; in every line. Absent: it is the only one. */
  readonly process?: number;
  /** In every line that is written in a span. */
  readonly trace?: (() => TraceIds | null) | undefined;
}

/** Written without waiting for more. */
const GATHERED_BYTES = 8_192;
/** A pipe takes this much whole; more may end up between the lines of another process. */
const PIPE_BYTES = 4_096;

/**
 * JSON lines on stdout, one wide line per unit of work. Fields are named by the caller, one by one:
 * nothing is logged because it happened to be part of an object, so message text and secrets stay out.
 */
export async function createLogger({
  level,
  levels: of = {},
  pretty,
  process: number,
  trace,
}: LogOptions): Promise<Logger> {
  const levels = new Levels(level, of);
  const options = {
    level: levels.least,
    hooks: {
      logMethod(this: Logger, line: Parameters<LogFn>, method: LogFn, at: number) {
        if (levels.takes(line, at)) method.apply(this, line);
      },
    },
    base: number === undefined ? null : { process: number },
    timestamp: isoTimestamp(),
    ...(trace !== undefined && { mixin: () => trace() ?? {} }),
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (pretty) {
    const { terminalText } = await import("./terminal.ts");
    const stream: DestinationStream = {
      write(line) {
        const text = terminalText(line, log.level === "debug" || log.level === "trace");
        // A terminal takes it at once, so that nothing is lost at an exit.
        if (text !== null) process.stdout.write(text);
      },
    };
    const log = pino({ ...options, formatters: {} }, withoutSecrets(stream));
    LEVELS.set(log, levels);
    return log;
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
  const log = pino(options, withoutSecrets(lines));
  LEVELS.set(log, levels);
  process.once("exit", () => lines.writeRest());
  return log;
}

const LEVELS = new WeakMap<Logger, Levels>();

/** Sets what this logger takes from now on. */
export function setLevels(log: Logger, general: LogLevel, of: LogLevels): void {
  const levels = LEVELS.get(log);
  levels?.set(general, of);
  log.level = levels?.least ?? general;
}

/** In words, or in pino's numbers. */
const INFO = /^\{"level":(?:"info"|30)\b/;

/**
 * The last door, for what went past the others: errors of libraries, with their causes. Only the lines that something
 * went wrong for and those of somebody who looks for a fault: they are few, and are where others are quoted.
 */
function withoutSecrets(stream: Stream): Stream {
  return {
    write: (line) => stream.write(INFO.test(line) ? line : redacted(line)),
    flush: (done = () => {}) => (stream.flush === undefined ? done() : stream.flush(done)),
  };
}

interface Stream extends DestinationStream {
  /** What `log.flush` waits for. */
  flush?(done?: () => void): void;
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
