import pino from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import { createSockets, type Sockets } from "../../src/app/sockets.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import type { Reception } from "../../src/ingress/reception.ts";
import type { Noted } from "../../src/ingress/recorder.ts";
import type { Inbound, Mailbox } from "../../src/ports/adapter.ts";
import type { Bus } from "../../src/ports/bus.ts";
import { type Holds, RELEASED_TOPIC } from "../../src/ports/holds.ts";
import type { Notes } from "../../src/ports/notes.ts";
import { createBus } from "../../src/store/bus.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { FakeAdapter } from "../support/adapter.ts";
import { FakeClock } from "../support/clock.ts";
import { countOf } from "../support/metrics.ts";

const IGNORED: Inbound = { kind: "ignored", reason: "test", ack: { status: 200, body: "said" } };
const OUTCOME: Reception = { outcome: "ignored", ack: { status: 200, body: "said" }, events: 0 };

/** One process with a socket, on the store that it shares with the others. */
interface Replica {
  readonly sockets: Sockets;
  readonly metrics: Metrics;
  readonly noted: Noted[];
  readonly lines: () => readonly Record<string, unknown>[];
  /** What `listen` was called with, one for each time. */
  readonly terms: { readonly mailbox: Mailbox; readonly signal: AbortSignal }[];
  /** How often it has stopped listening. */
  readonly left: () => number;
  reception: Reception;
  /** What comes of the next `listen`; it waits for its signal where there is none. */
  readonly endings: (() => Promise<void>)[];
  /** The store is away from it, as from a process that was killed. */
  isCutOff: boolean;
}

/** What a store keeps for all of a team. */
interface Kept {
  readonly clock: FakeClock;
  readonly bus: Bus;
  readonly holds: Map<string, { owner: string; token: number; untilMs: number }>;
  readonly notes: Map<string, string>;
  elections: number;
}

async function team(size: number) {
  const clock = new FakeClock();
  const kept: Kept = { clock, bus: createBus(), holds: new Map(), notes: new Map(), elections: 0 };
  const replicas = Array.from({ length: size }, (_, n) => aReplica(`replica-${n}`, kept));
  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed <= ms; passed += 250) {
      if (passed > 0) clock.advance(250);
      for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return { replicas: replicas as unknown as readonly [Replica, Replica], pass };
}

/** As a shared store has them; test/contract/store-holds.ts says what that is. */
function electionsOf(owner: string, kept: Kept, isCutOff: () => boolean): { holds: Holds; notes: Notes } {
  const asked = <T>(answer: () => T) =>
    isCutOff() ? Promise.reject(new GatewayError("STORE_UNAVAILABLE", "away")) : Promise.resolve(answer());
  const liveOf = (name: string) => {
    const live = kept.holds.get(name);
    return live !== undefined && live.untilMs > kept.clock.nowMs() ? live : undefined;
  };
  return {
    holds: {
      hold: (name, ttlMs) =>
        asked(() => {
          const live = liveOf(name);
          if (live !== undefined && live.owner !== owner) return null;
          const token = ++kept.elections;
          kept.holds.set(name, { owner, token, untilMs: kept.clock.nowMs() + ttlMs });
          return { name, token };
        }),
      renew: ({ name, token }, ttlMs) =>
        asked(() => {
          const live = liveOf(name);
          if (live?.token !== token) return false;
          live.untilMs = kept.clock.nowMs() + ttlMs;
          return true;
        }),
      release: ({ name, token }) =>
        asked(() => {
          if (liveOf(name)?.token !== token) return;
          kept.holds.delete(name);
          void kept.bus.publish(RELEASED_TOPIC, name);
        }),
    },
    notes: {
      get: (name) => asked(() => kept.notes.get(name) ?? null),
      put: (name, value, held) =>
        asked(() => {
          if (liveOf(held.name)?.token !== held.token) return false;
          kept.notes.set(name, value);
          return true;
        }),
    },
  };
}

function aReplica(owner: string, kept: Kept): Replica {
  const adapter = new FakeAdapter("slack");
  const metrics = createMetrics();
  const written: string[] = [];
  const log = pino(
    { formatters: { level: (level) => ({ level }) } },
    { write: (line: string) => void written.push(line) },
  );
  const replica: Omit<Replica, "sockets"> = {
    metrics,
    noted: [],
    lines: () => written.map((line) => JSON.parse(line)),
    terms: [],
    left: () => left,
    reception: OUTCOME,
    endings: [],
    isCutOff: false,
  };
  let left = 0;
  adapter.socket = {
    name: "socket",
    account: "A1",
    reasons: ["refresh_requested"],
    ackWithinMs: -1,
    async listen(mailbox, signal) {
      replica.terms.push({ mailbox, signal });
      const ending = replica.endings.shift();
      if (ending !== undefined) return await ending();
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      left++;
    },
  };
  const sockets = createSockets({
    adapters: [adapter, new FakeAdapter("telegram")],
    front: { take: async () => replica.reception },
    store: { ...electionsOf(owner, kept, () => replica.isCutOff), bus: kept.bus },
    note: (noted) => replica.noted.push(noted),
    newId: (kind) => `${kind}_1`,
    ...{ clock: kept.clock, random: () => 0.5, log, metrics },
  });
  onTestFinished(() => sockets.stop());
  return Object.assign(replica, { sockets });
}

const stateOf = ({ sockets }: Replica) => sockets.reports()["slack.socket"]?.status;
const isHolder = ({ metrics }: Replica) => countOf(metrics, "socketHolder", { platform: "slack" });

describe("a socket that two processes may hold", () => {
  it("is held by one, and the other stands by", async () => {
    const { replicas, pass } = await team(2);
    const [one, other] = replicas;
    one.sockets.start();
    await pass(0);
    other.sockets.start();
    await pass(10_000);
    expect([one.terms.length, other.terms.length]).toEqual([1, 0]);
    expect([stateOf(one), stateOf(other)]).toEqual(["connecting", "standby"]);
    expect([await isHolder(one), await isHolder(other)]).toEqual([1, 0]);
    expect(Object.keys(one.sockets.reports())).toEqual(["slack.socket"]);
  });

  it("goes to the other within seven seconds when its holder is gone", async () => {
    const { replicas, pass } = await team(2);
    const [one, other] = replicas;
    one.sockets.start();
    await pass(0);
    other.sockets.start();
    await pass(1_000);
    one.isCutOff = true;
    await pass(2_000);
    expect(other.terms).toHaveLength(0);
    await pass(5_000);
    expect(other.terms).toHaveLength(1);
  });

  it("is left by a holder that cannot renew, before another can have it", async () => {
    const { replicas, pass } = await team(2);
    const [one, other] = replicas;
    one.sockets.start();
    await pass(0);
    other.sockets.start();
    await pass(1_000);
    one.terms[0]?.mailbox.connected(0, true);
    one.isCutOff = true;
    // Renewed last at the start, so it has four seconds of five.
    await pass(2_750);
    expect([one.left(), stateOf(one)]).toEqual([0, "connecting"]);
    await pass(250);
    expect([one.left(), stateOf(one), other.terms.length]).toEqual([1, "standby", 0]);
    expect(await countOf(one.metrics, "socketUp")).toBe(0);
    expect(await isHolder(one)).toBe(0);
  });

  it("goes to the other at once when its holder stops, and only then", async () => {
    const { replicas, pass } = await team(2);
    const [one, other] = replicas;
    one.sockets.start();
    await pass(0);
    other.sockets.start();
    await pass(0);
    const stopped = one.sockets.stop();
    expect(one.terms[0]?.signal.aborted).toBe(true);
    await stopped;
    await pass(0);
    expect([one.left(), other.terms.length]).toEqual([1, 1]);
  });

  it("hands its notes to the next holder, and takes none of the last one any more", async () => {
    const { replicas, pass } = await team(2);
    const [one, other] = replicas;
    one.sockets.start();
    await pass(0);
    const before = one.terms[0]?.mailbox;
    expect(await before?.recall("session")).toBeNull();
    expect(await before?.note("session", "s1")).toBe(true);
    other.sockets.start();
    await pass(0);
    await one.sockets.stop();
    await pass(0);
    const after = other.terms[0]?.mailbox;
    expect(await after?.recall("session")).toBe("s1");
    expect(await before?.note("session", "late")).toBe(false);
    expect(await after?.recall("session")).toBe("s1");
  });
});

describe("a socket that is held", () => {
  async function held() {
    const { replicas, pass } = await team(1);
    const [one] = replicas;
    one.sockets.start();
    await pass(0);
    const [term] = one.terms;
    if (term === undefined) throw new Error("Expected it to be held");
    return { one, pass, ...term };
  }

  it("is taken from as a webhook is: counted, noted and written down, and acknowledged when it is stored", async () => {
    const { one, mailbox } = await held();
    expect(await mailbox.take(IGNORED)).toEqual({ status: 200, body: "said" });
    one.reception = { outcome: "unavailable", ack: { status: 503 }, reason: "STORE_UNAVAILABLE", events: 1 };
    expect(await mailbox.take(IGNORED)).toBeNull();
    expect(one.noted.map(({ platform, outcome, peer }) => ({ platform, outcome, peer }))).toEqual([
      { platform: "slack", outcome: "ignored", peer: null },
      { platform: "slack", outcome: "unavailable", peer: null },
    ]);
    const count = (outcome: string) => countOf(one.metrics, "webhooks", { platform: "slack", outcome });
    expect([await count("ignored"), await count("unavailable")]).toEqual([1, 1]);
    // Nobody is quick enough for who waits no time at all; what comes again is not late.
    expect(await countOf(one.metrics, "acksLate", { platform: "slack" })).toBe(1);
    expect(one.lines().filter(({ msg }) => msg === "socket.received")).toMatchObject([
      { level: "info", outcome: "ignored", request_id: "req_1" },
      { level: "error", outcome: "unavailable", reason: "STORE_UNAVAILABLE" },
    ]);
  });

  it("says how it is, in /ready, in metrics, and in the log when that changes", async () => {
    const { one, mailbox } = await held();
    const refused = { status: "failed", details: "invalid_auth" } as const;
    mailbox.report(refused);
    mailbox.report(refused);
    expect(one.sockets.reports()).toEqual({ "slack.socket": refused });
    const states = one.lines().filter(({ msg }) => msg === "socket.state");
    expect(states).toMatchObject([
      { level: "info", status: "connecting" },
      { level: "warn", status: "failed", details: "invalid_auth" },
    ]);
    mailbox.connected(1, true);
    mailbox.reconnects("refresh_requested");
    mailbox.reconnects("whatever it says");
    expect(await countOf(one.metrics, "socketUp", { platform: "slack", shard: "1" })).toBe(1);
    const reconnects = (reason: string) => countOf(one.metrics, "socketReconnects", { reason });
    expect([await reconnects("refresh_requested"), await reconnects("other")]).toEqual([1, 1]);
  });

  it("that ends by itself or breaks is begun again, after growing pauses", async () => {
    const { replicas, pass } = await team(1);
    const [one] = replicas;
    one.endings.push(
      () => Promise.reject(new Error("its own fault")),
      () => Promise.resolve(),
    );
    one.sockets.start();
    await pass(0);
    expect(one.sockets.reports()).toEqual({
      "slack.socket": { status: "failed", details: "its own fault" },
    });
    await pass(750);
    expect([one.terms.length, one.sockets.reports()["slack.socket"]?.details]).toEqual([
      2,
      "it ended by itself",
    ]);
    await pass(1_250);
    expect(one.terms).toHaveLength(2);
    await pass(250);
    expect(one.terms).toHaveLength(3);
  });

  it("that was well for a minute is begun again after the shortest pause, whatever came before", async () => {
    const { replicas, pass } = await team(1);
    const [one] = replicas;
    const breaks = () => Promise.reject(new Error("its own fault"));
    const well = Promise.withResolvers<void>();
    one.endings.push(breaks, breaks, breaks, breaks, () => well.promise);
    one.sockets.start();
    await pass(15_000);
    expect(one.terms).toHaveLength(5);
    await pass(60_000);
    well.resolve();
    await pass(0);
    expect(one.terms).toHaveLength(5);
    await pass(750);
    expect(one.terms).toHaveLength(6);
  });
});
