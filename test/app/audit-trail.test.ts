import { expect, it } from "vitest";
import { AuditTrail } from "../../src/app/audit-trail.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import { keepOut } from "../../src/domain/redact.ts";
import type { AuditLog } from "../../src/ports/audit-log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { FakeClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { openTestStore } from "../support/store.ts";

const DEED = { actor: "ann", role: "operator", action: "limits.set", subject: "limits" } as const;

interface Line {
  readonly event: string;
  readonly seq?: number;
  readonly hash?: string;
  readonly why?: string;
}

async function open() {
  const clock = new FakeClock();
  const { audit } = await openTestStore(clock);
  const metrics = createMetrics();
  const lines: Line[] = [];
  const line = (fields: object, event: string) => void lines.push({ event, ...fields });
  let count = 0;
  const newId = (prefix: string) => `${prefix}_${++count}`;
  const trail = new AuditTrail({ clock, newId, metrics, log: { info: line, error: line } as never });
  return { clock, audit, metrics, lines, trail };
}

const subjectsOf = async (audit: AuditLog) =>
  (await audit.read({ limit: 2_000 })).rows
    .map(({ body }) => JSON.parse(body).subject as string)
    .toReversed();

it("keeps what was done before the store was open, in its order, and says each place in the log", async () => {
  const { audit, trail, lines, metrics } = await open();
  const first = trail.write({ ...DEED, subject: "a" });
  trail.open({ audit });
  await Promise.all([first, trail.write({ ...DEED, subject: "b" }), trail.write({ ...DEED, subject: "c" })]);
  expect(await subjectsOf(audit)).toEqual(["a", "b", "c"]);
  const { rows } = await audit.read({ limit: 3 });
  expect(lines.map(({ event, seq, hash }) => ({ event, seq, hash }))).toEqual(
    rows.toReversed().map(({ seq, hash }) => ({ event: "audit.written", seq, hash })),
  );
  expect(await metrics.auditEntries.get()).toMatchObject({
    values: [{ labels: { action: "limits.set" }, value: 3 }],
  });
});

it("keeps none of our secrets, and no more than a little of anything", async () => {
  const { audit, trail } = await open();
  trail.open({ audit });
  keepOut("hunter2-hunter2");
  await trail.write({
    ...DEED,
    actor: "hunter2-hunter2",
    userAgent: "x".repeat(5_000),
    after: ["y".repeat(9_000)],
  });
  const [row] = (await audit.read({ limit: 1 })).rows;
  expect(JSON.parse(row?.body ?? "")).toMatchObject({ actor: "***", after: { left_out: "9004 characters" } });
  expect(row?.body.length).toBeLessThan(1_000);
});

it("holds so many while the store is away, and loses none of them in silence", async () => {
  const { clock, audit, trail, lines, metrics } = await open();
  let isAway = true;
  trail.open({
    audit: {
      ...audit,
      read: async (page) => {
        if (isAway) throw new GatewayError("STORE_UNAVAILABLE", "away");
        return await audit.read(page);
      },
    },
  });
  const writing = Array.from({ length: 1_001 }, (_, n) => trail.write({ ...DEED, subject: `${n}` }));
  expect(lines.map(({ event, why }) => [event, why])).toEqual([
    ["audit.lost", "too many wait for the store"],
  ]);
  // Each of those who wait, and the next try.
  await eventually(async () => expect(clock.sleeping).toBe(1_001), 10_000);
  isAway = false;
  clock.advance(1_000);
  await Promise.all(writing);
  await eventually(async () => expect(await subjectsOf(audit)).toHaveLength(1_000), 20_000);
  expect((await metrics.auditLost.get()).values).toMatchObject([{ value: 1 }]);
});

it("tries once more as the process ends, and puts into the log what the store does not take", async () => {
  const { audit, trail, lines } = await open();
  const add = () => Promise.reject(new GatewayError("STORE_UNAVAILABLE", "away"));
  trail.open({ audit: { ...audit, add } });
  void trail.write(DEED);
  await trail.close();
  expect(lines.map(({ event, why }) => [event, why])).toEqual([
    ["audit.unwritten", undefined],
    ["audit.lost", "the process ends"],
  ]);
});
