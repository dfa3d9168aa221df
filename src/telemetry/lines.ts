import fs from "node:fs";
import type { DestinationStream } from "pino";

export interface LinesOptions {
  readonly fd: number;
  /** So many bytes are written without waiting for more. */
  readonly bytesMin: number;
  /** No more than these in one write, unless a single line is longer. */
  readonly bytesMax: number;
}

/** Whoever reads has fallen behind: until it is tried again. */
const BUSY_MS = 10;
/** What waits for a reader that has stopped. Lines beyond that are dropped and counted. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
/** What a reader gets to take the last lines, before the process ends without. */
const LAST_MS = 2_000;

/**
 * Gathers lines and writes them together, one write at a time: one for each line costs more than making it. pino's own
 * destination measures all that it has gathered again with each line, and never ends at the exit of a process whose
 * reader has gone.
 */
export class Lines implements DestinationStream {
  readonly #options: LinesOptions;
  #gathered: string[] = [];
  #bytes = 0;
  /** To be written, the first of them under way. */
  #pieces: Buffer[] = [];
  #waiting = 0;
  #isWriting = false;
  #isGone = false;
  #dropped = 0;
  #idle: (() => void)[] = [];

  constructor(options: LinesOptions) {
    this.#options = options;
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#bytes + bytes > this.#options.bytesMax) this.pass();
    this.#gathered.push(line);
    this.#bytes += bytes;
    if (this.#bytes >= this.#options.bytesMin) this.pass();
  }

  /** Begins to write what was gathered. */
  pass(): void {
    this.#queue();
    if (!this.#isWriting) this.#writeNext();
  }

  /** Calls when nothing more is to be written. */
  flush(done: () => void = () => {}): void {
    this.#idle.push(done);
    this.pass();
  }

  /** For the exit of the process: all but what is under way, as far as somebody takes it. */
  flushSync(): void {
    this.#queue();
    const until = performance.now() + LAST_MS;
    for (const piece of this.#pieces.splice(this.#isWriting ? 1 : 0)) {
      this.#waiting -= piece.length;
      if (!writeWhole(this.#options.fd, piece, until)) return;
    }
  }

  #queue(): void {
    if (this.#bytes === 0) return;
    const lines = this.#gathered;
    this.#gathered = [];
    this.#bytes = 0;
    if (this.#isGone) return;
    if (this.#waiting > WAITING_BYTES_MAX) {
      this.#dropped += lines.length;
      return;
    }
    if (this.#dropped > 0) lines.unshift(droppedLine(this.#dropped));
    this.#dropped = 0;
    const piece = Buffer.from(lines.join(""));
    this.#pieces.push(piece);
    this.#waiting += piece.length;
  }

  #writeNext(): void {
    const [piece] = this.#pieces;
    this.#isWriting = piece !== undefined;
    if (piece === undefined) {
      for (const done of this.#idle.splice(0)) done();
      return;
    }
    fs.write(this.#options.fd, piece, (error, count) => {
      if (isBusy(error)) {
        setTimeout(() => this.#writeNext(), BUSY_MS);
        return;
      }
      if (error === null) this.#wrote(piece, count);
      else this.#readerHasGone();
      this.#writeNext();
    });
  }

  #wrote(piece: Buffer, count: number): void {
    this.#waiting -= count;
    if (count < piece.length) this.#pieces[0] = piece.subarray(count);
    else this.#pieces.shift();
  }

  /** Nobody is left to tell. */
  #readerHasGone(): void {
    this.#isGone = true;
    this.#pieces = [];
    this.#waiting = 0;
  }
}

/** False when nobody takes it, or not before that. */
function writeWhole(fd: number, piece: Buffer, until: number): boolean {
  for (let at = 0; at < piece.length; ) {
    try {
      at += fs.writeSync(fd, piece, at);
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) return false;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS);
    }
  }
  return true;
}

function isBusy(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === "EAGAIN" || code === "EBUSY";
}

function droppedLine(lines: number): string {
  return `${JSON.stringify({ level: "warn", time: new Date().toISOString(), lines, msg: "log.dropped" })}\n`;
}
