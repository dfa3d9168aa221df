const CR = 13;
const LF = 10;

/** Where the value that begins at `from` ends, or -1 when not all of it is here. RESP 2 and 3, without streams. */
export function endOfValue(bytes: Buffer, from = 0): number {
  const lineEnd = bytes.indexOf("\r\n", from);
  if (lineEnd === -1) return -1;
  const kind = String.fromCharCode(bytes[from] ?? 0);
  const length = Number(bytes.toString("latin1", from + 1, lineEnd));
  let end = lineEnd + 2;
  if ("$!=".includes(kind)) {
    if (length < 0) return end;
    end += length + 2;
    return end <= bytes.length ? end : -1;
  }
  for (let values = Math.max(0, length) * (VALUES_PER_ENTRY[kind] ?? 0); values > 0; values--) {
    end = endOfValue(bytes, end);
    if (end === -1) return -1;
  }
  return end;
}

const VALUES_PER_ENTRY: Readonly<Record<string, number>> = { "*": 1, "~": 1, ">": 1, "%": 2, "|": 2 };

/** Words that the server says unasked. */
export function isPush(value: Buffer): boolean {
  return String.fromCharCode(value[0] ?? 0) === ">";
}

/** The words of a command, as clients send it: an array of strings. */
export function wordsOf(command: Buffer): string[] {
  const words: string[] = [];
  let at = command.indexOf(LF) + 1;
  while (at < command.length) {
    const lineEnd = command.indexOf(CR, at);
    const length = Number(command.toString("latin1", at + 1, lineEnd));
    words.push(command.toString("utf8", lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 4 + length;
  }
  return words;
}

/** Puts together what comes in pieces; `take` gives the values that have come whole. */
export class Values {
  #rest: Buffer = Buffer.alloc(0);

  take(piece: Buffer): Buffer[] {
    let bytes = Buffer.concat([this.#rest, piece]);
    const values: Buffer[] = [];
    for (let end = endOfValue(bytes); end !== -1; end = endOfValue(bytes)) {
      values.push(bytes.subarray(0, end));
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
    return values;
  }
}
