import { beforeEach, describe, expect, it } from "vitest";
import { REQUEST_OUTCOMES } from "../../src/domain/request.ts";
import type { RefusalView } from "../../src/feed/refusal.ts";
import type { Noted } from "../../src/ingress/recorder.ts";
import { type Admin, openAdmin } from "../support/admin.ts";

let admin: Admin;
beforeEach(async () => {
  admin = await openAdmin();
});

function note(n: number, changes: Partial<Noted> = {}): void {
  admin.recorder.note({
    requestId: `req_${n}`,
    platform: "slack",
    outcome: "ignored",
    reason: "not_addressed",
    peer: "192.0.2.1",
    eventId: null,
    conversation: null,
    ...changes,
  });
}

async function list(query = ""): Promise<{ refusals: RefusalView[]; next: string | null }> {
  const response = await admin.ask(`/refusals${query}`);
  const body = await response.json();
  expect([response.status, body]).toEqual([200, expect.objectContaining({ refusals: expect.any(Array) })]);
  return body as { refusals: RefusalView[]; next: string | null };
}

const namesOf = ({ refusals }: { refusals: readonly RefusalView[] }) =>
  refusals.map(({ request_id }) => request_id);

describe("the list of refusals", () => {
  it("has what was refused a moment ago, newest first, and nothing that was taken", async () => {
    note(1, { outcome: "forged", reason: "missing X-Slack-Signature" });
    admin.clock.advance(1_000);
    note(2, { eventId: "slack:T1:C1:1.2", conversation: "slack:T1:C1", peer: null });
    note(3, { outcome: "accepted" });
    note(4, { outcome: "handshake" });
    note(5, { outcome: "duplicate", reason: null });
    expect(await list()).toEqual({
      refusals: [
        expect.objectContaining({ request_id: "req_5", outcome: "duplicate", reason: "duplicate" }),
        {
          id: expect.stringMatching(/^ref_/),
          at: "2023-11-14T22:13:21.000Z",
          request_id: "req_2",
          platform: "slack",
          outcome: "ignored",
          reason: "not_addressed",
          peer: null,
          event_id: "slack:T1:C1:1.2",
          conversation: "slack:T1:C1",
        },
        {
          id: expect.stringMatching(/^ref_/),
          at: "2023-11-14T22:13:20.000Z",
          request_id: "req_1",
          platform: "slack",
          outcome: "forged",
          reason: "missing X-Slack-Signature",
          peer: "192.0.2.1",
        },
      ],
      next: null,
    });
  });

  it("can be narrowed by platform, outcomes and time", async () => {
    note(1, { platform: "telegram", outcome: "forged" });
    admin.clock.advance(60_000);
    note(2, { outcome: "stale" });
    note(3, { outcome: "forged" });
    admin.clock.advance(60_000);
    note(4, { outcome: "ignored" });
    expect(namesOf(await list("?platform=slack"))).toEqual(["req_4", "req_3", "req_2"]);
    expect(namesOf(await list("?outcome=forged"))).toEqual(["req_3", "req_1"]);
    expect(namesOf(await list("?outcome=forged,stale&platform=slack"))).toEqual(["req_3", "req_2"]);
    expect(namesOf(await list("?since=90s"))).toEqual(["req_4", "req_3", "req_2"]);
    expect(namesOf(await list("?until=30s&since=2023-11-14T22:13:50Z"))).toEqual(["req_3", "req_2"]);
  });

  it("goes on page by page, whatever comes meanwhile, and ends", async () => {
    for (let n = 0; n < 450; n++) note(n, n % 3 === 0 ? { platform: "telegram" } : {});
    const seen: string[] = [];
    let cursor: string | null = "";
    for (let page = 0; cursor !== null && page < 20; page++) {
      const answer = await list(`?platform=slack&limit=70${cursor === "" ? "" : `&cursor=${cursor}`}`);
      seen.push(...namesOf(answer));
      cursor = answer.next;
      note(1_000 + page);
    }
    expect(cursor).toBeNull();
    const expected = Array.from({ length: 450 }, (_, n) => 449 - n).filter((n) => n % 3 !== 0);
    expect(seen).toEqual(expected.map((n) => `req_${n}`));
  });

  it("ends with its last page also where just as many fit as were asked for", async () => {
    for (let n = 0; n < 4; n++) note(n);
    const first = await list("?limit=2");
    const second = await list(`?limit=2&cursor=${first.next}`);
    expect([namesOf(second), second.next]).toEqual([["req_1", "req_0"], null]);
  });

  it.each([
    ["?outcome=accepted", "outcome: expected one of duplicate, refused, ignored, forged", 'got "accepted"'],
    ["?outcome=forgd", "outcome: expected one of", 'got "forgd" (did you mean forged?)'],
    ["?outcome=", "outcome: expected one of", 'got ""'],
    ["?platform=slak", "platform: expected", 'got "slak"'],
    ["?since=yesterday", "since: expected an ISO time", 'got "yesterday"'],
    ["?cursor=abc", "cursor: expected the `next` of a page of this list, as it was given", 'got "abc"'],
    ["?limit=2&limit=3", "limit: expected it once", "got it 2 times"],
    ["?state=dead", "state: expected", "unknown key"],
  ])("says what is wrong with %s", async (query, expected, got) => {
    const response = await admin.ask(`/refusals${query}`);
    const { error } = (await response.json()) as { error: { code: string; message: string } };
    expect([response.status, error.code]).toEqual([400, "malformed"]);
    expect(error.message).toContain(expected);
    expect(error.message).toContain(got);
  });

  it("shows what the store has while that takes no more", async () => {
    note(1);
    await admin.recorder.flush();
    const full = await openAdmin({
      broken: ({ requests }) => ({
        requests: {
          record: () => Promise.reject(new Error("full")),
          list: (filter) => requests.list(filter),
          find: (id) => requests.find(id),
        },
      }),
    });
    full.recorder.note({
      requestId: "lost",
      platform: "slack",
      outcome: "ignored",
      reason: null,
      peer: null,
      eventId: null,
      conversation: null,
    });
    expect((await full.ask("/refusals")).status).toBe(200);
  });
});

describe("the stream of refusals", () => {
  it("tells of each as it comes, narrowed as asked, and of nothing that was taken", async () => {
    const response = await admin.ask("/refusals/stream?platform=slack&outcome=forged,ignored");
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const reader = response.body?.getReader();
    await reader?.read();
    for (const outcome of REQUEST_OUTCOMES) note(1, { outcome });
    note(2, { platform: "telegram" });
    note(3);
    const text = new TextDecoder().decode((await reader?.read())?.value);
    const told = [...text.matchAll(/^data: (.*)$/gm)].map(
      ([, json]) => JSON.parse(json ?? "") as RefusalView,
    );
    expect(told.map(({ outcome, request_id }) => [outcome, request_id])).toEqual([
      ["ignored", "req_1"],
      ["forged", "req_1"],
      ["ignored", "req_3"],
    ]);
    await reader?.cancel();
  });

  it("is not the stream of lives, which tells of events alone", async () => {
    const lives = await admin.ask("/stream");
    const reader = lives.body?.getReader();
    await reader?.read();
    note(1);
    await admin.bury({ id: "slack:1" });
    const text = new TextDecoder().decode((await reader?.read())?.value);
    expect(text).toContain("slack:1");
    expect(text).not.toContain("req_1");
    await reader?.cancel();
  });
});

describe("a query of the API", () => {
  it.each([
    "/events?state=dead&state=done",
    "/dead?limit=1&limit=1",
    "/stream?state=dead&state=dead",
    "/refusals/stream?outcome=forged&outcome=stale",
    "/events/x?a=1&a=2",
    "/openapi.json?a=1&a=2",
    "/explain/x?a=1&a=2",
  ])("takes each parameter once: %s", async (path) => {
    const response = await admin.ask(path);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain("expected it once, got it 2 times");
  });

  it.each(["deed", "", "dead,deed", "dead,,done"])(
    "names the states of the stream, got %o",
    async (state) => {
      const response = await admin.ask(`/stream?state=${state}`);
      expect(response.status).toBe(400);
      expect(await response.text()).toContain(
        "state: expected one of accepted, duplicate, refused, claimed,",
      );
    },
  );
});
