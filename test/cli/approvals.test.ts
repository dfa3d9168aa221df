import { beforeEach, expect, it } from "vitest";
import { createQuestions } from "../../src/store/questions.ts";
import { type Admin, aRun, openAdmin, TOKEN } from "../support/admin.ts";
import { anEvent } from "../support/event.ts";
import { anOffer, LEASE_MS } from "../support/store.ts";
import { call } from "./helpers.ts";

let admin: Admin;
let env: Record<string, string>;
beforeEach(async () => {
  admin = await openAdmin();
  env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: await admin.listen() };
  const event = anEvent({ occurredAtMs: admin.clock.nowMs() });
  await admin.inbox.accept(anOffer(event));
  const [job] = await admin.queue.claim({ jobsMax: 1, leaseMs: LEASE_MS });
  if (job === undefined) throw new Error("Expected a job, got none");
  const approvalId = "apr_1_1";
  const askedAtMs = admin.clock.nowMs();
  const asked = { kind: "tool-asked", callId: "c", approvalId, question: "Deploy\u001b[2J?" } as const;
  const times = { askedAtMs, untilMs: askedAtMs + 300_000 };
  const use = { tool: "deploy", effect: "write" } as const;
  const progress = aRun(null, { steps: [{ ...asked, ...times, use }] });
  await createQuestions(admin.store.vault).open({ approvalId, eventId: event.id, lane: event.conversation });
  await admin.queue.settle(job, { kind: "park", untilMs: times.untilMs, progress });
});

it("lists what waits, and nothing that a terminal would obey", async () => {
  const { code, stdout } = await call(["approvals", "list"], { env });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^AGE +STATE +AGENT +TOOL +ASKED BY +QUESTION +ID\n/);
  expect(stdout).toMatch(/ waiting +assistant +deploy +ann +Deploy\\u\{1b\}\[2J\? +apr_1_1\n$/);
  const json = await call(["approvals", "list", "--json"], { env });
  expect(JSON.parse(json.stdout)).toMatchObject([{ id: "apr_1_1", effect: "write", state: "waiting" }]);
  const none = await call(["approvals", "list", "--state", "decided"], { env });
  expect(none).toMatchObject({ code: 0, stdout: "", stderr: "Nothing was decided.\n" });
});

it("denies with a reason, and says who did", async () => {
  const { code, stdout } = await call(["approvals", "deny", "apr_1_1", "it", "is", "Friday"], { env });
  expect(code).toBe(0);
  expect(stdout).toMatch(/^apr_1_1: denied by api:\S+@\S+\n$/);
  const { signals } = (await admin.store.lanes.head(anEvent().conversation)) ?? {};
  expect(signals).toMatchObject([{ verdict: "denied", reason: "it is Friday" }]);
});

it("approves once, and fails when it is decided or not there", async () => {
  const { stdout } = await call(["approvals", "approve", "apr_1_1", "--json"], { env });
  expect(JSON.parse(stdout)).toMatchObject({ id: "apr_1_1", state: "approved", needed: 0 });
  expect(await call(["approvals", "deny", "apr_1_1"], { env })).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^parley: It is decided already: approved by api:/),
  });
  expect(await call(["approvals", "approve", "apr_2"], { env })).toMatchObject({
    code: 1,
    stderr: "parley: There is no approval of this id\n",
  });
});

it("names an answer that the question has, and says that this one has none", async () => {
  expect(await call(["approvals", "approve", "apr_1_1", "--choice", "2"], { env })).toMatchObject({
    code: 2,
    stderr: "parley: choice: expected none, since this question has no answers of its own, got 2\n",
  });
});
