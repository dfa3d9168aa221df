import { beforeEach, describe, expect, it } from "vitest";
import type { AdmissionPolicy } from "../../src/admit/policy.ts";
import type { Step } from "../../src/domain/run.ts";
import { type Admin, aRun, jsonBody, openAdmin } from "../support/admin.ts";
import { claimOne, LEASE_MS } from "../support/store.ts";

const POLICY: Partial<AdmissionPolicy> = {
  agents: new Map([
    ["assistant", "queue"],
    ["ops", "drop"],
  ]),
};
const USAGE = { inputTokens: 100, outputTokens: 20, cacheReadTokens: 0, cacheWriteTokens: 0, costCents: 3 };

let admin: Admin;
beforeEach(async () => {
  admin = await openAdmin({ policy: POLICY });
});

async function begin(order: unknown, headers: Record<string, string> = {}) {
  const init = jsonBody(order);
  const response = await admin.ask("/tasks", {
    ...init,
    headers: { ...(init.headers as Record<string, string>), ...headers },
  });
  const body = (await response.json()) as { id: string; status: string; error?: { message: string } };
  return { status: response.status, body, message: body.error?.message };
}

async function show(id: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await admin.ask(`/tasks/${encodeURIComponent(id)}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe("POST /tasks", () => {
  it("stores an event before it answers, which shows how far it has got, its reply and what it took", async () => {
    const { status, body } = await begin(
      { goal: "count the pods", agent: "ops", conversation: "nightly", priority: "high" },
      { "x-parley-operator": "ci" },
    );
    expect({ status, body }).toEqual({
      status: 202,
      body: { id: expect.stringMatching(/^test:task_/), status: "accepted", agent: "ops" },
    });
    expect(await show(body.id)).toMatchObject({
      status: 200,
      body: {
        ...{ id: body.id, state: "queued", goal: "count the pods", conversation: "nightly" },
        ...{ priority: "high", reply: null, outcome: null, cause: null, asked_by: "ci", attempts: 0 },
        usage: { cost_cents: 0, input_tokens: 0 },
      },
    });

    const job = await claimOne(admin.queue);
    expect(job).toMatchObject({ agent: "ops", busy: "queue", event: { text: "count the pods" } });
    const step: Step = { kind: "model", text: "", toolCalls: [], usage: USAGE };
    await admin.queue.checkpoint(job, aRun(null, { agent: "ops", steps: [step, step] }));
    expect((await show(body.id)).body).toMatchObject({
      ...{ state: "running", agent: "ops", reply: null },
      usage: { cost_cents: 6, input_tokens: 200, output_tokens: 40 },
    });
    await admin.queue.checkpoint(job, aRun({ text: "12 pods", usage: USAGE }, { agent: "ops" }));
    await admin.queue.settle(job, { kind: "done", outcome: "answered", turns: [] });
    expect((await show(body.id)).body).toMatchObject({
      ...{ state: "done", outcome: "answered", reply: "12 pods", attempts: 1, cause: null },
      usage: { cost_cents: 3 },
    });
  });

  it("says why one failed", async () => {
    const { body } = await begin({ goal: "x" });
    const job = await claimOne(admin.queue);
    await admin.queue.settle(job, { kind: "dead", cause: "MODEL_UNAVAILABLE: gone" });
    expect((await show(body.id)).body).toMatchObject({
      ...{ state: "dead", reply: null, cause: "MODEL_UNAVAILABLE: gone" },
    });
  });

  it("is answered by whom the routes name where it names nobody, and stands alone where it names no conversation", async () => {
    await begin({ goal: "one" });
    await begin({ goal: "two" });
    const jobs = await admin.queue.claim({ jobsMax: 10, leaseMs: LEASE_MS });
    expect(jobs.map(({ agent }) => agent)).toEqual(["assistant", "assistant"]);
    expect(new Set(jobs.map(({ lane }) => lane)).size).toBe(2);
  });

  it("keeps the order of a conversation, whatever the priorities", async () => {
    const first = await begin({ goal: "first", conversation: "c", priority: "low" });
    await begin({ goal: "second", conversation: "c", priority: "high" });
    const jobs = await admin.queue.claim({ jobsMax: 10, leaseMs: LEASE_MS });
    expect(jobs.map(({ event }) => event.id)).toEqual([first.body.id]);
  });

  it("is one task by the same Idempotency-Key, and another order by it is refused", async () => {
    const key = { "idempotency-key": "deploy 417" };
    const [one, two] = await Promise.all([begin({ goal: "go" }, key), begin({ goal: "go" }, key)]);
    expect([one.body.status, two.body.status].toSorted()).toEqual(["accepted", "duplicate"]);
    expect(two.body.id).toBe(one.body.id);
    expect(await begin({ goal: "stop it" }, key)).toMatchObject({
      status: 409,
      message: "By this Idempotency-Key something else was asked for",
    });
    expect(await begin({ goal: "go", priority: "high" }, key)).toMatchObject({ status: 409 });
    expect(await begin({ goal: "go" }, { "idempotency-key": "x".repeat(201) })).toMatchObject({
      status: 400,
      message: "Expected Idempotency-Key to be 1 to 200 printable characters, got something else",
    });
    expect(await admin.queue.claim({ jobsMax: 10, leaseMs: LEASE_MS })).toHaveLength(1);
  });

  it.each([
    ["no goal", {}, "goal: "],
    ["an empty goal", { goal: "  " }, "goal: expected words, got none"],
    ["a goal of what is left out of every text", { goal: "\0 " }, "goal: expected words, got none"],
    ["a goal that is too long", { goal: "x".repeat(10_001) }, "goal: "],
    ["another type", { goal: 7 }, "goal: "],
    ["an unknown key", { goal: "x", golf: 1 }, "golf"],
    [
      "an unknown agent",
      { goal: "x", agent: "op" },
      "agent: expected one of assistant, ops, got another (did you mean ops?)",
    ],
    ["an unknown priority", { goal: "x", priority: "urgent" }, "priority: "],
    ["a conversation that cannot be printed", { goal: "x", conversation: "a\nb" }, "conversation: "],
    ["a command to the gateway", { goal: "/stop" }, "goal: expected work for an agent"],
  ])("refuses %s", async (_, order, message) => {
    expect(await begin(order)).toMatchObject({ status: 400, message: expect.stringContaining(message) });
    expect(await admin.queue.claim({ jobsMax: 10, leaseMs: LEASE_MS })).toEqual([]);
  });

  it("wants to know who is to do it where no route takes tasks", async () => {
    const routes = [{ match: { platforms: new Set(["slack"]) }, agent: "assistant" }];
    admin = await openAdmin({ policy: { ...POLICY, routes } });
    expect(await begin({ goal: "x" })).toMatchObject({
      status: 400,
      message: "agent: expected the name of an agent, for no route takes tasks",
    });
    expect(await begin({ goal: "x", agent: "ops" })).toMatchObject({ status: 202 });
  });

  it("takes nothing while all is paused, or the agent is", async () => {
    admin = await openAdmin({ policy: { ...POLICY, isPaused: (of) => of?.agent === "ops" } });
    expect(await begin({ goal: "x", agent: "ops" })).toMatchObject({
      status: 422,
      message: "Admission refuses it now: paused: kill_switch",
    });
    expect(await begin({ goal: "x" })).toMatchObject({ status: 202 });
  });

  it("answers 503 when too much is waiting", async () => {
    admin = await openAdmin({ policy: POLICY, limits: { waitingPerLaneMax: 1, waitingMax: 10 } });
    expect(await begin({ goal: "x", conversation: "c" })).toMatchObject({ status: 202 });
    expect(await begin({ goal: "y", conversation: "c" })).toMatchObject({
      status: 503,
      message: "QUEUE_FULL: too much is waiting already",
    });
  });

  it("needs the token, and the audit knows of it without its words", async () => {
    expect(await begin({ goal: "a secret plan" }, { authorization: "Bearer wrong" })).toMatchObject({
      status: 401,
    });
    const { body } = await begin({ goal: "a secret plan" });
    const audit = await (await admin.ask("/audit?action=task.begun")).text();
    expect(JSON.parse(audit)).toMatchObject({
      entries: [
        {
          ...{ action: "task.begun", subject: "task" },
          after: { id: body.id, status: "accepted", agent: "assistant", characters: 13 },
        },
      ],
    });
    expect(audit).not.toContain("secret");
  });
});

describe("GET /tasks/{id}", () => {
  it("knows tasks alone", async () => {
    await admin.finish({ id: "test:1", platform: "test" }, { kind: "done", outcome: "answered", turns: [] });
    expect(await show("test:1")).toMatchObject({ status: 404 });
    expect(await show("test:task_none")).toMatchObject({
      status: 404,
      body: { error: { message: "There is no task of this id" } },
    });
  });
});
