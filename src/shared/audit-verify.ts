import { AUDIT_BEGINNING, AUDIT_PRUNED, type AuditPlace, type AuditRow } from "../domain/audit.ts";
import { hashBehind } from "./audit-chain.ts";
import { get, parseJsonObject } from "./json.ts";

export interface AuditFault {
  /** Of the first entry that is not as it was written, or not there. */
  readonly seq: number;
  readonly what: "changed" | "missing" | "added";
  readonly message: string;
}

export interface Verified {
  readonly entries: number;
  /** The last entry that was let go of; that before the first one where none was. */
  readonly first: AuditPlace;
  readonly last: AuditPlace;
  readonly fault: AuditFault | null;
}

interface Part {
  readonly rows: readonly AuditRow[];
  readonly first: AuditPlace;
  readonly last: AuditPlace;
}
type ReadAudit = (page: { readonly limit: number; readonly before?: number }) => Promise<Part>;

/** Rows read at once. */
const CHUNK = 500;

/** Looks at every link, from the newest to the oldest. `known`: a place that somebody has noted elsewhere. */
export async function verifyAudit(read: ReadAudit, known?: AuditPlace): Promise<Verified> {
  let part = await read({ limit: CHUNK });
  const { last } = part;
  const look = new Look(last, known);
  for (;;) {
    for (const row of part.rows) look.at(row, part.first);
    const oldest = part.rows.at(-1);
    if (oldest === undefined || part.rows.length < CHUNK) break;
    part = await read({ limit: CHUNK, before: oldest.seq });
  }
  look.end(part.first);
  return { entries: look.entries, first: part.first, last, fault: look.fault };
}

class Look {
  entries = 0;
  /** Of all, the one with the lowest seq. */
  fault: AuditFault | null = null;
  readonly #last: AuditPlace;
  readonly #known: AuditPlace | undefined;
  readonly #pruned: AuditPlace[] = [];
  #above: AuditRow | null = null;
  /** Does not follow the row below it: maybe one further down, and what lies between was added. */
  #loose: AuditRow | null = null;
  #hashOfKnown: string | null = null;

  constructor(last: AuditPlace, known: AuditPlace | undefined) {
    this.#last = last;
    this.#known = known;
  }

  at(row: AuditRow, first: AuditPlace): void {
    const { seq, hash, body } = row;
    this.entries += 1;
    const isAbove = seq > this.#last.seq;
    if (isAbove || seq <= first.seq || seq === this.#above?.seq) this.#added(seq);
    if (isAbove) return;
    if (this.#above === null) this.#newest(row);
    else this.#link(row, this.#above);
    if (numberIn(body, "seq") !== seq) this.#changed(seq);
    if (seq === this.#known?.seq) this.#hashOfKnown = hash;
    this.#pruned.push(...prunedBy(body));
    this.#above = row;
  }

  end(first: AuditPlace): void {
    const lowest = this.#above?.seq ?? this.#last.seq + 1;
    if (lowest > first.seq + 1) this.#missing(first.seq + 1, lowest - 1);
    else if (lowest === first.seq + 1 && this.#above !== null && !follows(this.#above, first))
      this.#changed(lowest);
    const isNoted = this.#pruned.some(({ seq, hash }) => seq === first.seq && hash === first.hash);
    if (first.seq > AUDIT_BEGINNING.seq && !isNoted) this.#missing(1, first.seq);
    if (this.#known !== undefined) this.#compare(this.#known, first);
  }

  #newest({ seq, hash }: AuditRow): void {
    if (seq < this.#last.seq) this.#missing(seq + 1, this.#last.seq);
    else if (hash !== this.#last.hash) this.#changed(seq);
  }

  #link(row: AuditRow, above: AuditRow): void {
    if (row.seq < above.seq - 1) this.#missing(row.seq + 1, above.seq - 1);
    else if (!follows(above, row)) {
      const message = `entry ${above.seq}, or the one before it, is not as it was written`;
      this.#note({ seq: above.seq, what: "changed", message });
      // A copy of another entry follows what that one does.
      if (numberIn(above.body, "seq") === above.seq) this.#loose ??= above;
    }
    if (this.#loose === null || this.#loose === above || !follows(this.#loose, row)) return;
    this.#added(row.seq + 1);
    this.#loose = null;
  }

  /** What was let go of is not there to be compared. */
  #compare({ seq, hash }: AuditPlace, first: AuditPlace): void {
    const found = seq === first.seq ? first.hash : this.#hashOfKnown;
    if (found === hash || seq < first.seq) return;
    if (found === null) this.#missing(seq, seq);
    else this.#changed(seq);
  }

  #added(seq: number): void {
    this.#note({ seq, what: "added", message: `entry ${seq} was not written by the gateway` });
  }

  #changed(seq: number): void {
    this.#note({ seq, what: "changed", message: `entry ${seq} is not as it was written` });
  }

  #missing(from: number, to: number): void {
    const message = from === to ? `entry ${from} is missing` : `entries ${from} to ${to} are missing`;
    this.#note({ seq: from, what: "missing", message });
  }

  #note(fault: AuditFault): void {
    if (this.fault === null || fault.seq <= this.fault.seq) this.fault = fault;
  }
}

function follows(row: AuditRow, before: AuditPlace): boolean {
  return hashBehind(before, row.body) === row.hash;
}

function numberIn(body: string, name: string): unknown {
  const parsed = parseJsonObject(body);
  return parsed.ok ? parsed.value[name] : null;
}

function prunedBy(body: string): AuditPlace[] {
  // Most are something else, and need not be read.
  if (!body.includes(AUDIT_PRUNED)) return [];
  const parsed = parseJsonObject(body);
  if (!parsed.ok || parsed.value.action !== AUDIT_PRUNED) return [];
  const { after } = parsed.value;
  const [seq, hash] = [get(after, "seq"), get(after, "hash")];
  return typeof seq === "number" && typeof hash === "string" ? [{ seq, hash }] : [];
}
