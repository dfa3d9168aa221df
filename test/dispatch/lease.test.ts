import { beforeEach, describe, expect, it } from "vitest";
import { Lease } from "../../src/dispatch/lease.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import type { Job, Queue } from "../../src/ports/queue.ts";
import { FakeClock } from "../support/clock.ts";
import { aJob, claimOne, LEASE_MS, openTestStore } from "../support/store.ts";

let clock: FakeClock;
let queue: Queue;
let job: Job;
let lease: Lease;
/** What happens before the store is asked, one for each time. */
let before: (() => void)[];
let asked: number;

beforeEach(async () => {
  clock = new FakeClock();
  const store = await openTestStore(clock);
  ({ queue } = store);
  job = await aJob(store);
  before = [];
  asked = 0;
  const extend = async (held: Job, leaseMs: number) => {
    asked++;
    before.shift()?.();
    return await queue.extend(held, leaseMs);
  };
  lease = new Lease({ queue: { extend }, clock, leaseMs: LEASE_MS }, job, clock.nowMs());
});

describe("a lease", () => {
  it("is known to be held for half of its time, without asking", async () => {
    clock.advance(LEASE_MS / 2);
    expect(await lease.isHeld()).toBe(true);
    expect(asked).toBe(0);
  });

  it("is asked for, and lasts anew, when less than half of it is left", async () => {
    clock.advance(LEASE_MS / 2 + 1);
    expect(await lease.isHeld()).toBe(true);
    expect(await lease.isHeld()).toBe(true);
    expect(asked).toBe(1);
  });

  it("is held when it ran out and nobody has claimed since", async () => {
    clock.advance(LEASE_MS * 2);
    expect(await lease.isHeld()).toBe(true);
  });

  it("is not held when somebody has claimed since", async () => {
    clock.advance(LEASE_MS + 1);
    await claimOne(queue);
    expect(await lease.isHeld()).toBe(false);
  });

  it("is asked for again when the answer took so long that it says nothing about now", async () => {
    before.push(() => clock.advance(LEASE_MS));
    clock.advance(LEASE_MS / 2 + 1);
    expect(await lease.isHeld()).toBe(true);
    expect(asked).toBe(2);
  });

  it("is asked for when the clock was set back, which cannot tell how much of it is left", async () => {
    clock.advance(-3_600_000);
    expect(await lease.isHeld()).toBe(true);
    expect(asked).toBe(1);
    clock.advance(LEASE_MS + 1);
    expect(await lease.isHeld()).toBe(true);
    expect(asked).toBe(2);
  });

  it("is neither held nor lost when the store cannot tell", async () => {
    const away = new GatewayError("STORE_UNAVAILABLE", "away");
    before.push(() => {
      throw away;
    });
    clock.advance(LEASE_MS);
    await expect(lease.isHeld()).rejects.toBe(away);
    expect(await lease.isHeld()).toBe(true);
  });

  it("lasts longer with each renewal, which asks for nothing else", async () => {
    for (let n = 0; n < 8; n++) {
      clock.advance(LEASE_MS / 4);
      expect(await lease.renew()).toBe(true);
    }
    expect(await lease.isHeld()).toBe(true);
    expect(asked).toBe(8);
  });
});
