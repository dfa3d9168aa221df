import { inflateSync } from "node:zlib";

/** Ample: each holds some hundred objects. */
const OBJECT_STREAMS_MAX = 500;
/** Of all that is unpacked of one file. */
const UNPACKED_BYTES_MAX = 16 * 1024 * 1024;

/**
 * How many pages a PDF has, at most `pagesMax + 1`; 0: they cannot be counted. `protected`: nobody reads it without a
 * password. Pages are objects of a type of their own, which stand in the file as they are or, in newer ones, packed in
 * streams of objects. Those that a later change of the file replaced are counted too.
 */
export function pagesOf(bytes: Buffer, pagesMax: number): number | "protected" {
  const text = bytes.toString("latin1");
  if (ENCRYPTED.test(text)) return "protected";
  let pages = count(text);
  let left = UNPACKED_BYTES_MAX;
  let streams = 0;
  let pastBytes = 0;
  for (const { index } of text.matchAll(OBJECT_STREAM)) {
    if (pages > pagesMax) break;
    // What a stream holds says nothing, and is not looked through twice.
    if (index < pastBytes) continue;
    if (++streams > OBJECT_STREAMS_MAX) return 0;
    const start = text.indexOf("stream", index);
    pastBytes = text.indexOf("endstream", start);
    if (start === -1 || pastBytes === -1) return 0;
    const unpacked = unpackedOf(bytes.subarray(text.indexOf("\n", start) + 1, pastBytes), left);
    if (unpacked === null) return 0;
    left -= unpacked.length;
    pages += count(unpacked.toString("latin1"));
  }
  return Math.min(pages, pagesMax + 1);
}

export function isPdf(bytes: Buffer): boolean {
  return bytes.toString("latin1", 0, 5) === "%PDF-";
}

const ENCRYPTED = /\/Encrypt\s*(?:\d+\s+\d+\s+R|<<)/;
const PAGE = /\/Type\s*\/Page(?![\w#.-])/g;
const OBJECT_STREAM = /\/Type\s*\/ObjStm(?![\w#.-])/g;

function count(text: string): number {
  return text.match(PAGE)?.length ?? 0;
}

/** A stream of objects; empty where it is not packed; null: nobody can tell. */
function unpackedOf(packed: Buffer, bytesMax: number): Buffer | null {
  // The lower half of the first byte of what is deflated is 8; else its objects are in sight.
  if (((packed[0] ?? 0) & 15) !== 8) return Buffer.alloc(0);
  try {
    return inflateSync(packed, { maxOutputLength: Math.max(1, bytesMax) });
  } catch {
    return null;
  }
}
