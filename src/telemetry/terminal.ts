import { prettyFactory } from "pino-pretty";

/** What the lines that are said in words may hold; any other field is shown as it is. */
interface Line extends Readonly<Record<string, unknown>> {
  readonly level?: number;
  readonly msg?: string;
  readonly platform?: string;
  readonly outcome?: string;
  readonly reason?: string;
  readonly conversation_id?: string;
  readonly agent?: string;
  readonly duration_ms?: number;
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly cost_cents?: number;
  readonly attempt?: number;
  readonly cause?: string;
  readonly note?: string;
}

/** The numbers that pino writes for its levels. */
const DEBUG = 20;
const INFO = 30;

const COMMON = { ignore: "pid,hostname", translateTime: "SYS:HH:MM:ss" } as const;
/** Time, level and words. */
const brief = prettyFactory({ ...COMMON, hideObject: true });
/** Every field: what went wrong is told whole, an error with its stack. */
const whole = prettyFactory({ ...COMMON, singleLine: true });

/**
 * The text of a line of the log for a person at a terminal, who reads along: one line a message, in words. Null: what it
 * says is said by another. `isAll`: for who asked for more than `info`, all lines with all fields.
 */
export function terminalText(json: string, isAll: boolean): string | null {
  const line = JSON.parse(json) as Line;
  if (isAll || (line.level ?? INFO) > INFO || (line.level ?? INFO) <= DEBUG) return whole(line);
  const words = wordsOf(line);
  return words === null ? null : brief({ ...line, msg: printable(words) });
}

/** Names from outside may hold what a terminal would obey. */
function printable(words: string): string {
  return words.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, "\ufffd");
}

function wordsOf(line: Line): string | null {
  switch (line.msg) {
    case "run.finished":
      return runWords(line);
    case "webhook.received":
      // One that was accepted is told by its run; a handshake and what was ignored have no other line.
      return line.outcome === "accepted" ? null : joined([`${line.platform}: ${line.outcome}`, line.reason]);
    case "reply.sent":
      return null;
    case "store.note":
      return line.note ?? null;
    default:
      return joined([line.msg, fieldsOf(line)]);
  }
}

/** `test:test:default: assistant answered in 1.2 s, 130 + 42 tokens, 0.3 cents` */
function runWords({ outcome = "", attempt = 1, duration_ms = 0, cost_cents = 0, ...line }: Line): string {
  const did = outcome === "answered" ? "answered in" : `${outcome} after`;
  return joined(
    [
      `${line.conversation_id}: ${line.agent} ${did} ${(duration_ms / 1000).toFixed(1)} s`,
      `${line.input_tokens} + ${line.output_tokens} tokens`,
      `${Number(cost_cents.toFixed(3))} cents`,
      attempt > 1 ? `attempt ${attempt}` : undefined,
      line.cause,
    ],
    ", ",
  );
}

/** Of pino's own fields none: they stand before the words. */
const OWN: ReadonlySet<string> = new Set(["level", "time", "msg"]);

function fieldsOf(line: Line): string {
  return Object.entries(line)
    .filter(([name]) => !OWN.has(name))
    .map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}

function joined(parts: readonly (string | undefined)[], between = ": "): string {
  return parts.filter((part) => part !== undefined && part !== "").join(between);
}
