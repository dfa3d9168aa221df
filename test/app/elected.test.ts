import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { type Elected, type ElectedOptions, standForElection } from "../../src/app/elected.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import type { Held, Holds } from "../../src/ports/holds.ts";
import { createBus } from "../../src/store/bus.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { FakeClock } from "../support/clock.ts";

const TTL_MS = 9_000;
const AWAY = () => Promise.reject(new GatewayError("STORE_UNAVAILABLE", "Redis is away"));

let clock: FakeClock;
let calls: string[];
let tokens: number;
let holds: Holds;
let terms: { readonly held: Held; readonly signal: AbortSignal }[];
const bus = createBus();

beforeEach(() => {
  clock = new FakeClock();
  calls = [];
  tokens = 0;
  terms = [];
  holds = {
    hold: async (name) => ({ name, token: ++tokens }),
    renew: async () => true,
    release: async () => {},
  };
});

/** What the store is asked goes through `holds` as it is at that moment. */
async function stand(changes: Partial<ElectedOptions> = {}): Promise<Elected> {
  const elected = standForElection({
    name: "n",
    ttlMs: TTL_MS,
    holds: {
      hold: (name, ttlMs) => {
        calls.push("hold");
        return holds.hold(name, ttlMs);
      },
      renew: (held, ttlMs) => {
        calls.push(`renew ${held.token}`);
        return holds.renew(held, ttlMs);
      },
      release: (held) => {
        calls.push(`release ${held.token}`);
        return holds.release(held);
      },
    },
    ...{ bus, clock, random: () => 0, log: silentLogger() },
    lead(held, signal) {
      terms.push({ held, signal });
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
    },
    ...changes,
  });
  onTestFinished(() => elected.stop());
  await advance(0);
  return elected;
}

async function advance(ms: number): Promise<void> {
  clock.advance(ms);
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const live = () => terms.filter(({ signal }) => !signal.aborted).map(({ held }) => held.token);

describe("a process that stands for election", () => {
  it("leads once it is elected, and renews long before its time is over", async () => {
    const elected = await stand();
    expect([live(), elected.isHolder]).toEqual([[1], true]);
    for (let n = 0; n < 3; n++) await advance(TTL_MS / 3);
    expect(calls).toEqual(["hold", "renew 1", "renew 1", "renew 1"]);
    expect(live()).toEqual([1]);
  });

  it("asks again while another holds it, at once when that one lets go of this name", async () => {
    holds = { ...holds, hold: async () => null };
    const elected = await stand();
    expect([live(), elected.isHolder]).toEqual([[], false]);
    await advance(TTL_MS / 6);
    expect(calls).toEqual(["hold", "hold"]);
    await bus.publish("released", "another name");
    await advance(0);
    expect(calls).toHaveLength(2);
    holds = { ...holds, hold: async (name) => ({ name, token: 7 }) };
    await bus.publish("released", "n");
    await advance(0);
    expect(live()).toEqual([7]);
  });

  it("ends at once when it hears that it has lost, and stands again", async () => {
    await stand();
    holds = { ...holds, renew: async () => false };
    await advance(TTL_MS / 3);
    expect(terms.map(({ held, signal }) => [held.token, signal.aborted])).toEqual([
      [1, true],
      [2, false],
    ]);
  });

  it("ends before its time is over by the store when that cannot be asked", async () => {
    const elected = await stand();
    await advance(TTL_MS / 3);
    holds = { ...holds, renew: AWAY, hold: AWAY };
    for (let ms = 0; ms < TTL_MS - 1_000; ms += 1_000) await advance(1_000);
    expect(live()).toEqual([1]);
    await advance(1_000);
    expect([live(), elected.isHolder]).toEqual([[], false]);
    holds = { ...holds, hold: async (name) => ({ name, token: 9 }) };
    await advance(TTL_MS / 3);
    expect(live()).toEqual([9]);
  });

  it("ends by its margin sooner than the store has it end, where it has one", async () => {
    await stand({ marginMs: 1_000 });
    holds = { ...holds, renew: AWAY, hold: AWAY };
    for (let ms = 0; ms < TTL_MS - 2_000; ms += 1_000) await advance(1_000);
    expect(live()).toEqual([1]);
    await advance(1_000);
    expect(live()).toEqual([]);
  });

  it("lets go only when what it led has ended, or has taken a second for that", async () => {
    for (const isSlow of [false, true]) {
      calls = [];
      const ended = Promise.withResolvers<void>();
      const elected = await stand({ lead: () => ended.promise });
      const stopped = elected.stop();
      await advance(999);
      expect([elected.isHolder, calls]).toEqual([false, ["hold"]]);
      if (isSlow) await advance(1);
      else ended.resolve();
      await stopped;
      expect(calls).toEqual(["hold", expect.stringMatching(/^release/)]);
      ended.resolve();
    }
  });

  it("counts its time from when it asked, however late the answer", async () => {
    const late = Promise.withResolvers<boolean>();
    await stand();
    holds = { ...holds, renew: () => late.promise };
    await advance(TTL_MS / 3);
    await advance((TTL_MS / 3) * 2 - 1);
    expect(live()).toEqual([1]);
    await advance(1);
    expect(live()).toEqual([]);
    late.resolve(true);
    await advance(0);
    // It stands again; what it had is not taken up.
    expect(live()).toEqual([2]);
  });

  it("takes up nothing that was given to it for longer ago than it lasts", async () => {
    const late = Promise.withResolvers<Held | null>();
    holds = { ...holds, hold: () => late.promise };
    await stand();
    await advance(TTL_MS);
    late.resolve({ name: "n", token: 1 });
    holds = { ...holds, hold: async (name) => ({ name, token: 2 }) };
    await advance(0);
    expect(terms.map(({ held, signal }) => [held.token, signal.aborted])).toEqual([[2, false]]);
  });

  it("lets go when it stops, of what it is given then, too, and asks no more", async () => {
    const elected = await stand();
    await elected.stop();
    await elected.stop();
    expect([live(), calls]).toEqual([[], ["hold", "release 1"]]);

    const answer = Promise.withResolvers<Held | null>();
    holds = { ...holds, hold: () => answer.promise };
    const late = await stand();
    await late.stop();
    answer.resolve({ name: "n", token: 5 });
    await advance(TTL_MS);
    expect(calls).toEqual(["hold", "release 1", "hold", "release 5"]);
    expect(clock.sleeping).toBe(0);
  });

  it("does not wait for a store that takes no word", async () => {
    holds = { ...holds, release: () => new Promise<never>(() => {}) };
    const elected = await stand();
    const stopped = elected.stop();
    expect(elected.isHolder).toBe(false);
    await advance(0);
    await advance(1_000);
    await stopped;
  });
});
