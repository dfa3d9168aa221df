import type { DestinationStream } from "pino";

/** Where gathered lines go: pino's destination in its mode for buffers. */
export interface Sink {
  write(lines: Buffer): unknown;
  flush(done: (error?: Error) => void): void;
  flushSync(): void;
}

export interface GatheringOptions {
  /** So many bytes are passed on without waiting for more. */
  readonly bytesMin: number;
  /** No more than these in one piece, unless a single line is longer. */
  readonly bytesMax: number;
}

/**
 * Gathers lines, and passes them on together: a write for each costs more than making it. pino's destination would
 * gather, too, but measures all that it has gathered again with each line.
 */
export class Lines implements DestinationStream {
  readonly #sink: Sink;
  readonly #options: GatheringOptions;
  #gathered: string[] = [];
  #bytes = 0;

  constructor(sink: Sink, options: GatheringOptions) {
    this.#sink = sink;
    this.#options = options;
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#bytes + bytes > this.#options.bytesMax) this.pass();
    this.#gathered.push(line);
    this.#bytes += bytes;
    if (this.#bytes >= this.#options.bytesMin) this.pass();
  }

  /** Without waiting for them to be written. */
  pass(): void {
    if (this.#bytes === 0) return;
    const lines = Buffer.from(this.#gathered.join(""));
    this.#gathered = [];
    this.#bytes = 0;
    this.#sink.write(lines);
  }

  flush(done: (error?: Error) => void = () => {}): void {
    this.pass();
    this.#sink.flush(done);
  }

  flushSync(): void {
    this.pass();
    this.#sink.flushSync();
  }
}
