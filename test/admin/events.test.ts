import { beforeEach, describe, expect, it } from "vitest";
import { PAGE_MAX, SCANNED_MAX } from "../../src/admin/bounds.ts";
import { cursorOf } from "../../src/admin/cursor.ts";
import type { EventView } from "../../src/admin/schemas.ts";
import type { Settlement } from "../../src/ports/queue.ts";
import { type Admin, aRun, openAdmin } from "../support/admin.ts";
import { anEvent } from "../support/event.ts";
import { anOffer, claimOne } from "../support/store.ts";

const DONE: Settlement = { kind: "done", outcome: "answered", turns: [] };
const MINUTE_MS = 60_000;

let admin: Admin;
beforeEach(async () => {
  admin = await openAdmin();
});

async function get<T>(path: string): Promise<T> {
  const response = await admin.ask(path);
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

interface EventPage {
  readonly events: readonly EventView[];
  readonly next: string | null;
}

async function list(query = ""): Promise<string[]> {
  return (await get<EventPage>(`/events${query}`)).events.map(({ id }) => id);
}

/** Accepts events of this platform and settles them, a minute apart. */
async function done(...ids: string[]): Promise<void> {
  for (const id of ids) {
    await admin.finish({ id, platform: id.startsWith("slack") ? "slack" : "telegram" }, DONE);
    admin.clock.advance(MINUTE_MS);
  }
}

describe("the list of events", () => {
  it("is empty at first", async () => {
    expect(await get("/events")).toEqual({ events: [], next: null });
  });

  it("has the newest first, page by page", async () => {
    await done("slack:1", "slack:2", "slack:3", "slack:4");
    const first = await get<EventPage>("/events?limit=3");
    expect(first.events.map(({ id }) => id)).toEqual(["slack:4", "slack:3", "slack:2"]);
    const second = await get<EventPage>(`/events?limit=3&before=${first.next}`);
    expect(second.events.map(({ id }) => id)).toEqual(["slack:1"]);
    expect(second.next).toBeNull();
    expect((await get<EventPage>("/events?limit=4")).next).toBeNull();
  });

  it("gives a place in it as a text that tells nothing, and takes that alone", async () => {
    await done("slack:1", "slack:2", "slack:3");
    const { next, events } = await get<EventPage>("/events?limit=2");
    expect(next).toMatch(/^[A-Za-z0-9_-]{10,}$/);
    const foreign = [
      "",
      "2",
      `${events.at(-1)?.seq}`,
      "1e3",
      "-1",
      " ",
      "x".repeat(5_000),
      `${next}=`,
      `${next}A`,
      `${next}&before=${next}`,
      cursorOf("letters", 2),
      cursorOf("refusals", "ref_00000000000000000000"),
      cursorOf("events", "02"),
      cursorOf("events", "9".repeat(16)),
      cursorOf("events", "2; DROP"),
      Buffer.from("2.events.2").toString("base64url"),
    ];
    for (const cursor of foreign) {
      const response = await admin.ask(`/events?limit=2&before=${cursor}`);
      expect([cursor, response.status]).toEqual([cursor, 400]);
      expect(await response.text()).toMatch(/before: expected (?:the `next` of a page of this list|it once)/);
    }
    expect((await admin.ask(`/dead?before=${next}`)).status).toBe(400);
    expect((await admin.ask(`/refusals?cursor=${next}`)).status).toBe(400);
  });

  it("can be narrowed by state, platform, conversation and time", async () => {
    await done("slack:1", "telegram:2");
    await admin.bury({ id: "slack:3", conversation: "slack:other" });
    expect(await list("?state=dead")).toEqual(["slack:3"]);
    expect(await list("?platform=telegram")).toEqual(["telegram:2"]);
    expect(await list("?conversation=slack%3Aother")).toEqual(["slack:3"]);
    expect(await list("?state=done&platform=slack")).toEqual(["slack:1"]);
    expect(await list("?since=1m")).toEqual(["slack:3", "telegram:2"]);
    expect(await list("?until=1m")).toEqual(["slack:1"]);
    expect(await list("?since=2m&until=1m")).toEqual(["slack:1"]);
    expect(await list("?until=2023-01-01")).toEqual([]);
  });

  it("finds what was accepted lately behind what was replayed lately", async () => {
    await admin.bury({ id: "slack:old" });
    admin.clock.advance(60 * MINUTE_MS);
    await done("slack:new");
    expect((await admin.ask("/dead/slack%3Aold/replay", { method: "POST" })).status).toBe(202);
    expect(await list()).toEqual(["slack:old", "slack:new"]);
    expect(await list("?since=5m")).toEqual(["slack:new"]);
  });

  it("shows no reply address, and only the beginning of a long text", async () => {
    const replyTo = '{"url":"https://hooks.example/hunter2"}' as ReturnType<typeof anEvent>["replyTo"];
    await admin.finish({ id: "slack:1", text: "ä".repeat(300), replyTo }, DONE, aRun({}));
    const page = await get<EventPage>("/events");
    expect(page.events[0]?.excerpt).toBe("ä".repeat(200));
    expect(JSON.stringify([page, await get("/events/slack%3A1")])).not.toContain("hunter2");
  });

  it("looks at so many and no more for one page, and leads on from there", async () => {
    const asked: number[] = [];
    await admin.bury({ id: "slack:1" });
    const record = await admin.store.journal.find("slack:1");
    if (record === null) throw new Error("Expected a record, got none");
    admin = await openAdmin({
      broken: ({ journal }) => ({
        journal: {
          ...journal,
          async list({ limit, beforeSeq = 1_000_000 }) {
            asked.push(beforeSeq);
            return Array.from({ length: limit }, (_, n) => ({ ...record, seq: beforeSeq - 1 - n }));
          },
        },
      }),
    });
    const page = await get<EventPage>("/events?platform=whatsapp");
    expect(page).toEqual({ events: [], next: cursorOf("events", 1_000_000 - SCANNED_MAX) });
    expect((await get<EventPage>(`/events?limit=${PAGE_MAX}`)).events).toHaveLength(PAGE_MAX);
    expect(asked).toHaveLength(SCANNED_MAX / 200 + 3);
  });
});

describe("one event", () => {
  it("has its whole life", async () => {
    const usage = {
      inputTokens: 10,
      outputTokens: 2,
      cacheReadTokens: 1,
      cacheWriteTokens: 0,
      costCents: 0.5,
    };
    const { inbox, queue, clock } = admin;
    await inbox.accept(
      anOffer(anEvent({ id: "slack:T1/C1:1", text: "deploy it", occurredAtMs: clock.nowMs() })),
    );
    const job = await claimOne(queue);
    const steps = [
      {
        kind: "model",
        text: "I look",
        toolCalls: [{ id: "t1", name: "kubectl", input: { verb: "get" } }],
        usage,
        opaque: "hunter2",
      },
      { kind: "tool-started", callId: "t1" },
      { kind: "tool", callId: "t1", result: "3 pods", isError: false },
    ] as const;
    await queue.checkpoint(job, aRun(null, { steps }));
    const running = await get(`/events/${encodeURIComponent("slack:T1/C1:1")}`);
    expect(running).toEqual({
      id: "slack:T1/C1:1",
      seq: 1,
      state: "running",
      platform: "slack",
      tenant: "T1",
      place: "C1",
      thread: null,
      conversation: "slack:T1:C1",
      sender: { id: "U1", name: "ann" },
      trigger: "mention",
      command: null,
      agent: "assistant",
      excerpt: "deploy it",
      attempts: 1,
      cause: null,
      merged_into: null,
      accepted_at: "2023-11-14T22:13:20.000Z",
      updated_at: "2023-11-14T22:13:20.000Z",
      replays: [],
      text: "deploy it",
      is_direct: false,
      feedback: [],
      occurred_at: "2023-11-14T22:13:20.000Z",
      attachments: [],
      progress: {
        run_id: "run_1",
        agent: "assistant",
        started_at: "2023-11-14T22:13:20.000Z",
        steps: [
          {
            kind: "model",
            text: "I look",
            tool_calls: [{ id: "t1", name: "kubectl", input: { verb: "get" } }],
            stop: null,
            usage: {
              input_tokens: 10,
              output_tokens: 2,
              cache_read_tokens: 1,
              cache_write_tokens: 0,
              cost_cents: 0.5,
            },
          },
          { kind: "tool-started", call_id: "t1" },
          { kind: "tool", call_id: "t1", result: "3 pods", is_error: false },
        ],
        answer: null,
      },
    });
    expect(JSON.stringify(running)).not.toContain("hunter2");
  });

  it("is 404 when there is none", async () => {
    expect((await admin.ask("/events/slack%3Anone")).status).toBe(404);
    expect((await admin.ask("/events/%E0%A4%A")).status).toBe(404);
  });
});

describe("the replay of an event", () => {
  const replay = (id: string, headers = {}) =>
    admin.ask(`/events/${encodeURIComponent(id)}/replay`, { method: "POST", headers });

  it("runs it again as a new run, and remembers who wanted it", async () => {
    await admin.finish({ id: "slack:1" }, DONE, aRun({}));
    const response = await replay("slack:1", { "x-parley-operator": "ann@laptop" });
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({
      id: "slack:1",
      status: "queued",
      mode: "anew",
      by: "ann@laptop",
    });
    expect(await claimOne(admin.queue)).toMatchObject({ replay: 1, attempt: 1, progress: null });
    expect(await get("/events/slack%3A1")).toMatchObject({
      state: "running",
      replays: [{ by: "ann@laptop", mode: "anew", cause: null }],
    });
  });

  it("is refused while it has not finished, and says what it is", async () => {
    await admin.finish({ id: "slack:1" }, DONE);
    expect((await replay("slack:1")).status).toBe(202);
    const again = await replay("slack:1");
    expect([again.status, await again.json()]).toEqual([
      409,
      { error: { code: "conflict", message: "The event is queued now" } },
    ]);
    await claimOne(admin.queue);
    expect(await (await replay("slack:1")).text()).toContain("The event is running now");
  });

  it("is refused by admission as for a new message", async () => {
    await admin.finish({ id: "slack:1" }, DONE);
    admin.clock.advance(86_400_001);
    const response = await replay("slack:1");
    expect([response.status, await response.json()]).toEqual([
      422,
      { error: { code: "refused", message: "Admission refuses it now: too_old: over 86400 s" } },
    ]);
    expect(await get("/events/slack%3A1")).toMatchObject({ state: "done", replays: [] });
  });

  it("is 404 for what there is not, and 503 where too much waits", async () => {
    expect((await replay("slack:none")).status).toBe(404);
    admin = await openAdmin({ limits: { waitingPerLaneMax: 1, waitingMax: 10 } });
    await admin.finish({ id: "slack:1" }, DONE);
    await admin.inbox.accept(anOffer(anEvent({ id: "slack:2" })));
    const response = await replay("slack:1");
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
  });

  it("is refused for a message that was refused unheard, because its text is gone", async () => {
    const refusal = { cause: "not_allowed", detail: "user", noticeWindowMs: 0 } as const;
    await admin.inbox.accept(anOffer(anEvent({ id: "slack:1" }), { refusal }));
    expect((await get<EventPage>("/events")).events[0]).toMatchObject({ state: "dropped" });
    const response = await replay("slack:1");
    expect([response.status, await response.json()]).toEqual([
      409,
      { error: { code: "conflict", message: "It was refused unheard, so its text was not kept" } },
    ]);
  });
});
