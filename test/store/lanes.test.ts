import { describe, expect, it } from "vitest";
import { Fifo } from "../../src/store/sqlite/fifo.ts";
import { DueHeap } from "../../src/store/sqlite/heap.ts";
import { Lanes, newcomer, type Waiting } from "../../src/store/sqlite/lanes.ts";
import { Leases, tokenOf } from "../../src/store/sqlite/leases.ts";
import { SteadyTime } from "../../src/store/sqlite/time.ts";

function aJob(seq: number, lane: string, sender = "U1"): Waiting {
  const source = ["slack", "T1", sender] as const;
  return newcomer({
    ...{ seq, lane, kind: "message", agent: null, busy: "queue", conversation: lane, source },
    ...{ sinceMs: 0, refusal: null, replay: 0 },
  });
}

describe("a first-in, first-out list", () => {
  it("keeps order through thousands of pushes and shifts", () => {
    const fifo = new Fifo<number>();
    let next = 0;
    let expected = 0;
    for (let i = 0; i < 5_000; i++) {
      fifo.push(next++);
      if (i % 3 !== 0) expect(fifo.shift()).toBe(expected++);
      expect(fifo.size).toBe(next - expected);
    }
    while (fifo.size > 0) {
      expect(fifo.peek()).toBe(expected);
      expect(fifo.shift()).toBe(expected++);
    }
    expect([fifo.shift(), fifo.peek(), expected]).toEqual([undefined, undefined, next]);
  });
});

describe("the heap of due things", () => {
  it("gives what is due, soonest first, and nothing before its time", () => {
    const heap = new DueHeap<number>();
    const times = Array.from({ length: 1_000 }, (_, i) => (i * 7_919) % 1_000);
    for (const time of times) heap.push(time, time);
    expect(heap.soonestMs).toBe(0);
    const popped: number[] = [];
    for (let now = 0; now < 1_000; now += 10) {
      for (let time = heap.popDue(now); time !== undefined; time = heap.popDue(now)) {
        expect(time).toBeLessThanOrEqual(now);
        popped.push(time);
      }
      expect(heap.soonestMs === null || heap.soonestMs > now).toBe(true);
    }
    while (heap.soonestMs !== null) popped.push(heap.popDue(1_000) ?? Number.NaN);
    expect(popped).toEqual(times.sort((a, b) => a - b));
  });
});

describe("the lanes", () => {
  it("are gone when their last event is", () => {
    const lanes = new Lanes();
    const job = aJob(1, "a");
    lanes.add(job);
    expect(lanes.take()).toBe(job);
    expect([lanes.isActive("a"), lanes.waitingIn("a"), lanes.jobs.size]).toEqual([true, 0, 1]);
    lanes.finish(job);
    expect([lanes.isActive("a"), lanes.waitingIn("a"), lanes.jobs.size]).toEqual([false, 0, 0]);
    expect(lanes.isReady).toBe(false);
  });

  it("refuse to finish what is not the running head", () => {
    const lanes = new Lanes();
    const [first, second] = [aJob(1, "a"), aJob(2, "a")];
    lanes.add(first);
    lanes.add(second);
    expect(() => lanes.finish(first)).toThrow("running head");
    lanes.take();
    expect(() => lanes.finish(second)).toThrow("running head");
  });
});

describe("the leases", () => {
  it("look at each only when one may have ended", () => {
    const leases = new Leases();
    const token = tokenOf(7, 3);
    leases.grant(token, 100);
    leases.grant(tokenOf(8, 1), 200);
    expect(leases.soonestMs).toBe(100);
    expect(leases.expire(99)).toEqual([]);
    leases.grant(token, 300);
    expect(leases.expire(100)).toEqual([]);
    expect(leases.soonestMs).toBe(200);
    expect(leases.expire(200)).toEqual([{ seq: 8, isExcused: false }]);
    expect(leases.held(token)).toBe(7);
    expect(leases.held(tokenOf(8, 1))).toBeNull();
  });

  it("come back when the batch that changed them fails", () => {
    const leases = new Leases();
    leases.grant(tokenOf(1, 1), 100);
    leases.keep();
    leases.end(1);
    leases.grant(tokenOf(2, 1), 50);
    leases.undo();
    expect([leases.held(tokenOf(1, 1)), leases.held(tokenOf(2, 1))]).toEqual([1, null]);
    expect(leases.expire(100)).toEqual([{ seq: 1, isExcused: false }]);
  });

  it("have tokens that never repeat, up to a bound", () => {
    expect(tokenOf(1, 2 ** 22 - 1)).toBeLessThan(tokenOf(2, 0));
    expect(() => tokenOf(1, 2 ** 22)).toThrow("claims");
  });
});

describe("steady time", () => {
  it("follows the clock forward, and stands still when it goes back", () => {
    const time = new SteadyTime();
    expect([time.at(100), time.at(200), time.at(50), time.at(60)]).toEqual([100, 200, 200, 210]);
    expect(time.toClock(210)).toBe(60);
  });
});
