import { describe, expect, it } from "vitest";
import { AUDIT_BEGINNING, type AuditPlace, type AuditRow, type Deed } from "../../src/domain/audit.ts";
import { rowBehind } from "../../src/shared/audit-chain.ts";
import { verifyAudit } from "../../src/shared/audit-verify.ts";
import { appendAudit, pruneAudit } from "../../src/store/audit.ts";
import type { StoreBench } from "./store.ts";

const DAY_MS = 86_400_000;

export function aDeed(changes: Partial<Deed> = {}): Deed {
  return {
    ...{ atMs: 1_700_000_000_000, actor: "ann@laptop", role: "operator" },
    ...{ action: "limits.set", subject: "limits" },
    ...changes,
  };
}

/** What was done to the gateway. */
export function auditContract(bench: StoreBench): void {
  const audit = () => bench.store.audit;
  let count = 0;
  const newId = (prefix: string) => `${prefix}_${++count}`;
  const append = async (changes: Partial<Deed> = {}) => await appendAudit(audit(), newId, aDeed(changes));
  const verify = async () => await verifyAudit((page) => audit().read(page));
  const all = async () => (await audit().read({ limit: 1_000 })).rows;
  const rowAfter = (after: AuditPlace, subject: string): AuditRow =>
    rowBehind(after, after.seq + 1, `aud_${subject}`, aDeed({ subject }));

  describe("the audit", () => {
    it("begins before its first row", async () => {
      const beginning = { rows: [], first: AUDIT_BEGINNING, last: AUDIT_BEGINNING, newestSeq: 0 };
      expect(await audit().read({ limit: 10 })).toEqual(beginning);
      expect(await verify()).toMatchObject({ entries: 0, fault: null });
    });

    it("gives back what was added, newest first, whole and page by page", async () => {
      const strange = 'ü 😀 "\n\u0000 \ud800';
      for (const subject of ["a", "b", strange]) await append({ subject, after: { [strange]: [1] } });
      const { rows, last, newestSeq } = await audit().read({ limit: 10 });
      expect(rows.map(({ seq }) => seq)).toEqual([3, 2, 1]);
      expect(rows.map(({ body }) => JSON.parse(body).subject)).toEqual([strange.toWellFormed(), "b", "a"]);
      expect({ last, newestSeq }).toEqual({ last: { seq: 3, hash: rows[0]?.hash }, newestSeq: 3 });
      expect((await audit().read({ limit: 1, before: 3 })).rows).toEqual([rows[1]]);
      expect((await audit().read({ limit: 9, before: 2 })).rows).toEqual([rows[2]]);
      expect(await verify()).toMatchObject({ entries: 3, last, fault: null });
    });

    it("of two rows behind the same, takes one", async () => {
      const one = rowAfter(AUDIT_BEGINNING, "one");
      const other = rowAfter(AUDIT_BEGINNING, "other");
      const both = [audit().add(one, AUDIT_BEGINNING), audit().add(other, AUDIT_BEGINNING)];
      expect(await Promise.all(both)).toEqual([true, false]);
      expect(await all()).toEqual([one]);
    });

    it("takes the same row again, whose answer was lost, also when others have followed it", async () => {
      const row = rowAfter(AUDIT_BEGINNING, "one");
      const add = () => audit().add(row, AUDIT_BEGINNING);
      expect([await add(), await add()]).toEqual([true, true]);
      await append();
      expect(await add()).toBe(true);
      expect(await all()).toHaveLength(2);
    });

    it("takes none that leaves a gap to a row that somebody else has put there", async () => {
      const first = rowAfter(AUDIT_BEGINNING, "one");
      await audit().add(first, AUDIT_BEGINNING);
      expect(await audit().add(rowAfter(AUDIT_BEGINNING, "two"), first)).toBe(false);
      expect(await all()).toEqual([first]);
    });

    it("is one line, however many are added at once", async () => {
      await Promise.all(Array.from({ length: 25 }, (_, n) => append({ subject: `s${n}` })));
      expect((await all()).map(({ seq }) => seq)).toEqual(Array.from({ length: 25 }, (_, n) => 25 - n));
      expect(await verify()).toMatchObject({ entries: 25, fault: null });
    });

    it.each(["reopen", "kill"] as const)("keeps it for the next process (%s)", async (how) => {
      await append();
      await bench[how]();
      await append();
      expect(await verify()).toMatchObject({ entries: 2, fault: null });
    });

    it("lets go of the oldest, and what is left can still be checked", async () => {
      for (let n = 0; n < 6; n++) await append({ atMs: n * DAY_MS });
      const prune = async () => await pruneAudit(audit(), newId, { nowMs: 6.5 * DAY_MS, keptMs: 4 * DAY_MS });
      expect(await prune()).toBe(3);
      const { rows, first } = await audit().read({ limit: 10 });
      expect(rows.map(({ seq }) => seq)).toEqual([7, 6, 5, 4]);
      expect(first.seq).toBe(3);
      expect(JSON.parse(rows[0]?.body ?? "")).toMatchObject({ action: "audit.pruned", after: first });
      await bench.kill();
      expect(await verify()).toMatchObject({ entries: 4, first, fault: null });
      // What is a little too old waits until it is worth another entry.
      expect(await prune()).toBe(0);
      expect((await append()).seq).toBe(8);
      expect(await verify()).toMatchObject({ entries: 5, fault: null });
    });

    it("looks at thousands of links", async () => {
      let last: AuditPlace = AUDIT_BEGINNING;
      const adding = Array.from({ length: 1_201 }, (_, n) => {
        const behind = last;
        const row = rowAfter(behind, `s${n}`);
        last = row;
        return audit().add(row, { seq: behind.seq, hash: behind.hash });
      });
      expect(await Promise.all(adding)).not.toContain(false);
      expect(await verify()).toMatchObject({ entries: 1_201, fault: null });
    });
  });
}
