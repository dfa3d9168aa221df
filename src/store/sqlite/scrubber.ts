import {
  type BigIntStats,
  closeSync,
  fdatasyncSync,
  fstatSync,
  openSync,
  readSync,
  statSync,
  writeSync,
} from "node:fs";
import { messageOf } from "../../shared/fault.ts";
import { type FileHeader, kindIn, mapEntryOf, type Range, readHeader, treePage } from "./pages.ts";

/** Pages looked at in one turn: some milliseconds, so that accepting goes on between two. */
const BITE_PAGES = 256;

/**
 * Writes zeroes over what the file holds and no row has: what was deleted, and copies of it where rows were moved. Only bytes
 * that SQLite itself does not read are written, so that a crash in the middle leaves a sound file. From the last page to the
 * first: pages that are moved to free places of the file have been seen before.
 */
export class Scrubber {
  readonly #file: string;
  /** Another file may have its name by now, perhaps that of a process which is at work on it. */
  readonly #identity: string;
  /**
   * Open as long as the database is: closing any handle of a file drops the locks that its process has on it.
   */
  #handle: number | null = null;

  /** Before the file is opened. */
  constructor(file: string) {
    this.#file = file;
    this.#identity = identityOf(statSync(file, { bigint: true }));
  }

  /**
   * One bite, up to this page; null: from the last one. The log must have been copied into the file, and SQLite hold no page
   * in memory. Gives the page to go on with, 0 at the end; null: of this file it cannot be said what is unused. Throws where the
   * file is another one, or damaged.
   */
  bite(upTo: number | null): number | null {
    this.#handle ??= this.#open();
    const file = new OpenPages(this.#handle);
    if (!file.header.hasPointerMap) return null;
    const last = Math.min(upTo ?? Infinity, file.header.pages);
    const first = Math.max(1, last - BITE_PAGES + 1);
    const trunks = file.trunks();
    for (let page = last; page >= first; page--)
      try {
        scrub(page, file, trunks);
      } catch (error) {
        throw new Error(`its page ${page}: ${messageOf(error)}`, { cause: error });
      }
    if (file.isWritten) fdatasyncSync(this.#handle);
    return first - 1;
  }

  #open(): number {
    const handle = openSync(this.#file, "r+");
    if (identityOf(fstatSync(handle, { bigint: true })) === this.#identity) return handle;
    closeSync(handle);
    throw new Error("another file has its name");
  }

  /** After the database. */
  close(): void {
    if (this.#handle !== null) closeSync(this.#handle);
    this.#handle = null;
  }
}

function scrub(page: number, file: OpenPages, trunks: ReadonlyMap<number, number>): void {
  const { usableBytes } = file.header;
  const kind = page === 1 ? "tree" : file.kindOf(page);
  if (kind === "free") {
    const leaves = trunks.get(page);
    file.clear(page, file.read(page), [[leaves === undefined ? 0 : 8 + 4 * leaves, usableBytes]]);
  } else if (kind === "tree") {
    const bytes = file.read(page);
    const tree = treePage(bytes, page === 1 ? 100 : 0, usableBytes);
    file.clear(page, bytes, tree.unused);
    for (const { page: next, bytes } of tree.overflows) scrubEnd(next, bytes, file);
  }
}

/** Of a text that goes over several pages, the last one is seldom full. */
function scrubEnd(first: number, bytes: number, file: OpenPages): void {
  const { usableBytes, pages } = file.header;
  const room = usableBytes - 4;
  let page = first;
  let left = bytes;
  const look = () => {
    if (page < 1 || page > pages || file.kindOf(page) !== "overflow")
      throw new Error(`expected the rest of a text on page ${page}, got something else`);
    return file.read(page);
  };
  for (; left > room; left -= room) page = look().readUInt32BE(0);
  file.clear(page, look(), [[4 + left, usableBytes]]);
}

function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

const ZEROES = Buffer.alloc(65_536);

/** The pages of a file that nobody else writes to. */
class OpenPages {
  readonly header: FileHeader;
  isWritten = false;
  readonly #handle: number;
  /** The page of the pointer map that was read last. */
  #map: { readonly page: number; readonly bytes: Buffer } | null = null;

  constructor(handle: number) {
    this.#handle = handle;
    const first = Buffer.alloc(100);
    readSync(handle, first, 0, first.length, 0);
    this.header = readHeader(first);
  }

  read(page: number): Buffer {
    const { pageBytes } = this.header;
    const bytes = Buffer.alloc(pageBytes);
    readSync(this.#handle, bytes, 0, pageBytes, (page - 1) * pageBytes);
    return bytes;
  }

  kindOf(page: number): ReturnType<typeof kindIn> {
    const entry = mapEntryOf(page, this.header);
    if (entry === null) return "other";
    if (this.#map?.page !== entry.page) this.#map = { page: entry.page, bytes: this.read(entry.page) };
    return kindIn(this.#map.bytes[entry.offset]);
  }

  /** Those of the list of free pages that name others of it, and how many each names. */
  trunks(): ReadonlyMap<number, number> {
    const found = new Map<number, number>();
    for (let page = this.header.firstTrunk; page !== 0 && !found.has(page); ) {
      const bytes = this.read(page);
      found.set(page, bytes.readUInt32BE(4));
      page = bytes.readUInt32BE(0);
    }
    return found;
  }

  clear(page: number, bytes: Buffer, ranges: readonly Range[]): void {
    for (const [from, to] of ranges) {
      if (from >= to) continue;
      const part = bytes.subarray(from, to);
      if (part.equals(ZEROES.subarray(0, part.length))) continue;
      part.fill(0);
      this.isWritten = true;
      writeSync(this.#handle, part, 0, part.length, (page - 1) * this.header.pageBytes + from);
    }
  }
}
