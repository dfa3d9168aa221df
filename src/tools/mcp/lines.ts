const NEWLINE = 10;

/** Lines of a stream of bytes. Each byte is copied once, however many pieces a line comes in. */
export class Lines {
  readonly #bytesMax: number;
  #pieces: Buffer[] = [];
  #bytes = 0;

  /** `bytesMax`: of one line. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** What is complete now, without empty lines. */
  add(chunk: Buffer): readonly string[] | "too-long" {
    const lines: string[] = [];
    let from = 0;
    for (let to = chunk.indexOf(NEWLINE); to !== -1; to = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk.subarray(from, to));
      if (this.#bytes > this.#bytesMax) return "too-long";
      const line = Buffer.concat(this.#pieces).toString("utf8").trim();
      if (line !== "") lines.push(line);
      this.#pieces = [];
      this.#bytes = 0;
      from = to + 1;
    }
    this.#keep(chunk.subarray(from));
    return this.#bytes > this.#bytesMax ? "too-long" : lines;
  }

  #keep(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.#bytes += piece.length;
  }
}
