import { setImmediate as nextTick } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { REQUEST_OUTCOMES } from "../../src/domain/request.ts";
import { type Noted, RequestRecorder } from "../../src/ingress/recorder.ts";
import type { RequestBounds, RequestNote } from "../../src/ports/request-log.ts";
import { createNewId } from "../../src/system/ids.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { FakeClock } from "../support/clock.ts";

function open({ refusedMax = 10_000 } = {}) {
  const clock = new FakeClock();
  const metrics = createMetrics();
  const batches: { notes: readonly RequestNote[]; bounds: RequestBounds }[] = [];
  const heard: RequestNote[] = [];
  const store = { isAway: false };
  const recorder = new RequestRecorder({
    requests: {
      async record(notes, bounds) {
        if (store.isAway) throw new Error("away");
        batches.push({ notes, bounds });
      },
    },
    refusedMax,
    maxAgeMs: 60_000,
    clock,
    newId: createNewId(clock),
    log: silentLogger(),
    metrics,
    heard: (note) => heard.push(note),
  });
  const written = () => batches.flatMap(({ notes }) => notes);
  /** What the timers do in this time. */
  async function pass(ms: number) {
    for (let at = 0; at < ms; at += 500) {
      clock.advance(500);
      for (let turn = 0; turn < 5; turn++) await nextTick();
    }
  }
  const dropped = async (cause: string) =>
    (await metrics.requestNotesDropped.get()).values.find(({ labels }) => labels.cause === cause)?.value ?? 0;
  return { recorder, clock, batches, written, heard, store, pass, dropped };
}

const REFUSED: Noted = {
  requestId: "req_1",
  platform: "slack",
  outcome: "ignored",
  reason: "not_addressed",
  peer: "192.0.2.1",
  eventId: null,
  conversation: null,
};

describe("the recorder of requests", () => {
  it("writes what it is told by itself, in one batch, half a second later", async () => {
    const { recorder, batches, clock, pass } = open();
    recorder.note(REFUSED);
    recorder.note({ ...REFUSED, requestId: "req_2", outcome: "accepted" });
    expect(batches).toEqual([]);
    const atMs = clock.nowMs();
    await pass(500);
    expect(batches.map(({ notes }) => notes)).toEqual([
      [
        { ...REFUSED, id: expect.stringMatching(/^ref_[0-9a-v]{20}$/), atMs, alike: 0 },
        expect.objectContaining({ requestId: "req_2", outcome: "accepted" }),
      ],
    ]);
    await pass(5_000);
    expect(batches).toHaveLength(1);
    expect(clock.sleeping).toBe(0);
  });

  it("says which notes are too old by the beginning of their ids", async () => {
    const { recorder, batches, clock } = open();
    recorder.note(REFUSED);
    clock.advance(60_001);
    await recorder.flush();
    const [{ notes, bounds } = { notes: [], bounds: { afterId: "" } }] = batches;
    expect((notes[0]?.id ?? "") < bounds.afterId).toBe(true);
    recorder.note(REFUSED);
    await recorder.flush();
    expect((batches[1]?.notes[0]?.id ?? "") > (batches[1]?.bounds.afterId ?? "~")).toBe(true);
  });

  it("tells at once of what was refused, and never of what was taken", () => {
    const { recorder, heard } = open();
    for (const outcome of REQUEST_OUTCOMES) recorder.note({ ...REFUSED, outcome });
    expect(heard.map(({ outcome }) => outcome)).toEqual(
      REQUEST_OUTCOMES.filter((outcome) => outcome !== "accepted" && outcome !== "handshake"),
    );
  });

  it("makes a few notes of a flood, each with the number of those left out, and of its last one, too", async () => {
    const { recorder, written, pass, dropped } = open();
    const forged: Noted = { ...REFUSED, outcome: "forged", reason: "missing X-Slack-Signature" };
    const FLOOD = 50_000;
    for (let n = 0; n < FLOOD; n++) {
      recorder.note({ ...forged, requestId: `req_${n}` });
      if (n % 5_000 === 0) await pass(500);
    }
    await pass(60_000);
    expect(written().length).toBeLessThan(600);
    expect(written().reduce((sum, { alike }) => sum + 1 + alike, 0)).toBe(FLOOD);
    expect(written().at(-1)?.requestId).toBe(`req_${FLOOD - 1}`);
    expect(await dropped("flood")).toBeGreaterThan(FLOOD - 600);
  });

  it("is not flooded by many peers either, and still notes the others", async () => {
    const { recorder, written, pass } = open();
    for (let n = 0; n < 100_000; n++) {
      recorder.note({
        ...REFUSED,
        outcome: "forged",
        reason: "missing",
        peer: `2001:db8::${n.toString(16)}`,
      });
      if (n % 10_000 === 0) {
        recorder.note({ ...REFUSED, requestId: `genuine_${n}` });
        await pass(1_000);
      }
    }
    await pass(1_000);
    const genuine = written().filter(({ outcome }) => outcome === "ignored");
    expect(genuine.map(({ requestId }) => requestId)).toEqual(
      Array.from({ length: 10 }, (_, i) => `genuine_${i * 10_000}`),
    );
    expect(written().length).toBeLessThan(2_000);
  });

  it("keeps a bounded number while the store is away, and writes them when it is back", async () => {
    const { recorder, written, store, pass, dropped } = open();
    store.isAway = true;
    for (let second = 0; second < 60; second++) {
      for (let n = 0; n < 100; n++) recorder.note({ ...REFUSED, requestId: `req_${second}_${n}` });
      recorder.note({ ...REFUSED, outcome: "stale", requestId: `stale_${second}` });
      await pass(1_000);
    }
    await expect(recorder.flush()).rejects.toThrow("away");
    store.isAway = false;
    await pass(10_000);
    expect(written().filter(({ outcome }) => outcome === "ignored")).toHaveLength(1_000);
    expect(written().filter(({ outcome }) => outcome === "stale")).toHaveLength(60);
    expect(await dropped("full")).toBe(5_000);
  });

  it("makes one safe line of a reason, whatever a parser says", async () => {
    const { recorder, written } = open();
    recorder.note({ ...REFUSED, reason: `Expected\n\u0007\u202e\ud800 ${"x".repeat(1_000)}` });
    await recorder.flush();
    expect(written()[0]?.reason).toMatch(/^Expected +x{100,}$/);
    expect(written()[0]?.reason?.length).toBe(200);
  });

  it("notes nothing where nothing is to be kept, and nothing after its end", async () => {
    const off = open({ refusedMax: 0 });
    off.recorder.note(REFUSED);
    await off.recorder.flush();
    expect(off.batches).toEqual([]);

    const { recorder, written } = open();
    recorder.note(REFUSED);
    await recorder.stop();
    recorder.note(REFUSED);
    await recorder.flush();
    expect(written()).toHaveLength(1);
  });
});
