import { describe, expect, it } from "vitest";
import { AUDIT_BEGINNING, AUDIT_PRUNED, type AuditPlace, type AuditRow } from "../../src/domain/audit.ts";
import { hashBehind, rowBehind } from "../../src/shared/audit-chain.ts";
import { verifyAudit } from "../../src/shared/audit-verify.ts";
import { aDeed } from "../contract/store-audit.ts";

const COUNT = 12;
const place = ({ seq, hash }: AuditPlace): AuditPlace => ({ seq, hash });

/** As a store keeps it, for somebody who writes to that behind its back. */
class Kept {
  rows: AuditRow[] = [];
  first: AuditPlace = AUDIT_BEGINNING;
  last: AuditPlace = AUDIT_BEGINNING;

  constructor(count = COUNT) {
    for (let n = 0; n < count; n++) this.append(`s${n}`);
  }

  append(subject: string, action = "limits.set", after?: unknown): AuditRow {
    const seq = Math.max(this.last.seq, ...this.rows.map((row) => row.seq)) + 1;
    const row = rowBehind(this.last, seq, `aud_${subject}`, aDeed({ subject, action, after }));
    this.rows.push(row);
    this.last = place(row);
    return row;
  }

  at(seq: number): AuditRow {
    const row = this.rows.find((one) => one.seq === seq);
    if (row === undefined) throw new Error(`Expected an entry ${seq}`);
    return row;
  }

  replace(seq: number, change: (row: AuditRow) => AuditRow): void {
    this.rows = this.rows.map((row) => (row.seq === seq ? change(row) : row));
  }

  verify(known?: AuditPlace) {
    return verifyAudit(async ({ limit, before = Infinity }) => {
      const older = this.rows.filter(({ seq }) => seq < before).toSorted((a, b) => b.seq - a.seq);
      return { rows: older.slice(0, limit), first: this.first, last: this.last };
    }, known);
  }
}

const forged = (row: AuditRow) => ({ ...row, body: row.body.replace("ann@laptop", "eve@laptop") });
const rehashed = (row: AuditRow, before: AuditPlace) => ({ ...row, hash: hashBehind(before, row.body) });

describe("the chain of the audit", () => {
  it("is whole as it was written", async () => {
    const kept = new Kept();
    expect(await kept.verify()).toEqual({
      ...{ entries: COUNT, first: AUDIT_BEGINNING, last: kept.last, fault: null },
    });
  });

  it.each([1, 2, 7, COUNT - 1, COUNT])("finds that entry %i was changed", async (seq) => {
    const kept = new Kept();
    kept.replace(seq, forged);
    expect((await kept.verify()).fault).toMatchObject({ seq, what: "changed" });
  });

  it.each([1, 7, COUNT])("finds that entry %i was changed, and its hash with it", async (seq) => {
    const kept = new Kept();
    const before = seq === 1 ? AUDIT_BEGINNING : kept.at(seq - 1);
    kept.replace(seq, (row) => rehashed(forged(row), before));
    const { fault } = await kept.verify();
    // The next one says that it follows another; which of the two is true, it does not say.
    expect(fault).toMatchObject({ seq: Math.min(seq + 1, COUNT), what: "changed" });
  });

  it.each([1, 7, COUNT])("finds that entry %i is missing", async (seq) => {
    const kept = new Kept();
    kept.rows = kept.rows.filter((row) => row.seq !== seq);
    const fault = { seq, what: "missing", message: `entry ${seq} is missing` };
    expect((await kept.verify()).fault).toEqual(fault);
  });

  it("finds that all are missing", async () => {
    const kept = new Kept();
    kept.rows = [];
    expect((await kept.verify()).fault).toMatchObject({ seq: 1, message: "entries 1 to 12 are missing" });
  });

  it("finds that two were swapped", async () => {
    const kept = new Kept();
    const [four, five] = [kept.at(4), kept.at(5)];
    kept.replace(4, () => ({ ...five, seq: 4 }));
    kept.replace(5, () => ({ ...four, seq: 5 }));
    expect((await kept.verify()).fault).toMatchObject({ seq: 4, what: "changed" });
  });

  it("finds entries at the end that are as they should be, but were not added by the gateway", async () => {
    const kept = new Kept();
    const { last } = kept;
    for (const subject of ["x", "y"]) kept.append(subject);
    kept.last = last;
    expect((await kept.verify()).fault).toMatchObject({ seq: COUNT + 1, what: "added" });
    kept.append("of the gateway, which goes on");
    expect((await kept.verify()).fault).toMatchObject({ seq: COUNT + 1, what: "added" });
  });

  it("finds a text that is none of ours", async () => {
    const kept = new Kept();
    kept.replace(3, (row) => ({ ...row, body: "\u0000{" }));
    expect((await kept.verify()).fault).toMatchObject({ seq: 3, what: "changed" });
  });

  it("names the first of several faults", async () => {
    const kept = new Kept(1_300);
    for (const seq of [1_200, 601, 90]) kept.replace(seq, forged);
    kept.rows = kept.rows.filter(({ seq }) => seq !== 700);
    expect((await kept.verify()).fault).toMatchObject({ seq: 90, what: "changed" });
  });

  it("takes a beginning that the gateway has told of, and no other", async () => {
    const kept = new Kept();
    const cut = (seq: number) => {
      kept.first = place(kept.at(seq));
      kept.rows = kept.rows.filter((row) => row.seq > seq);
    };
    kept.append("audit", AUDIT_PRUNED, place(kept.at(4)));
    cut(4);
    expect(await kept.verify()).toMatchObject({ entries: COUNT - 3, fault: null });
    cut(6);
    expect((await kept.verify()).fault).toEqual({
      ...{ seq: 1, what: "missing", message: "entries 1 to 6 are missing" },
    });
  });

  it("finds, with a place that was noted elsewhere, that all was written anew, or the end cut off", async () => {
    const kept = new Kept();
    const { last } = kept;
    expect((await kept.verify(last)).fault).toBeNull();
    const anew = new Kept(COUNT - 3);
    anew.append("eve");
    expect((await anew.verify()).fault).toBeNull();
    expect((await anew.verify(last)).fault).toMatchObject({ seq: COUNT, what: "missing" });
    for (const subject of ["eve", "eve", "eve"]) anew.append(subject);
    expect((await anew.verify(last)).fault).toMatchObject({ seq: COUNT, what: "changed" });
  });
});
