import { setImmediate } from "node:timers/promises";
import { beforeEach, describe, expect, it } from "vitest";
import { HEARTBEAT_MS, STREAM_CHARS_MAX, STREAMS_MAX } from "../../src/admin/bounds.ts";
import { type Admin, openAdmin } from "../support/admin.ts";
import { anEvent } from "../support/event.ts";
import { anOffer } from "../support/store.ts";

let admin: Admin;
beforeEach(async () => {
  admin = await openAdmin();
});

/** A stream that is read as it comes. */
async function open(query = "") {
  const response = await admin.ask(`/stream${query}`);
  expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"]);
  const reader = response.body?.getReader();
  if (reader === undefined) throw new Error("Expected a body, got none");
  const read = async () => {
    const { value } = await reader.read();
    return value === undefined ? null : new TextDecoder().decode(value);
  };
  expect(await read()).toBe("retry: 1000\n: watching\n\n");
  return { read, leave: () => reader.cancel() };
}

const dataOf = (text: string | null) =>
  (text ?? "")
    .split("\n\n")
    .filter((part) => part.startsWith("data: "))
    .map((part) => JSON.parse(part.slice("data: ".length)));

describe("the stream of lives", () => {
  it("tells what becomes of events, from wherever it is told", async () => {
    const { read } = await open();
    await admin.bury({ id: "slack:1", text: "secret words" });
    const text = await read();
    expect(dataOf(text).map(({ state, id }) => [state, id])).toEqual([
      ["accepted", "slack:1"],
      ["claimed", "slack:1"],
      ["dead", "slack:1"],
    ]);
    expect(text).not.toContain("secret");
    await admin.ask("/dead/slack%3A1/replay", { method: "POST", headers: { "x-parley-operator": "ann" } });
    expect(dataOf(await read())).toMatchObject([{ state: "replayed", detail: "ann" }]);
  });

  it("can be narrowed by platform, conversation and states", async () => {
    const slack = await open("?platform=slack&state=accepted,dead");
    const other = await open("?conversation=telegram%3Ax");
    await admin.bury({ id: "telegram:1", platform: "telegram", conversation: "telegram:x" });
    await setImmediate();
    await admin.bury({ id: "slack:2" });
    expect(dataOf(await slack.read()).map(({ state, id }) => `${state} ${id}`)).toEqual([
      "accepted slack:2",
      "dead slack:2",
    ]);
    expect(dataOf(await other.read())).toHaveLength(3);
  });

  it("says now and then that it is alive", async () => {
    const { read } = await open();
    for (let n = 0; n < 3; n++) {
      admin.clock.advance(HEARTBEAT_MS);
      expect(await read()).toBe(": alive\n\n");
    }
  });

  it("ends with a word when the process goes down, and leaves nothing behind", async () => {
    const { read } = await open();
    admin.stopping.abort();
    expect(await read()).toBe(": this gateway is going down\n\n");
    expect(await read()).toBeNull();
    await setImmediate();
    expect([admin.feed.watchers, admin.clock.sleeping]).toEqual([0, 0]);
  });

  it("leaves nothing behind when the reader leaves", async () => {
    const { leave } = await open();
    expect(admin.feed.watchers).toBe(1);
    await leave();
    await setImmediate();
    expect([admin.feed.watchers, admin.clock.sleeping]).toEqual([0, 0]);
  });

  it("watches nothing for a request without a reader", async () => {
    expect((await admin.ask("/stream", { method: "HEAD" })).status).toBe(200);
    await admin.ask("/stream");
    expect(admin.feed.watchers).toBe(0);
  });

  it("cuts off a reader that is too slow, and says so", async () => {
    const { read } = await open();
    const conversation = `slack:${"x".repeat(10_000)}`;
    for (let n = 0; n * 10_000 < STREAM_CHARS_MAX + 20_000; n++) {
      await admin.inbox.accept(anOffer(anEvent({ id: `slack:${n}`, conversation })));
      await setImmediate();
    }
    const text = await read();
    expect(text?.length).toBeLessThan(STREAM_CHARS_MAX + 100);
    expect(text?.endsWith(": cut off, because this was read too slowly\n\n")).toBe(true);
    expect(await read()).toBeNull();
    await setImmediate();
    expect(admin.feed.watchers).toBe(0);
  });

  it("tells how much was left out", async () => {
    const { read } = await open();
    await admin.store.bus.publish("life", '{"lives":[],"missed":7}');
    expect(await read()).toBe('event: missed\ndata: {"missed":7}\n\n');
  });

  it("is for so many readers and no more", async () => {
    for (let n = 0; n < STREAMS_MAX; n++) await open();
    const response = await admin.ask("/stream");
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
  });
});
