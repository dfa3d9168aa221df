import { prettyFactory } from "pino-pretty";

type Line = Readonly<Record<string, unknown>>;

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
  if (isAll || Number(line.level) > INFO || Number(line.level) <= DEBUG) return whole(line);
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
    default:
      return joined([line.msg, fieldsOf(line)]);
  }
}

/** `slack:T1:C1: assistant answered in 1.2 s, 130 + 42 tokens, 0.3 cents` */
function runWords(line: Line): string {
  const seconds = (Number(line.duration_ms) / 1000).toFixed(1);
  const did = line.outcome === "answered" ? "answered in" : `${line.outcome} after`;
  return joined(
    [
      `${line.conversation_id}: ${line.agent} ${did} ${seconds} s`,
      `${line.input_tokens} + ${line.output_tokens} tokens`,
      `${Number(Number(line.cost_cents).toFixed(3))} cents`,
      Number(line.attempt) > 1 ? `attempt ${line.attempt}` : undefined,
      line.cause,
    ],
    ", ",
  );
}

function fieldsOf({ level, time, msg, ...fields }: Line): string | undefined {
  const texts = Object.entries(fields).map(([name, value]) =>
    typeof value === "object" && value !== null ? `${name} ${JSON.stringify(value)}` : `${name} ${value}`,
  );
  return texts.length === 0 ? undefined : texts.join(", ");
}

function joined(parts: readonly unknown[], between = ": "): string {
  return parts.filter((part) => part !== undefined && part !== null && part !== "").join(between);
}
