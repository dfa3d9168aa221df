import { expect, it, onTestFinished } from "vitest";
import { standForDuties } from "../../src/app/duties.ts";
import type { ScheduleSpec } from "../../src/config/schedules-schema.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { openAdmin, TOKEN } from "../support/admin.ts";
import { eventually } from "../support/eventually.ts";
import { call } from "./helpers.ts";

const STANDUP: ScheduleSpec = {
  ...{ name: "standup", cron: "0 9 * * *", time_zone: "Europe/Berlin", agent: "ops", text: "What changed?" },
  ...{ to: { platform: "test", tenant: "T1", channel: "C1" }, missed: "run_once", enabled: true },
};
const NIGHTLY: ScheduleSpec = {
  ...{ name: "nightly", cron: "30 2 * * 1-5", time_zone: "UTC", agent: "sales", text: "Count." },
  ...{
    to: { platform: "test", tenant: "T1", channel: "C2", thread: "1.\u001b[2J" },
    missed: "skip",
    enabled: true,
  },
};

async function open(schedules: readonly ScheduleSpec[]) {
  const admin = await openAdmin({ schedules });
  const env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: await admin.listen() };
  return { admin, run: (...args: string[]) => call(["schedules", ...args], { env }) };
}

it("parley schedules list says when each is due next and was fired last, and which are paused", async () => {
  const { admin, run } = await open([STANDUP, NIGHTLY]);
  await admin.killSwitch.set({ on: true, agent: "sales", by: "ann", reason: null, atMs: 1 });
  const before = await run("list");
  expect(before).toMatchObject({ code: 0, stderr: "" });
  expect(before.stdout).toMatch(/^NEXT DUE +LAST FIRED +MISSED +AGENT +NAME\n/);
  expect(before.stdout).toMatch(/^2023-11-15T08:00:00\.000Z +never +run_once +ops +standup\n/m);
  expect(before.stdout).toContain("  0 9 * * * Europe/Berlin in test:T1:C1\n");
  expect(before.stdout).toMatch(/^paused +never +skip +sales +nightly\n/m);
  expect(before.stdout).toContain("C2:1.\\u{1b}[2J\n");

  const { schedules } = JSON.parse((await run("list", "--json")).stdout);
  expect(schedules).toMatchObject([
    {
      ...{ name: "standup", cron: "0 9 * * *", time_zone: "Europe/Berlin", agent: "ops", platform: "test" },
      ...{
        tenant: "T1",
        place: "C1",
        thread: null,
        conversation: "test:T1:C1",
        missed: "run_once",
        enabled: true,
      },
      ...{ paused: false, last_fired_at: null, last_outcome: null },
    },
    { name: "nightly", thread: "1.\u001b[2J", missed: "skip", enabled: true, paused: true },
  ]);
  expect(JSON.stringify(schedules)).not.toContain("What changed?");

  const due = Date.parse(schedules[0].next_due_at);
  admin.clock.advance(due - admin.clock.nowMs() - 1);
  const elected = standForDuties([admin.schedules], {
    ...{ store: admin.store, clock: admin.clock, random: () => 0.5, log: silentLogger() },
  });
  onTestFinished(() => elected.stop());
  await eventually(async () => expect(await admin.store.notes.get("schedule/standup")).not.toBeNull(), 5_000);
  await eventually(async () => {
    admin.clock.advance(1_000);
    const after = JSON.parse((await run("list", "--json")).stdout);
    expect(after.schedules[0]).toMatchObject({
      ...{ last_fired_at: new Date(due).toISOString(), last_outcome: "fired" },
    });
  }, 5_000);
});

it("says how to configure one where there is none", async () => {
  const { run } = await open([]);
  expect(await run("list")).toMatchObject({
    ...{ code: 0, stdout: "no schedules are configured; docs/schedules.md has an example\n" },
  });
  expect(JSON.parse((await run("list", "--json")).stdout)).toEqual({ schedules: [] });
});
