import { expect, it } from "vitest";
import { openAdmin, TOKEN } from "../support/admin.ts";
import { call } from "./helpers.ts";

it("parley status says how a gateway does, in words or as JSON", async () => {
  const admin = await openAdmin();
  const env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: await admin.listen() };
  await admin.bury({ id: "test:1" });
  const told = await call(["status"], { env });
  expect(told).toMatchObject({ code: 0, stderr: "" });
  expect(told.stdout.split("\n")).toEqual([
    "status        ready",
    "version       1.2.3",
    "events        0 queued, 0 running, 0 retrying; 0 parked; 1 dead",
    "replicas      1",
    "paused        nothing",
    "agents        assistant",
    expect.stringMatching(/^today {9}0 cents on \d{4}-\d\d-\d\d, of 100$/),
    "",
  ]);

  const { stdout } = await call(["status", "--json"], { env });
  expect(JSON.parse(stdout)).toMatchObject({
    status: "ready",
    events: { queued: 0, dead: 1, oldest_seconds: null },
    replicas: [{ id: "rep_1", role: "all", version: "1.2.3", configuration: "c0ffee" }],
    left_alone: [],
    spent_today: { cost_cents: 0, limit_cents: 100 },
  });
});

it("says what is not well, what is paused and left alone, and ends with 1 when it cannot work", async () => {
  const admin = await openAdmin({
    ready: {
      ...{ status: "not_ready", version: "1.2.3", timestamp: "2026-11-30T00:00:00.000Z" },
      components: {
        store: {
          status: "failed",
          code: "STORE_UNAVAILABLE",
          details: "no answer",
          since: "2026-11-30T00:00:00.000Z",
        },
        "slack.socket": { status: "standby", details: "another process holds it" },
      },
    },
    broken: (store) => ({ journal: { ...store.journal, stats: () => Promise.reject(new Error("away")) } }),
  });
  const breaker = admin.breakers.of("slack");
  for (let n = 0; n < 10; n++) breaker.enter()("failed");
  await admin.ask("/kill-switch", {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ on: true, agent: "assistant" }),
  });
  const env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: await admin.listen() };
  const told = await call(["status"], { env });
  expect(told.code).toBe(1);
  expect(told.stdout).toContain(
    "store         failed: STORE_UNAVAILABLE no answer (since 2026-11-30T00:00:00.000Z)\n",
  );
  expect(told.stdout).toContain("events        the store cannot be asked\n");
  expect(told.stdout).toContain("paused        the agent assistant\n");
  expect(told.stdout).toContain("left alone    the platform slack (open)\n");
  expect(told.stdout).not.toContain("socket");
});
