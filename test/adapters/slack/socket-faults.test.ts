import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Ack } from "../../../src/ports/adapter.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { systemClock } from "../../../src/system/clock.ts";
import { type FakeSlack, fakeSlack } from "../../fakes/slack.ts";
import { eventually } from "../../support/eventually.ts";
import { APP_TOKEN, listening, MENTION, OK } from "./listening.ts";

/** Everything is waited for so many times shorter. */
const FASTER = 20;

/** The real time, but all waits take a part of it; what they were asked for is in `timers` and `slept`. */
function clockOf(faster: number): { clock: Clock; timers: number[]; slept: number[] } {
  const timers: number[] = [];
  const slept: number[] = [];
  const clock: Clock = {
    nowMs: () => systemClock.nowMs(),
    sleep(ms, signal) {
      slept.push(ms);
      return systemClock.sleep(ms / faster, signal);
    },

    timer(ms, ring) {
      timers.push(ms);
      return systemClock.timer(ms / faster, ring);
    },
  };
  return { clock, timers, slept };
}

let fake: FakeSlack;
beforeEach(async () => {
  fake = await fakeSlack({ appToken: APP_TOKEN, sockets: { ackMs: 300, pingMs: 100 } });
});
afterEach(() => fake.close());

describe("a connection of Socket Mode", () => {
  it("that pings no more is left within a minute, and another takes its place", async () => {
    const { clock, timers } = clockOf(FASTER);
    const { reconnects } = listening(fake, { clock });
    await fake.sockets.waitOpen(2);
    fake.sockets.freeze(1);
    await eventually(async () => expect(fake.sockets.opened).toBe(3), 20_000);
    expect(reconnects).toEqual(["ping_timeout"]);
    expect(Math.max(...timers)).toBeLessThanOrEqual(60_000);
    await fake.sockets.acked(fake.sockets.send("events_api", MENTION, { over: 3 }));
  });

  it("on which Slack says nothing is given up, told of, and tried again", async () => {
    fake.sockets.faults.noHello = 1;
    const { states } = listening(fake, { clock: clockOf(FASTER).clock });
    await fake.sockets.waitOpen(2);
    expect(states).toContainEqual({ status: "failed", details: "no_hello" });
    expect(states.at(-1)?.status).toBe("ok");
    await fake.sockets.acked(fake.sockets.send("events_api", MENTION));
  });

  it.each([401, 403, 429, 500, 503])(
    "that is refused with %i is told of, and asked for again after growing pauses, with a ticket of its own",
    async (status) => {
      Object.assign(fake.sockets.faults, { refuseUpgrade: 3, status });
      const { clock, slept } = clockOf(FASTER);
      const { states } = listening(fake, { clock });
      await fake.sockets.waitOpen(2);
      expect(states).toContainEqual({ status: "failed", details: `HTTP ${status}` });
      expect(slept.filter((ms) => [500, 1_000, 2_000].includes(ms))).toEqual([500, 1_000, 2_000]);

      const tickets = fake.calls.filter(({ path }) => path === "/api/apps.connections.open");
      expect(tickets).toHaveLength(5);
    },
  );

  it("acknowledges what was being stored when Slack asked to be left, on the connection that it came over", async () => {
    const stored = Promise.withResolvers<Ack>();
    const asked = Promise.withResolvers<void>();
    const { taken } = listening(fake, {
      // Nobody loses patience meanwhile.
      clock: clockOf(0.05).clock,
      take() {
        asked.resolve();
        return stored.promise;
      },
    });
    await fake.sockets.waitOpen(2);
    const id = fake.sockets.send("events_api", MENTION, { over: 1 });
    await asked.promise;
    fake.sockets.disconnect("refresh_requested", { over: 1 });
    await fake.sockets.waitOpen(3);
    expect(fake.sockets.acks).toEqual([]);
    stored.resolve(OK);
    expect(await fake.sockets.acked(id)).toMatchObject({ connection: 1 });
    await fake.sockets.gone(1);
    expect(taken.length).toBe(fake.sockets.deliveries.length);
  });

  it("that is gone before an event is stored gets no acknowledgement; it comes again over the next", async () => {
    const stored = Promise.withResolvers<Ack>();
    let asked = 0;
    const { taken } = listening(fake, { take: async () => (++asked === 1 ? stored.promise : OK) });
    await fake.sockets.waitOpen(2);
    const id = fake.sockets.send("events_api", MENTION, { over: 1 });
    await eventually(async () => expect(asked).toBe(1), 10_000);
    fake.sockets.disconnect("warning", { graceMs: 0 });
    await Promise.all([fake.sockets.gone(1), fake.sockets.gone(2)]);
    stored.resolve(OK);
    const ack = await fake.sockets.acked(id);
    expect(ack.connection).toBeGreaterThan(2);
    expect(fake.sockets.strayAcks).toEqual([]);
    // Once more than once: that it is one event is the store's business, by its id.
    expect(new Set(taken.map((inbound) => "events" in inbound && inbound.events[0]?.id))).toEqual(
      new Set(["slack:T1:C1:1717000000.000100"]),
    );
  });

  it("is not read while five hundred events wait to be stored, and all of them are taken in the end", async () => {
    const patient = await fakeSlack({ appToken: APP_TOKEN, sockets: { ackMs: 60_000 } });
    onTestFinished(() => patient.close());
    const stored = Promise.withResolvers<Ack>();
    const { taken } = listening(patient, { take: () => stored.promise });
    await patient.sockets.waitOpen(2);
    const ids = Array.from({ length: 2_000 }, () => patient.sockets.send("events_api", MENTION));
    await eventually(async () => expect(taken.length).toBeGreaterThanOrEqual(500), 10_000);
    // Whatever else is on its way has come by the time that a call of the API is answered.
    for (let round = 0; round < 20; round++) await fetch(`${patient.apiUrl}auth.test`, { method: "POST" });
    expect(taken).toHaveLength(500);
    stored.resolve(OK);
    for (const id of ids) await patient.sockets.acked(id);
    expect(taken).toHaveLength(2_000);
  });
});
