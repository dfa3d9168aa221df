import { beforeEach, describe, expect, it } from "vitest";
import type { BulkEnd, BulkLine, LetterView } from "../../src/admin/schemas.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import type { Store } from "../../src/ports/store.ts";
import { type Admin, aRun, jsonBody, linesOf, openAdmin } from "../support/admin.ts";
import { anEvent } from "../support/event.ts";
import { anOffer, claimAll, claimOne } from "../support/store.ts";

const MINUTE_MS = 60_000;

let admin: Admin;
beforeEach(async () => {
  admin = await openAdmin();
});

async function list(query = ""): Promise<readonly LetterView[]> {
  const response = await admin.ask(`/dead${query}`);
  expect(response.status).toBe(200);
  return ((await response.json()) as { letters: readonly LetterView[] }).letters;
}

const idsOf = async (query?: string) => (await list(query)).map(({ id }) => id);
const stateOf = async (id: string) => (await admin.store.journal.find(id))?.state;

const at = (id: string) => `/dead/${encodeURIComponent(id)}`;
const replay = (id: string) => admin.ask(`${at(id)}/replay`, { method: "POST" });
const drop = (id: string) => admin.ask(at(id), { method: "DELETE" });

async function outcomeOf(response: Response) {
  return [response.status, await response.json()];
}

function conflict(message: string) {
  return [409, { error: { code: "conflict", message } }];
}

/** Three letters, a minute apart: two inbound, one outbound. */
async function threeLetters(): Promise<void> {
  await admin.bury({ id: "slack:1", conversation: "slack:a" }, "MODEL_OVERLOADED: busy");
  admin.clock.advance(MINUTE_MS);
  await admin.bury({ id: "telegram:2", platform: "telegram" }, "DELIVERY_REJECTED: gone", aRun({}));
  admin.clock.advance(MINUTE_MS);
  await admin.bury({ id: "slack:3" }, "the run failed", aRun({ outcome: "failed" }, { agent: "deployer" }));
}

describe("the list of dead letters", () => {
  it("is empty at first, and shows dead letters only", async () => {
    expect(await list()).toEqual([]);
    await admin.finish({ id: "slack:0" }, { kind: "done", outcome: "answered", turns: [] });
    await admin.bury({ id: "slack:1" });
    expect(await idsOf()).toEqual(["slack:1"]);
  });

  it("tells what has an answer that was not said from what has none", async () => {
    await threeLetters();
    expect((await list()).map(({ id, kind, agent }) => [id, kind, agent])).toEqual([
      ["slack:3", "inbound", "deployer"],
      ["telegram:2", "outbound", "assistant"],
      ["slack:1", "inbound", null],
    ]);
  });

  it.each([
    ["?platform=slack", ["slack:3", "slack:1"]],
    ["?conversation=slack:a", ["slack:1"]],
    ["?agent=deployer", ["slack:3"]],
    ["?kind=outbound", ["telegram:2"]],
    ["?kind=inbound&platform=slack&cause=FAILED", ["slack:3"]],
    ["?cause=delivery_", ["telegram:2"]],
    ["?since=1m", ["slack:3", "telegram:2"]],
    ["?since=2023-11-14T22:14:20Z&until=2023-11-14T22:15:20Z", ["telegram:2"]],
  ])("can be narrowed by %s", async (query, ids) => {
    await threeLetters();
    expect(await idsOf(query)).toEqual(ids);
  });

  it("goes by when a letter died, not by when it came", async () => {
    await admin.inbox.accept(anOffer(anEvent({ id: "slack:1" })));
    const early = await claimOne(admin.queue);
    await admin.bury({ id: "slack:2", conversation: "slack:other" });
    admin.clock.advance(MINUTE_MS / 4);
    await admin.queue.settle(early, { kind: "dead", cause: "gave up" });
    expect(await idsOf("?since=1s")).toEqual(["slack:1"]);
  });
});

describe("one dead letter", () => {
  it("has its whole life", async () => {
    await threeLetters();
    const response = await admin.ask(at("telegram:2"));
    expect(await response.json()).toMatchObject({
      kind: "outbound",
      cause: "DELIVERY_REJECTED: gone",
      text: "hello",
      progress: { answer: { outcome: "answered", text: "hi", parts: 1 } },
    });
  });

  it("is 404 when there is none, and 409 when it is alive", async () => {
    await admin.inbox.accept(anOffer(anEvent({ id: "slack:1" })));
    expect((await admin.ask(at("slack:none"))).status).toBe(404);
    expect(await outcomeOf(await admin.ask(at("slack:1")))).toEqual(
      conflict("Expected a dead letter, got an event that is queued"),
    );
  });
});

describe("the replay of a dead letter", () => {
  it("goes on with an answer that could not be said", async () => {
    await threeLetters();
    expect(await outcomeOf(await replay("telegram:2"))).toEqual([
      202,
      { id: "telegram:2", status: "queued", mode: "resume", by: "admin" },
    ]);
    expect(await claimOne(admin.queue)).toMatchObject({ replay: 0, progress: { answer: { text: "hi" } } });
  });

  it.each(["slack:1", "slack:3"])("runs %s anew, which has no answer", async (id) => {
    await threeLetters();
    expect(await outcomeOf(await replay(id))).toMatchObject([202, { mode: "anew" }]);
    expect(await claimOne(admin.queue)).toMatchObject({ replay: 1, progress: null });
  });

  it("happens once, however often it is asked for", async () => {
    await admin.bury({ id: "slack:1" });
    const statuses = await Promise.all(
      Array.from({ length: 10 }, async () => (await replay("slack:1")).status),
    );
    expect(statuses.toSorted((a, b) => a - b)).toEqual([202, ...Array(9).fill(409)]);
    expect(await outcomeOf(await replay("slack:1"))).toEqual(conflict("The event is queued now"));
    const job = await claimOne(admin.queue);
    expect(await outcomeOf(await replay("slack:1"))).toEqual(conflict("The event is running now"));
    await admin.queue.settle(job, { kind: "done", outcome: "answered", turns: [] });
    expect(await outcomeOf(await replay("slack:1"))).toEqual(conflict("The event is done now"));
    expect(await claimAll(admin.queue)).toEqual([]);
  });

  it("may be repeated when it died again", async () => {
    await admin.bury({ id: "slack:1" }, "first");
    for (const cause of ["second", "third"]) {
      expect((await replay("slack:1")).status).toBe(202);
      await admin.queue.settle(await claimOne(admin.queue), { kind: "dead", cause });
    }
    const [letter] = await list();
    expect(letter).toMatchObject({ cause: "third", replays: [{ cause: "first" }, { cause: "second" }] });
  });

  it("is refused when it is too old, and the letter stays dead", async () => {
    await admin.bury({ id: "slack:1" });
    admin.clock.advance(86_400_001);
    expect(await outcomeOf(await replay("slack:1"))).toEqual([
      422,
      { error: { code: "refused", message: "Admission refuses it now: too_old: over 86400 s" } },
    ]);
    expect(await stateOf("slack:1")).toBe("dead");
  });

  it("is refused by whatever else admission says by now", async () => {
    admin = await openAdmin({ policy: { isPaused: () => true } });
    await admin.bury({ id: "slack:1" });
    await admin.bury({ id: "slack:2", sender: { id: "B1", name: "bot", isBot: true } });
    expect(await outcomeOf(await replay("slack:1"))).toMatchObject([
      422,
      { error: { message: "Admission refuses it now: paused: kill_switch" } },
    ]);
    expect(await outcomeOf(await replay("slack:2"))).toMatchObject([
      422,
      { error: { message: "Admission refuses it now: bot" } },
    ]);
  });

  it("is 404 for none, and 503 where too much waits", async () => {
    expect((await replay("slack:none")).status).toBe(404);
    admin = await openAdmin({ limits: { waitingPerLaneMax: 10, waitingMax: 1 } });
    await admin.bury({ id: "slack:1" });
    await admin.inbox.accept(anOffer(anEvent({ id: "slack:2", conversation: "slack:other" })));
    const response = await replay("slack:1");
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
    expect(await stateOf("slack:1")).toBe("dead");
  });
});

describe("dropping a dead letter", () => {
  it("keeps it in the journal, with who did it", async () => {
    await admin.bury({ id: "slack:1" });
    const headers = { "x-parley-operator": "ann@laptop" };
    const response = await admin.ask(at("slack:1"), { method: "DELETE", headers });
    expect(await outcomeOf(response)).toEqual([200, { id: "slack:1", status: "dropped", by: "ann@laptop" }]);
    expect(await admin.store.journal.find("slack:1")).toMatchObject({
      state: "dropped",
      cause: "dropped by ann@laptop",
    });
    expect(await list()).toEqual([]);
  });

  it("is 404 for none and 409 for what is no dead letter", async () => {
    await admin.bury({ id: "slack:1" });
    expect((await drop("slack:none")).status).toBe(404);
    expect((await drop("slack:1")).status).toBe(200);
    const again = conflict("Expected a dead letter, got an event that is dropped");
    expect(await outcomeOf(await drop("slack:1"))).toEqual(again);
    expect(await outcomeOf(await replay("slack:1"))).toEqual(conflict("The event is dropped now"));
  });
});

describe("a bulk request", () => {
  const bulk = (action: "replay" | "drop", body: object) => admin.ask(`/dead/${action}`, jsonBody(body));

  async function done(action: "replay" | "drop", body: object = {}) {
    const response = await bulk(action, body);
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "application/x-ndjson"]);
    const lines = await linesOf(response);
    const end = lines.pop() as BulkEnd | undefined;
    return { lines: lines as BulkLine[], end };
  }

  it("replays all in the order in which they came, a line for each and one with the totals", async () => {
    await threeLetters();
    const { lines, end } = await done("replay");
    expect(lines).toEqual([
      { id: "slack:1", kind: "inbound", result: "replayed", message: null, n: 1, of: 3 },
      { id: "telegram:2", kind: "outbound", result: "replayed", message: null, n: 2, of: 3 },
      { id: "slack:3", kind: "inbound", result: "replayed", message: null, n: 3, of: 3 },
    ]);
    expect(end).toEqual({
      totals: { matched: 3, done: 3, refused: 0, changed: 0, full: 0 },
      dry_run: false,
      complete: true,
      error: null,
    });
    expect(await list()).toEqual([]);
  });

  it("is about what fits the filter, the oldest first", async () => {
    await threeLetters();
    expect((await done("drop", { kind: "inbound", limit: 1 })).lines.map(({ id }) => id)).toEqual([
      "slack:1",
    ]);
    expect((await done("drop", { since: "30s" })).lines.map(({ id }) => id)).toEqual(["slack:3"]);
    expect(await idsOf()).toEqual(["telegram:2"]);
    expect((await done("drop", { platform: "discord" })).end?.totals.matched).toBe(0);
  });

  it("finds the oldest among many", async () => {
    for (let n = 0; n < 500; n++) await admin.bury({ id: `slack:${n}`, conversation: `slack:c${n}` });
    const { lines } = await done("drop", { limit: 3 });
    expect(lines.map(({ id }) => id)).toEqual(["slack:0", "slack:1", "slack:2"]);
    expect((await done("replay")).end?.totals).toMatchObject({ matched: 497, done: 497 });
  });

  it("does nothing in a dry run but say what it would do", async () => {
    await threeLetters();
    const kinds = async (action: "replay" | "drop") =>
      (await done(action, { dry_run: true })).lines.map(({ result }) => result);
    expect(await kinds("replay")).toEqual(["would_replay", "would_replay", "would_replay"]);
    expect(await kinds("drop")).toEqual(["would_drop", "would_drop", "would_drop"]);
    admin.clock.advance(86_400_000 - MINUTE_MS);
    expect(
      (await done("replay", { dry_run: true })).lines.map(({ result, message }) => [result, message]),
    ).toEqual([
      ["refused", "too_old: over 86400 s"],
      ["would_replay", null],
      ["would_replay", null],
    ]);
    expect(await list()).toHaveLength(3);
  });

  it("takes ids, and says which of them are none", async () => {
    await threeLetters();
    await admin.finish({ id: "slack:9" }, { kind: "done", outcome: "answered", turns: [] });
    const { lines, end } = await done("replay", { ids: ["slack:3", "slack:none", "slack:9", "slack:3"] });
    expect(lines.map(({ id, kind, result, message }) => [id, kind, result, message])).toEqual([
      ["slack:none", null, "unknown", "There is no such event"],
      ["slack:3", "inbound", "replayed", null],
      ["slack:9", "inbound", "changed", "It is done now"],
    ]);
    expect(end?.totals).toEqual({ matched: 3, done: 1, refused: 0, changed: 2, full: 0 });
  });

  it("goes on where one is refused, or finds no room", async () => {
    admin = await openAdmin({ limits: { waitingPerLaneMax: 1, waitingMax: 10 } });
    await admin.bury({ id: "slack:1", occurredAtMs: admin.clock.nowMs() - 86_400_001 });
    await admin.bury({ id: "slack:2" });
    await admin.bury({ id: "slack:3" });
    await admin.bury({ id: "slack:4", conversation: "slack:other" });
    const { lines, end } = await done("replay");
    expect(lines.map(({ result }) => result)).toEqual(["refused", "replayed", "full", "replayed"]);
    expect(end?.totals).toEqual({ matched: 4, done: 2, refused: 1, changed: 0, full: 1 });
  });

  it("does no letter twice that dies again meanwhile, and none that changed", async () => {
    for (const id of ["slack:1", "slack:2", "slack:3"]) await admin.bury({ id, conversation: id });
    const { body } = await bulk("replay", {});
    const lines: Record<string, unknown>[] = [];
    for await (const chunk of body ?? []) {
      lines.push(JSON.parse(new TextDecoder().decode(chunk)));
      if (lines.length > 1) continue;
      await admin.queue.settle(await claimOne(admin.queue), { kind: "dead", cause: "again" });
      await drop("slack:2");
    }
    expect(lines.map(({ result, totals }) => result ?? totals)).toEqual([
      "replayed",
      "changed",
      "replayed",
      { matched: 3, done: 2, refused: 0, changed: 1, full: 0 },
    ]);
    expect(await idsOf()).toEqual(["slack:1"]);
  });

  it("stops when nobody reads on", async () => {
    for (const id of ["slack:1", "slack:2", "slack:3"]) await admin.bury({ id, conversation: id });
    const { body } = await bulk("replay", {});
    const reader = body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect(await idsOf()).toEqual(["slack:3", "slack:2"]);
  });

  it("breaks off with a reason when the store goes away, or the process goes down", async () => {
    const lost = () => Promise.reject(new GatewayError("STORE_UNAVAILABLE", "Redis is away"));
    let replays = 0;
    const broken = ({ archive }: Store) => ({
      archive: {
        ...archive,
        replay: (...args: Parameters<typeof archive.replay>) =>
          ++replays > 1 ? lost() : archive.replay(...args),
      },
    });
    admin = await openAdmin({ broken });
    for (const id of ["slack:1", "slack:2", "slack:3"]) await admin.bury({ id, conversation: id });
    const { lines, end } = await done("replay");
    expect(lines.map(({ id }) => id)).toEqual(["slack:1"]);
    expect(end).toEqual({
      totals: { matched: 3, done: 1, refused: 0, changed: 0, full: 0 },
      dry_run: false,
      complete: false,
      error: { code: "unavailable", message: "STORE_UNAVAILABLE: Redis is away" },
    });
    admin.stopping.abort();
    expect((await done("drop")).end).toMatchObject({ totals: { done: 0 }, complete: false });
  });
});
