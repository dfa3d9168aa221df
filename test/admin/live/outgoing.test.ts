import { describe, expect, it } from "vitest";
import {
  FRAME_BYTES,
  SENT_BYTES_MAX,
  WAITING_BYTES_LEAST,
  WAITING_BYTES_MAX,
  WAITING_BYTES_OF_ALL,
} from "../../../src/admin/live/bounds.ts";
import { Outgoing, Room } from "../../../src/admin/live/outgoing.ts";

const frame = (n: number, bytes = 1_000) => Buffer.from(String(n).padEnd(bytes, "."));

/** A reader that takes what it is told to take. */
function aReader(room = new Room()) {
  const sent: { text: string; done: () => void }[] = [];
  const counts = { published: 0, slow: 0, closed: 0 };
  const outgoing = new Outgoing({
    room,
    wire: { send: (data, done) => void sent.push({ text: data.toString().replace(/\.+$/, ""), done }) },
    published: () => void counts.published++,
    dropped: (count, cause) => {
      counts[cause] += count;
    },
  });
  const read: string[] = [];
  return {
    ...{ outgoing, room, counts, read },
    /** What is with the system; reading makes room for more. */
    take: (count = Number.POSITIVE_INFINITY) => {
      for (let n = 0; n < count; n++) {
        const one = sent.shift();
        if (one === undefined) return;
        read.push(one.text);
        one.done();
      }
    },
  };
}

describe("what waits for a reader", () => {
  it("comes in order, those of a slow reader too, and leaves nothing behind", () => {
    const { outgoing, take, read, room, counts } = aReader();
    for (let n = 0; n < 500; n++) outgoing.offer(frame(n));
    expect(counts.published * 1_100).toBeLessThanOrEqual(SENT_BYTES_MAX + 1_100);
    take();
    expect(read).toEqual(Array.from({ length: 500 }, (_, n) => String(n)));
    expect([counts, room.bytes]).toEqual([{ published: 500, slow: 0, closed: 0 }, 0]);
  });

  it("is bounded; each that does not fit is counted, and the reader is told where they are missing", () => {
    const { outgoing, take, read, room, counts } = aReader();
    const fits = Math.floor(WAITING_BYTES_MAX / (1_000 + FRAME_BYTES));
    for (let n = 0; n < fits + 5; n++) outgoing.offer(frame(n));
    expect([counts.slow, room.bytes <= WAITING_BYTES_MAX]).toEqual([5, true]);
    take(3);
    for (const n of [7_000, 7_001]) outgoing.offer(frame(n));
    take();
    expect(read.slice(-4)).toEqual([
      String(fits - 1),
      '{"type":"dropped","cause":"slow","count":5}',
      "7000",
      "7001",
    ]);
    expect([counts.published, room.bytes]).toEqual([fits + 2, 0]);
  });

  it("ends with how many are missing where nothing comes after them", () => {
    const { outgoing, take, read, room } = aReader();
    const fits = Math.floor(WAITING_BYTES_MAX / (1_000 + FRAME_BYTES));
    for (let n = 0; n < fits + 2; n++) outgoing.offer(frame(n));
    take();
    take();
    expect(read.at(-1)).toBe('{"type":"dropped","cause":"slow","count":2}');
    expect([read.length, room.bytes]).toEqual([fits + 1, 0]);
  });

  it("is little for each where many are slow, so that others get theirs", () => {
    const room = new Room();
    const slow = Array.from({ length: 100 }, () => aReader(room));
    for (const { outgoing } of slow) for (let n = 0; n < 3_000; n++) outgoing.offer(frame(n));
    expect(room.bytes).toBeLessThan(WAITING_BYTES_OF_ALL + WAITING_BYTES_MAX + 100 * WAITING_BYTES_LEAST);
    const { outgoing, take, counts } = aReader(room);
    for (let n = 0; n < 100; n++) {
      outgoing.offer(frame(n));
      take();
    }
    expect(counts).toEqual({ published: 100, slow: 0, closed: 0 });
    for (const one of slow) one.outgoing.end();
    expect(room.bytes).toBe(0);
  });

  it("is counted where the connection closes before it was sent", () => {
    const { outgoing, take, counts, room } = aReader();
    for (let n = 0; n < 200; n++) outgoing.offer(frame(n));
    const { published } = counts;
    outgoing.end();
    outgoing.offer(frame(1));
    expect([outgoing.say(frame(1)), room.bytes]).toEqual([false, 0]);
    take();
    expect([counts.closed, room.bytes]).toEqual([200 - published, 0]);
  });

  it("has no room for answers that are never read", () => {
    const { outgoing } = aReader();
    let said = 0;
    while (outgoing.say(frame(said))) said++;
    expect(said).toBe(Math.floor(WAITING_BYTES_MAX / (1_000 + FRAME_BYTES)));
  });
});
