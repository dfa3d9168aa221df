import type { Clock } from "../../ports/clock.ts";
import type { FileAnswer, FileQuestion } from "../../ports/siblings.ts";
import { within } from "../within.ts";
import type { Child } from "./messages.ts";

/** A log that has grown is brought into its file before the answer. */
const ANSWER_TIMEOUT_MS = 20_000;

/** Passes what one process asks on to the others, and gives the answer of the one that has what it is about. */
export class Relay {
  readonly #clock: Clock;
  readonly #asked = new Map<number, (answer: FileAnswer | null) => void>();
  #ids = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Null: none of them has it. One that does not answer is waited for only while no other has it. */
  async ask(question: FileQuestion, children: readonly Child[]): Promise<FileAnswer | null> {
    const found = Promise.withResolvers<FileAnswer>();
    const ids = children.map((child) => {
      const id = ++this.#ids;
      const answered = Promise.withResolvers<null>();
      this.#asked.set(id, (answer) => (answer === null ? answered.resolve(null) : found.resolve(answer)));
      child.send({ kind: "asked", id, question });
      return { id, answered: answered.promise };
    });
    const none = Promise.all(ids.map(({ answered }) => answered)).then(() => null);
    try {
      return await within(Promise.race([found.promise, none]), ANSWER_TIMEOUT_MS, this.#clock);
    } finally {
      for (const { id } of ids) this.#asked.delete(id);
    }
  }

  answered(id: number, answer: FileAnswer | null): void {
    this.#asked.get(id)?.(answer);
  }
}
