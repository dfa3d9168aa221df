/*
 * Where a page of an SQLite file holds nothing that a row has: https://sqlite.org/fileformat2.html. What was deleted stays in
 * these places until something else is written over it.
 */

/** What the pointer map of the file says of a page. */
export type PageKind = "tree" | "overflow" | "free" | "other";

/** Of the first page. */
export interface FileHeader {
  readonly pageBytes: number;
  /** Of a page, without what extensions have reserved at its end. */
  readonly usableBytes: number;
  readonly pages: number;
  readonly firstTrunk: number;
  /** Without a pointer map nothing says what kind a page is of. */
  readonly hasPointerMap: boolean;
}

export function readHeader(first: Buffer): FileHeader {
  const size = first.readUInt16BE(16);
  const pageBytes = size === 1 ? 65_536 : size;
  return {
    pageBytes,
    usableBytes: pageBytes - first.readUInt8(20),
    pages: first.readUInt32BE(28),
    firstTrunk: first.readUInt32BE(32),
    hasPointerMap: first.readUInt32BE(52) !== 0,
  };
}

/** Where the pointer map has its five bytes about a page; null: the page is of the map itself, the first, or never used. */
export function mapEntryOf(
  page: number,
  { pageBytes, usableBytes }: FileHeader,
): { readonly page: number; readonly offset: number } | null {
  const pending = PENDING_BYTE / pageBytes + 1;
  if (page < 2 || page === pending) return null;
  const entries = Math.floor(usableBytes / MAP_ENTRY_BYTES);
  const first = Math.floor((page - 2) / (entries + 1)) * (entries + 1) + 2;
  const map = first === pending ? first + 1 : first;
  return page <= map ? null : { page: map, offset: MAP_ENTRY_BYTES * (page - map - 1) };
}

export function kindIn(entry: number | undefined): PageKind {
  return (entry === undefined ? undefined : KINDS[entry]) ?? "other";
}

const MAP_ENTRY_BYTES = 5;
const PENDING_BYTE = 0x4000_0000;
const KINDS: Readonly<Record<number, PageKind>> = {
  1: "tree",
  2: "free",
  3: "overflow",
  4: "overflow",
  5: "tree",
};

/** Bytes of a page: from, and up to. */
export type Range = readonly [from: number, to: number];

/** The rest of a text that goes on elsewhere. */
export interface Overflow {
  readonly page: number;
  readonly bytes: number;
}

/**
 * Of a page of a tree: what no cell has, and what of its cells is on other pages. Throws where it is not as SQLite writes it:
 * what nobody understands may be all that is left of something.
 */
export function treePage(
  page: Buffer,
  start: number,
  usableBytes: number,
): { readonly unused: readonly Range[]; readonly overflows: readonly Overflow[] } {
  const flag = page.readUInt8(start);
  const type = TREES[flag];
  if (type === undefined) throw new Error(`expected a page of a tree, got the kind ${flag}`);
  const cells = page.readUInt16BE(start + 3);
  const pointers = start + (type.isLeaf ? 8 : 12);
  const content = page.readUInt16BE(start + 5) || 65_536;
  const unused: Range[] = [[pointers + 2 * cells, content]];
  const isWithin = (from: number, to: number) => from <= to && to <= usableBytes;
  if (!isWithin(pointers + 2 * cells, content)) throw new Error("its cells are where they cannot be");
  // They stand in their order, so that no list goes round.
  let last = content;
  for (let at = page.readUInt16BE(start + 1); at !== 0; at = page.readUInt16BE(at)) {
    const end = at + page.readUInt16BE(at + 2);
    if (at < last || !isWithin(at + 4, end)) throw new Error("its free places are where they cannot be");
    unused.push([at + 4, end]);
    last = end;
  }
  const overflows: Overflow[] = [];
  // Only pages of trees inside of tables hold no texts.
  for (let i = 0; i < cells && type.hasPayload; i++) {
    const cell = page.readUInt16BE(pointers + 2 * i) + (type.isLeaf ? 0 : 4);
    const found = overflowOf(page, cell, type.isTable, usableBytes);
    if (found !== null) overflows.push(found);
  }
  return { unused, overflows };
}

const TREES: Readonly<Record<number, { isTable: boolean; isLeaf: boolean; hasPayload: boolean }>> = {
  2: { isTable: false, isLeaf: false, hasPayload: true },
  5: { isTable: true, isLeaf: false, hasPayload: false },
  10: { isTable: false, isLeaf: true, hasPayload: true },
  13: { isTable: true, isLeaf: true, hasPayload: true },
};

function overflowOf(page: Buffer, cell: number, isTable: boolean, usable: number): Overflow | null {
  const [payload, afterPayload] = varint(page, cell);
  const start = isTable ? varint(page, afterPayload)[1] : afterPayload;
  const most = isTable ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23;
  if (payload <= most) return null;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const fitting = least + ((payload - least) % (usable - 4));
  const local = fitting <= most ? fitting : least;
  return { page: page.readUInt32BE(start + local), bytes: payload - local };
}

/** Its value, and where it ends. */
function varint(page: Buffer, at: number): readonly [value: number, end: number] {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = page.readUInt8(at + i);
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return [value, at + i + 1];
  }
  return [value * 256 + page.readUInt8(at + 8), at + 9];
}
