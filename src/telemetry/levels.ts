import { levels as numbers } from "pino";
import type { LogLevel, LogLevels } from "../domain/controls.ts";

/** What is logged: in general, of lines that begin with a word (`run` of `run.finished`), and of those about a platform. */
export class Levels {
  #general = 0;
  /** Null: no subject has one of its own, which is cheap to see for each line. */
  #of: ReadonlyMap<string, number> | null = null;
  #least = 0;

  constructor(general: LogLevel, of: LogLevels) {
    this.set(general, of);
  }

  set(general: LogLevel, of: LogLevels): void {
    const own = new Map(Object.entries(of).map(([subject, level]) => [subject, numberOf(level)]));
    this.#general = numberOf(general);
    this.#of = own.size === 0 ? null : own;
    this.#least = Math.min(this.#general, ...own.values());
  }

  /** That of the subject which says most; what has none of its own is as in general. */
  get least(): LogLevel {
    return (numbers.labels[this.#least] as LogLevel | undefined) ?? "silent";
  }

  /** What was given to the logger: fields and a message, or a message alone. */
  takes(line: readonly unknown[], level: number): boolean {
    if (this.#of === null) return true;
    const [first, second] = line;
    const text = typeof first === "string" ? first : second;
    const ofPart = typeof text === "string" ? this.#of.get(text.split(".", 1)[0] ?? "") : undefined;
    const ofPlatform = this.#of.get(platformIn(first) ?? "");
    return level >= Math.min(ofPart ?? ofPlatform ?? this.#general, ofPlatform ?? Infinity);
  }
}

function platformIn(fields: unknown): string | undefined {
  if (typeof fields !== "object" || fields === null || !("platform" in fields)) return undefined;
  return typeof fields.platform === "string" ? fields.platform : undefined;
}

/** Silent is beyond all that there are. */
function numberOf(level: LogLevel): number {
  return numbers.values[level] ?? Infinity;
}
