import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { wrongUrl } from "../../../adapters/slack/connection.ts";
import { Pace } from "../../../adapters/slack/pace.ts";
import type { Ack } from "../../../src/ports/adapter.ts";
import { type FakeSlack, fakeSlack } from "../../fakes/slack.ts";
import { eventually } from "../../support/eventually.ts";
import { APP_TOKEN, COMMAND, listening, MENTION, OK } from "./listening.ts";

let fake: FakeSlack;
beforeEach(async () => {
  fake = await fakeSlack({ appToken: APP_TOKEN, sockets: { ackMs: 300, pingMs: 100 } });
});
afterEach(() => fake.close());

const opens = () => fake.calls.filter(({ path }) => path === "/api/apps.connections.open");

describe("Slack's Socket Mode", () => {
  it("reads what comes as webhooks are read, and acknowledges it on two connections", async () => {
    const { taken, states, socket } = listening(fake);
    await fake.sockets.waitOpen(2);
    expect(socket.account).toBe("A1");
    const pressed = { type: "view_closed", team: { id: "T1" }, user: { id: "U1" } };
    for (const send of [
      () => fake.sockets.send("events_api", MENTION, { over: 1 }),
      () => fake.sockets.send("slash_commands", COMMAND, { over: 2 }),
      () => fake.sockets.send("interactive", pressed),
    ])
      expect((await fake.sockets.acked(send())).payload).toBeNull();
    expect(taken).toMatchObject([
      { kind: "events", events: [{ id: "slack:T1:C1:1717000000.000100", trigger: "mention" }] },
      { kind: "events", events: [{ id: "slack:T1:trigger:1.2.abc", trigger: "command" }] },
      { kind: "ignored", reason: "view_closed" },
    ]);
    expect(fake.sockets.strayAcks).toEqual([]);
    expect(states.at(-1)).toEqual({ status: "ok", details: "2 of 2 connections" });
  });

  it("sends a payload along only where Slack takes one", async () => {
    const ack = { status: 200, contentType: "application/json", body: '{"text":"at once"}' };
    listening(fake, { take: async () => ack });
    await fake.sockets.waitOpen(1);
    const taken = fake.sockets.send("slash_commands", COMMAND, { acceptsPayload: true });
    const refused = fake.sockets.send("slash_commands", COMMAND, { acceptsPayload: false });
    expect((await fake.sockets.acked(taken)).payload).toEqual({ text: "at once" });
    expect((await fake.sockets.acked(refused)).payload).toBeNull();
  });

  it("does not acknowledge what is not stored, and takes it when it comes again", async () => {
    let refusals = 1;
    const { taken } = listening(fake, { take: async () => (refusals-- > 0 ? null : OK) });
    await fake.sockets.waitOpen(1);
    const id = fake.sockets.send("events_api", MENTION);
    await fake.sockets.acked(id);
    expect(fake.sockets.deliveries.map(({ retryAttempt }) => retryAttempt)).toEqual([0, 1]);
    expect(taken).toHaveLength(2);
  });

  it.each(["warning", "refresh_requested"])(
    "has the next connection before it leaves one: %s",
    async (reason) => {
      const { reconnects } = listening(fake);
      await fake.sockets.waitOpen(2);
      fake.sockets.disconnect(reason, { over: 1 });
      await fake.sockets.waitOpen(3);
      await fake.sockets.gone(1);
      expect(reconnects).toEqual([reason]);
      expect(fake.sockets.open).toEqual([2, 3]);
      const id = fake.sockets.send("events_api", MENTION, { over: 3 });
      await fake.sockets.acked(id);
    },
  );

  it("opens another one where one is cut, and goes on over the other meanwhile", async () => {
    const { reconnects } = listening(fake);
    await fake.sockets.waitOpen(2);
    fake.sockets.cut(1);
    await fake.sockets.acked(fake.sockets.send("events_api", MENTION, { over: 2 }));
    await fake.sockets.gone(1);
    await fake.sockets.waitOpen(2);
    expect(reconnects).toHaveLength(1);
    expect(fake.sockets.opened).toBe(3);
  });

  it("says what Slack says against the token, and asks again after growing pauses", async () => {
    const { states } = listening(fake, { token: "xapp-1-A1-12-wrong" });
    await fake.waitFor(({ path }) => path === "/api/apps.connections.open", 3);
    expect(states.at(-1)).toEqual({ status: "failed", details: "apps.connections.open: invalid_auth" });
    const [first, second, third] = opens().map(({ at }) => at) as [number, number, number];
    expect(third - second).toBeGreaterThan(second - first);
  });

  it("leaves what Slack has switched off, says so, and tries again later", async () => {
    const { states } = listening(fake);
    await fake.sockets.waitOpen(2);
    fake.sockets.disconnect("link_disabled");
    await Promise.all([fake.sockets.gone(1), fake.sockets.gone(2)]);
    const failed = { status: "failed", details: "link_disabled" };
    await eventually(async () => expect(states).toContainEqual(failed), 10_000);
    await fake.sockets.waitOpen(2);
  });

  it("acknowledges what is being stored when it is to leave, takes no more, and is gone", async () => {
    const stored = Promise.withResolvers<Ack>();
    const asked = Promise.withResolvers<void>();
    const { leave } = listening(fake, {
      take() {
        asked.resolve();
        return stored.promise;
      },
    });
    await fake.sockets.waitOpen(2);
    const id = fake.sockets.send("events_api", MENTION, { over: 1 });
    await asked.promise;
    const left = leave();
    stored.resolve(OK);
    await left;
    await fake.sockets.acked(id);
    await Promise.all([fake.sockets.gone(1), fake.sockets.gone(2)]);
    expect(fake.sockets.open).toEqual([]);
  });
});

describe("where a connection may lead", () => {
  it("is Slack, and with another API that API or this machine", () => {
    const api = "http://slack.internal:4003/api/";
    expect(wrongUrl("wss://wss-primary.slack.com/link/?ticket=t", null)).toBeNull();
    expect(wrongUrl("wss://wss-primary.slack.com/link/?ticket=t", api)).toBeNull();
    expect(wrongUrl("ws://slack.internal:9/?ticket=t", api)).toBeNull();
    expect(wrongUrl("ws://127.0.0.1:9/?ticket=t", api)).toBeNull();
    for (const [url, to] of [
      ["ws://wss-primary.slack.com/?ticket=t", null],
      ["wss://slack.com.evil.example/?ticket=t", null],
      ["wss://evilslack.com/?ticket=t", null],
      ["ws://127.0.0.1:9/?ticket=t", null],
      ["wss://10.0.0.1/?ticket=t", api],
      ["http://slack.internal/?ticket=t", api],
      ["nonsense", api],
    ] as const) {
      expect(wrongUrl(url, to)).toEqual(expect.stringMatching(/^expected /));
      expect(wrongUrl(url, to)).not.toContain("ticket=t");
    }
  });
});

describe("the pace of connections", () => {
  it("is at once, and at most five in the first six seconds where none comes to anything", () => {
    for (const fail of [(pace: Pace) => pace.failed(), (pace: Pace) => pace.ended(100, true)]) {
      const pace = new Pace(() => 0);
      let atMs = 0;
      const tries: number[] = [];
      while (atMs < 60_000) {
        tries.push(atMs);
        fail(pace);
        atMs += pace.pauseMs;
      }
      expect(tries.filter((ms) => ms <= 6_000).length).toBeLessThanOrEqual(5);
      pace.opened();
      pace.ended(10_000, false);
      expect(pace.pauseMs).toBe(0);
    }
  });
});
