import fs from "node:fs";
import type { DestinationStream } from "pino";

export interface LinesOptions {
  readonly fd: number;
  /** So many bytes are written without waiting for more. */
  readonly bytesMin: number;
  /** No more than these in one write, unless a single line is longer. */
  readonly bytesMax: number;
  /** Fewer wait for more this long. Without a line no timer runs: an idle process sleeps. */
  readonly waitMs?: number;
  /** So many lines are lost, and there is room again to say so. */
  readonly onDropped: (lines: number) => void;
}

/** A reader that has fallen behind is looked after this often. */
const BUSY_MS = 10;
/** What waits for a reader that has stopped. Lines beyond that are dropped and counted. */
const WAITING_BYTES_MAX = 16 * 1024 * 1024;
/** What a reader gets to take the last lines, before the process ends without. */
const LAST_MS = 2_000;
/** Nobody will ever read again. Any other error, as of a full disk, may pass. */
const FINAL: ReadonlySet<string> = new Set(["EPIPE", "ECONNRESET", "EBADF"]);

interface Piece {
  readonly bytes: Buffer;
  readonly lines: number;
}

/**
 * Gathers lines and writes them together: a write for each costs more than making it. Writes do not wait, as long as
 * the output refuses instead of blocking, and so nothing is ever under way that others could overtake.
 *
 * pino's own destination measures all that it has gathered again with each line, and never ends at the exit of a
 * process whose reader has gone.
 */
export class Lines implements DestinationStream {
  readonly #options: LinesOptions;
  #gathered: string[] = [];
  #bytes = 0;
  #pieces: Piece[] = [];
  #waiting = 0;
  /** Until the next try, after the reader had fallen behind. */
  #busy: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
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
    else if (this.#options.waitMs !== undefined && this.#soon === undefined)
      this.#soon = setTimeout(this.#passLate, this.#options.waitMs).unref();
  }

  readonly #passLate = () => {
    this.#soon = undefined;
    this.pass();
  };

  /** Writes what was gathered, or what the output takes of it now. */
  pass(): void {
    this.#queue();
    if (this.#busy === undefined) this.#writeSoon();
  }

  /** Calls when nothing more is to be written. */
  flush(done: () => void = () => {}): void {
    this.#idle.push(done);
    this.pass();
  }

  /**
   * For the exit of the process: waits a while for whoever reads. Has another name than pino knows, which would call it
   * for each fatal line.
   */
  writeRest(): void {
    this.#tellDropped();
    this.#queue();
    const until = performance.now() + LAST_MS;
    while (!this.#writeAll() && performance.now() < until) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS);
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
    const bytes = Buffer.from(lines.join(""));
    this.#pieces.push({ bytes, lines: lines.length });
    this.#waiting += bytes.length;
  }

  #writeSoon(): void {
    if (this.#writeAll()) return;
    const again = () => {
      this.#busy = undefined;
      this.#writeSoon();
    };
    this.#busy ??= setTimeout(again, BUSY_MS).unref();
  }

  /** False: the reader has fallen behind. */
  #writeAll(): boolean {
    for (let [piece] = this.#pieces; piece !== undefined; [piece] = this.#pieces) {
      try {
        this.#wrote(piece, fs.writeSync(this.#options.fd, piece.bytes));
      } catch (error) {
        if (isBusy(error)) return false;
        this.#failed(piece, error as NodeJS.ErrnoException);
      }
    }
    for (const done of this.#idle.splice(0)) done();
    return true;
  }

  #wrote({ bytes, lines }: Piece, count: number): void {
    this.#waiting -= count;
    if (count < bytes.length) {
      this.#pieces[0] = { bytes: bytes.subarray(count), lines };
      return;
    }
    this.#pieces.shift();
    // Ends up behind all that waits.
    if (this.#waiting < WAITING_BYTES_MAX / 2) this.#tellDropped();
  }

  #failed({ bytes, lines }: Piece, { code = "" }: NodeJS.ErrnoException): void {
    this.#isGone = FINAL.has(code);
    this.#pieces = this.#isGone ? [] : this.#pieces.slice(1);
    this.#waiting = this.#isGone ? 0 : this.#waiting - bytes.length;
    this.#dropped += lines;
  }

  #tellDropped(): void {
    const lines = this.#dropped;
    this.#dropped = 0;
    if (lines > 0 && !this.#isGone) this.#options.onDropped(lines);
  }
}

function isBusy(error: unknown): boolean {
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  return code === "EAGAIN" || code === "EBUSY";
}
