import { beforeEach, describe, expect, it } from "vitest";
import type { Step } from "../../src/domain/run.ts";
import { createQuestions } from "../../src/store/questions.ts";
import { type Admin, aRun, jsonBody, openAdmin } from "../support/admin.ts";
import { anEvent } from "../support/event.ts";
import { anOffer, LEASE_MS } from "../support/store.ts";

const NOW_MS = Date.parse("2026-11-29T10:00:00Z");
let admin: Admin;
beforeEach(async () => {
  admin = await openAdmin();
  admin.clock.advance(NOW_MS - admin.clock.nowMs());
});

/** A run that waits for a decision on this call. */
async function asked(
  id: string,
  more: { needs?: number; conversation?: string; choices?: string[] } = {},
): Promise<void> {
  const { conversation = `slack:T1:${id}`, ...rules } = more;
  const event = anEvent({ id: `slack:${id}`, conversation, occurredAtMs: NOW_MS });
  await admin.inbox.accept(anOffer(event));
  const [job] = await admin.queue.claim({ jobsMax: 1, leaseMs: LEASE_MS });
  if (job === undefined) throw new Error("Expected a job, got none");
  const call = { id: "call_1", name: "deploy", input: { service: id } };
  const steps: Step[] = [
    { kind: "model", text: "", toolCalls: [call], usage: aRun({}).answer?.usage ?? expect.anything() },
    {
      kind: "tool-asked",
      callId: "call_1",
      approvalId: `apr_${id}_1`,
      question: JSON.stringify(call.input),
      shows: true,
      use: { tool: "deploy", effect: "write" },
      ...rules,
      askedAtMs: NOW_MS,
      untilMs: NOW_MS + 300_000,
    },
  ];
  await createQuestions(admin.store.vault).open({
    approvalId: `apr_${id}_1`,
    eventId: event.id,
    lane: conversation,
  });
  const progress = aRun(null, { steps });
  await admin.queue.settle(job, { kind: "park", untilMs: NOW_MS + 300_000, progress });
}

const list = async (query = "") =>
  (await (await admin.ask(`/approvals${query}`)).json()) as {
    approvals: { id: string; state: string }[];
    next: string | null;
  };
const decide = (id: string, body: object, operator = "ann") =>
  admin.ask(`/approvals/${id}`, {
    ...jsonBody(body),
    headers: { "content-type": "application/json", "x-parley-operator": operator },
  });
const words = async (response: Response) => {
  const { error } = (await response.json()) as { error: { message: string } };
  return [response.status, error.message];
};
const signalsOf = async (id: string) => (await admin.store.lanes.head(`slack:T1:${id}`))?.signals;

describe("GET /approvals", () => {
  it("tells what waits, with all that is needed to decide", async () => {
    await asked("a");
    expect(await list("?state=waiting")).toEqual({
      approvals: [
        {
          id: "apr_a_1",
          state: "waiting",
          agent: "assistant",
          tool: "deploy",
          arguments: { service: "a" },
          effect: "write",
          question: '{"service":"a"}',
          choices: null,
          platform: "slack",
          conversation: "slack:T1:a",
          event_id: "slack:a",
          asked_by: { id: "slack:T1:U1", name: "ann" },
          place: null,
          asked_at: "2026-11-29T10:00:00.000Z",
          expires_at: "2026-11-29T10:05:00.000Z",
          needs: 1,
          decisions: [],
        },
      ],
      next: null,
    });
    expect(await list("?state=decided")).toEqual({ approvals: [], next: null });
  });

  it("goes on where the page before ended, the newest first", async () => {
    for (const id of ["a", "b", "c"]) await asked(id);
    const first = await list("?limit=2");
    expect(first.approvals.map(({ id }) => id)).toEqual(["apr_c_1", "apr_b_1"]);
    const second = await list(`?limit=2&cursor=${first.next}`);
    expect(second).toMatchObject({ approvals: [{ id: "apr_a_1" }], next: null });
    expect(await words(await admin.ask("/approvals?cursor=x"))).toEqual([
      400,
      expect.stringContaining("cursor: expected the `next`"),
    ]);
  });

  it("tells what was decided, by whom, and no longer what waits in vain", async () => {
    await asked("a");
    const [job] = await claimAt(300_000);
    const steps = job?.progress?.steps ?? [];
    const decided = {
      kind: "tool-decided",
      approvalId: "apr_a_1",
      atMs: NOW_MS + 5,
      verdict: "denied",
    } as const;
    const by = { id: "U2", name: "bob" };
    if (job === undefined) throw new Error("Expected the run, got none");
    await admin.queue.checkpoint(job, aRun(null, { steps: [...steps, { ...decided, by, reason: "no" }] }));
    await createQuestions(admin.store.vault).close("apr_a_1");
    expect(await list()).toEqual({ approvals: [], next: null });
    expect(await list("?state=decided")).toMatchObject({
      approvals: [
        {
          id: "apr_a_1",
          state: "denied",
          decisions: [
            {
              verdict: "denied",
              by: { id: "slack:T1:U2", name: "bob" },
              reason: "no",
              at: "2026-11-29T10:00:00.005Z",
            },
          ],
        },
      ],
    });
  });

  it("does not show what ended on a way that told nobody", async () => {
    await asked("a");
    const [job] = await claimAt(300_000);
    if (job === undefined) throw new Error("Expected the run, got none");
    await admin.queue.settle(job, { kind: "dead", cause: "gone" });
    expect(await list()).toEqual({ approvals: [], next: null });
    expect((await list("?state=decided")).approvals).toMatchObject([{ id: "apr_a_1", state: "stopped" }]);
  });
});

async function claimAt(ms: number) {
  admin.clock.advance(ms);
  return await admin.queue.claim({ jobsMax: 1, leaseMs: LEASE_MS });
}

describe("POST /approvals/{id}", () => {
  it("says it to the run, as somebody by the API, once", async () => {
    await asked("a");
    const response = await decide("apr_a_1", { verdict: "denied", reason: "it is\nFriday" });
    expect([response.status, await response.json()]).toEqual([
      200,
      { id: "apr_a_1", state: "denied", needed: 0, by: "api:ann" },
    ]);
    expect(await signalsOf("a")).toEqual([
      {
        kind: "decide",
        approvalId: "apr_a_1",
        verdict: "denied",
        by: { id: "ann", name: "api:ann", from: "api" },
        reason: "it is Friday",
        atMs: NOW_MS,
      },
    ]);
    expect((await decide("apr_a_1", { verdict: "denied" })).status).toBe(200);
    expect(await words(await decide("apr_a_1", { verdict: "approved" }, "bob"))).toEqual([
      409,
      "It is decided already: denied by api:ann",
    ]);
  });

  it("is one of those who have to approve", async () => {
    await asked("a", { needs: 2 });
    expect(await (await decide("apr_a_1", { verdict: "approved" })).json()).toMatchObject({
      state: "waiting",
      needed: 1,
    });
    expect(await words(await decide("apr_a_1", { verdict: "approved" }))).toEqual([
      409,
      "ann has approved it already; one more is needed",
    ]);
    expect(await (await decide("apr_a_1", { verdict: "approved" }, "bob")).json()).toMatchObject({
      state: "approved",
    });
  });

  it("says why it has no use", async () => {
    await asked("a");
    const verdict = { verdict: "approved" };
    expect(await words(await decide("apr_b_1", verdict))).toEqual([404, "There is no approval of this id"]);
    expect(await words(await decide("apr_a_1", { verdict: "maybe" }))).toEqual([
      400,
      expect.stringContaining("verdict"),
    ]);
    admin.clock.advance(300_000);
    expect(await words(await decide("apr_a_1", verdict))).toEqual([
      409,
      "It is too late: the time to decide is over",
    ]);
    const [job] = await claimAt(0);
    if (job === undefined) throw new Error("Expected the run, got none");
    await admin.queue.settle(job, { kind: "dead", cause: "gone" });
    expect(await words(await decide("apr_a_1", verdict))).toEqual([
      409,
      "It is over: the run that asked has ended",
    ]);
  });
});

describe("a question with answers of its own", () => {
  it("tells them, and takes one by its number", async () => {
    await asked("a", { choices: ["Deploy", "Not now"] });
    expect((await list()).approvals).toMatchObject([{ id: "apr_a_1", choices: ["Deploy", "Not now"] }]);
    expect((await decide("apr_a_1", { verdict: "approved", choice: 2 })).status).toBe(200);
    expect(await signalsOf("a")).toMatchObject([{ verdict: "approved", choice: 2 }]);
  });

  it("has no others, and no by a number", async () => {
    await asked("a", { choices: ["Deploy", "Not now"] });
    expect(await words(await decide("apr_a_1", { verdict: "approved", choice: 3 }))).toEqual([
      400,
      "choice: expected a number from 1 to 2, got 3",
    ]);
    const [status, message] = await words(await decide("apr_a_1", { verdict: "denied", choice: 1 }));
    expect([status, message]).toEqual([400, expect.stringContaining("choice goes with approved")]);
    expect(await signalsOf("a")).toEqual([]);
  });

  it("is none where it is asked for yes or no", async () => {
    await asked("a");
    expect(await words(await decide("apr_a_1", { verdict: "approved", choice: 1 }))).toEqual([
      400,
      "choice: expected none, since this question has no answers of its own, got 1",
    ]);
  });
});
