import type { Clock } from "../../../src/ports/clock.ts";

/** Nothing is noted more often, but at the end: each note is a write to the store. */
const EVERY_MS = 500;

/** What the holder of the socket leaves to the next. */
export interface Notebook {
  recall(name: string): Promise<string | null>;
  note(name: string, value: string): Promise<boolean>;
}

/** One note, written when what it is about has changed. */
export class Note {
  readonly #notebook: Notebook;
  readonly #name: string;
  readonly #clock: Pick<Clock, "timer">;
  readonly #value: () => string;
  #written = "";
  #callOff: (() => void) | null = null;
  #writing = Promise.resolve();

  constructor(notebook: Notebook, name: string, clock: Pick<Clock, "timer">, value: () => string) {
    this.#notebook = notebook;
    this.#name = name;
    this.#clock = clock;
    this.#value = value;
  }

  /** What the last holder left. Rejects when the store is away. */
  async recall(): Promise<string | null> {
    const noted = await this.#notebook.recall(this.#name);
    this.#written = noted ?? "";
    return noted;
  }

  soon(): void {
    this.#callOff ??= this.#clock.timer(EVERY_MS, () => void this.write());
  }

  /** One after the other. What cannot be written now is with the next change. */
  write(): Promise<void> {
    this.#callOff?.();
    this.#callOff = null;
    this.#writing = this.#writing.then(async () => {
      const value = this.#value();
      if (value === this.#written) return;
      if (await this.#notebook.note(this.#name, value).catch(() => false)) this.#written = value;
    });
    return this.#writing;
  }
}
