import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { TOKEN_CHECK_MS } from "../../../src/admin/bounds.ts";
import {
  LIVE_CONNECTIONS_PER_TOKEN_MAX,
  MESSAGE_BYTES_MAX,
  PING_MS,
  SUBSCRIPTIONS_MAX,
} from "../../../src/admin/live/bounds.ts";
import { liveFrameSchema } from "../../../src/admin/live/words.ts";
import type { TriggerEvent } from "../../../src/domain/event.ts";
import { type Admin, openAdmin, TOKEN } from "../../support/admin.ts";
import { anEvent } from "../../support/event.ts";
import { type LiveOptions, openLive, type Refusal } from "../../support/live.ts";
import { anOffer } from "../../support/store.ts";

let admin: Admin;
let url: string;
beforeEach(async () => {
  admin = await openAdmin({ limits: { waitingPerLaneMax: 100_000, waitingMax: 100_000 } });
  url = await admin.listen();
});

async function open(query = "", options: LiveOptions = { token: TOKEN }) {
  const client = await openLive(`${url}/ws${query}`, options);
  expect(await client.next()).toMatchObject({ type: "watching", id: "default" });
  return client;
}
const refused = async (options: LiveOptions, query = "") =>
  (await openLive(`${url}/ws${query}`, options).then(
    () => expect.unreachable("it was let in"),
    (error: unknown) => error,
  )) as Refusal;
const accept = (changes: Partial<TriggerEvent> & { id: string }) => {
  const { tenant = "T1", platform = "slack", place = "C1" } = changes;
  const conversation = `${platform}:${tenant}:${place}`;
  return admin.inbox.accept(anOffer(anEvent({ conversation, ...changes })));
};
const tenantToken = async (tenant = "slack:T1") => {
  const made = await admin.tokens.create({ tenant, name: "-", by: "ann", expiresAtMs: null });
  return { id: made?.token.id ?? "", token: made?.secret.reveal() ?? "" };
};
const countOf = async (name: "liveClosed" | "liveDropped", cause: string) =>
  (await admin.metrics[name].get()).values.find(({ labels }) => labels.cause === cause)?.value ?? 0;

describe("live events over WebSocket", () => {
  it("tell what becomes of events, in order and without a word of them", async () => {
    const client = await open();
    await admin.bury({ id: "slack:1", text: "secret words" });
    const frames = [await client.next(), await client.next(), await client.next()];
    expect(frames).toMatchObject([
      { type: "event", state: "accepted", id: "slack:1", platform: "slack", tenant: "T1" },
      { type: "event", state: "claimed" },
      { type: "event", state: "dead", conversation: "slack:T1:C1" },
    ]);
    for (const frame of frames) expect(liveFrameSchema.parse(frame)).toEqual(frame);
    expect(JSON.stringify(frames)).not.toContain("secret");
  });

  it("are of the tenant of the token alone, whatever is asked for", async () => {
    const { token } = await tenantToken();
    const own = await open("", { token });
    const operator = await open("?tenant=slack:T2");
    await accept({ id: "slack:2", tenant: "T2" });
    await accept({ id: "discord:1", platform: "discord" });
    await accept({ id: "slack:1" });
    expect(await own.next()).toMatchObject({ id: "slack:1" });
    expect(await operator.next()).toMatchObject({ id: "slack:2" });
    for (const asked of [{ tenant: "slack:T2" }, { conversation: "slack:T2:C1" }]) {
      own.say({ type: "subscribe", id: "b", ...asked });
      expect(await own.next()).toMatchObject({ type: "error", code: "forbidden", id: "b" });
    }
    for (const asked of [{}, { platform: "discord" }, { conversation: "slack:T1:C2" }]) {
      own.say({ type: "subscribe", id: "b", ...asked });
      expect(await own.next()).toMatchObject({ type: "subscribed", id: "b", tenant: "slack:T1" });
    }
    await accept({ id: "slack:3", tenant: "T2", place: "C2" });
    await accept({ id: "discord:2", platform: "discord" });
    await accept({ id: "slack:4" });
    expect(await own.next()).toMatchObject({ id: "slack:4" });
    expect(own.frames).toEqual([]);
    expect((await refused({ token }, "?tenant=slack:T2")).status).toBe(403);
    expect((await refused({ token }, "?conversation=slack:T2:C1")).status).toBe(403);
  });

  it("that nobody says the tenant of are for operators alone", async () => {
    const { token } = await tenantToken();
    const [own, operator] = [await open("", { token }), await open()];
    const life = {
      ...{ at: "2026-11-30T00:00:00.000Z", state: "done", id: "slack:old", platform: "slack" },
      ...{ conversation: "slack:T1:C1", attempt: 1, detail: null },
    };
    await admin.store.bus.publish("life", JSON.stringify({ lives: [life], missed: 3 }));
    expect([await operator.next(), await operator.next()]).toMatchObject([
      { type: "event", id: "slack:old", tenant: null },
      { type: "dropped", cause: "bus", count: 3 },
    ]);
    // How many there were of all tenants is no business of one.
    expect(await own.next()).toEqual({ type: "dropped", cause: "bus", count: null });
    expect(await countOf("liveDropped", "bus")).toBe(3);
  });

  it("come once, whichever of several subscriptions they fit", async () => {
    const client = await open("?conversation=slack:T1:C1&state=accepted");
    client.say({ type: "subscribe", id: "a", tenant: "slack:T1" });
    client.say({ type: "subscribe", id: "b", state: ["accepted"] });
    await client.next();
    await client.next();
    await accept({ id: "slack:1" });
    await accept({ id: "slack:2", place: "C2" });
    expect([await client.next(), await client.next()]).toMatchObject([{ id: "slack:1" }, { id: "slack:2" }]);
    for (const id of ["a", "b"]) {
      client.say({ type: "unsubscribe", id });
      expect(await client.next()).toEqual({ type: "unsubscribed", id });
    }
    await accept({ id: "slack:3", place: "C2" });
    await accept({ id: "slack:4" });
    expect(await client.next()).toMatchObject({ id: "slack:4" });
    client.say({ type: "unsubscribe", id: "a" });
    expect(await client.next()).toMatchObject({ type: "error", code: "unknown", id: "a" });
    client.say({ type: "ping" });
    expect(await client.next()).toEqual({ type: "pong" });
  });

  it("are narrowed by what a client says before it is told that they come", async () => {
    const told = Promise.withResolvers<void>();
    vi.spyOn(admin.store.bus, "publish").mockReturnValueOnce(told.promise);
    const client = await openLive(`${url}/ws`, { token: TOKEN });
    client.say({ type: "subscribe", conversation: "slack:T1:C2" });
    client.socket.ping();
    // So the gateway has heard what came before.
    await once(client.socket, "pong");
    told.resolve();
    expect([await client.next(), await client.next()]).toMatchObject([
      { type: "watching", id: "default" },
      { type: "subscribed", id: "default", conversation: "slack:T1:C2" },
    ]);
    await accept({ id: "slack:1" });
    await accept({ id: "slack:2", place: "C2" });
    expect(await client.next()).toMatchObject({ id: "slack:2" });
  });

  it("end for whoever says more than is kept until they come", async () => {
    const told = Promise.withResolvers<void>();
    vi.spyOn(admin.store.bus, "publish").mockReturnValueOnce(told.promise);
    const client = await openLive(`${url}/ws`, { token: TOKEN });
    for (let n = 0; n < 2; n++) client.say("x".repeat(MESSAGE_BYTES_MAX - 100));
    expect(await client.closed).toEqual([1008, "too much before the beginning"]);
    told.resolve();
    expect(client.frames).toEqual([]);
  });

  it("say what is wrong with a message, and go on", async () => {
    const client = await open();
    client.say("hello");
    expect(await client.next()).toMatchObject({ type: "error", code: "malformed" });
    client.say({ type: "subscribe", id: "x", tenant: "T1" });
    const error = await client.next();
    expect(error).toMatchObject({ code: "malformed", id: "x", message: expect.stringContaining("tenant") });
    expect(liveFrameSchema.parse(error)).toEqual(error);
    await accept({ id: "slack:1" });
    expect(await client.next()).toMatchObject({ id: "slack:1" });
  });

  it("are for so many subscriptions and no more", async () => {
    const client = await open();
    for (let n = 1; n < SUBSCRIPTIONS_MAX; n++) client.say({ type: "subscribe", id: String(n) });
    for (let n = 1; n < SUBSCRIPTIONS_MAX; n++) expect(await client.next()).toMatchObject({ id: String(n) });
    client.say({ type: "subscribe", id: "more" });
    expect(await client.next()).toMatchObject({ type: "error", code: "too_many", id: "more" });
    client.say({ type: "subscribe", id: "1", tenant: "slack:T1" });
    expect(await client.next()).toMatchObject({ type: "subscribed", id: "1" });
  });

  it("are for so many characters of conversations, too: what is subscribed to is kept", async () => {
    const client = await open();
    const subscribe = async (id: string, chars: number) => {
      client.say({ type: "subscribe", id, conversation: `slack:T1:${"C".repeat(chars - 9)}` });
      return await client.next();
    };
    for (const id of ["a", "b", "c", "d"])
      expect(await subscribe(id, 2_000)).toMatchObject({ type: "subscribed" });
    expect(await subscribe("e", 10)).toMatchObject({ type: "error", code: "too_many", id: "e" });
    expect(await subscribe("a", 1_000)).toMatchObject({ type: "subscribed", id: "a" });
    expect(await subscribe("e", 1_000)).toMatchObject({ type: "subscribed", id: "e" });
  });

  it("end for whoever says too much, in bytes, or what is no text", async () => {
    const flood = await open();
    for (let n = 0; n < 60; n++) flood.say({ type: "ping" });
    expect(await flood.closed).toEqual([1008, "too many messages"]);
    const large = await open();
    large.say("x".repeat(MESSAGE_BYTES_MAX + 1));
    expect((await large.closed)[0]).toBe(1009);
    const binary = await open();
    binary.socket.send(Buffer.from([1, 2]));
    expect(await binary.closed).toEqual([1003, "expected text, got bytes"]);
    const broken = await open();
    broken.socket.send(Buffer.from([0xff, 0xfe]), { binary: false });
    expect((await broken.closed)[0]).toBe(1007);
    await vi.waitFor(async () => expect(await countOf("liveClosed", "misuse")).toBe(4));
  });

  it("leave nothing behind when the reader goes", async () => {
    const client = await open();
    expect(admin.feed.watchers).toBe(1);
    client.socket.terminate();
    await vi.waitFor(() => expect(admin.feed.watchers).toBe(0));
    expect(admin.clock.sleeping).toBe(0);
    expect((await admin.metrics.liveConnections.get()).values).toMatchObject([{ value: 0 }]);
    const again = await open();
    await accept({ id: "slack:1" });
    expect(await again.next()).toMatchObject({ id: "slack:1" });
  });

  it("end for a reader that does not say any more that it is there", async () => {
    const gone = await open();
    const alive = await open();
    // It answers no ping.
    gone.socket.pause();
    admin.clock.advance(PING_MS);
    await once(alive.socket, "ping");
    alive.say({ type: "ping" });
    expect(await alive.next()).toEqual({ type: "pong" });
    admin.clock.advance(PING_MS);
    await vi.waitFor(async () => expect(await countOf("liveClosed", "stale")).toBe(1));
    await accept({ id: "slack:1" });
    expect(await alive.next()).toMatchObject({ id: "slack:1" });
  });

  it("end with 1001 when the process goes down, and nobody gets in then", async () => {
    const client = await open();
    admin.stopping.abort();
    expect(await client.closed).toEqual([1001, "this gateway is going down"]);
    expect(await refused({ token: TOKEN })).toMatchObject({ status: 503 });
    await admin.live.leave();
    expect([admin.feed.watchers, await countOf("liveClosed", "shutdown")]).toEqual([0, 1]);
  });

  it("say nothing behind the word of the end, and count what they did not say", async () => {
    const { id, token } = await tenantToken();
    const slow = await open("", { token });
    slow.socket.pause();
    const place = "x".repeat(10_000);
    // Until some of it is not with the system, where it cannot be taken back.
    let sent = 0;
    const published = async () => (await admin.metrics.livePublished.get()).values[0]?.value ?? 0;
    while ((await published()) >= sent - 20) {
      for (let n = 0; n < 10; n++) await accept({ id: `slack:${sent++}`, place });
      await setImmediate();
    }
    await admin.ask(`/tokens/${id}`, { method: "DELETE" });
    const lost = sent - (await published());
    expect(await countOf("liveDropped", "closed")).toBe(lost);
    slow.socket.resume();
    expect((await slow.closed)[0]).toBe(4401);
    expect(slow.frames).toHaveLength(sent - lost);
  });

  it("end at once when the token is revoked, for those alone who have come with it", async () => {
    const [one, other] = [await tenantToken(), await tenantToken()];
    const [mine, others] = [await open("", one), await open("", other)];
    await admin.ask(`/tokens/${one.id}`, { method: "DELETE" });
    expect(await mine.closed).toEqual([4401, "the token opens nothing any more"]);
    expect((await refused(one)).status).toBe(401);
    await accept({ id: "slack:1" });
    expect(await others.next()).toMatchObject({ id: "slack:1" });
    // The word of it is lost.
    await admin.store.vault.remove(`plain/token/${other.id}`);
    admin.clock.advance(TOKEN_CHECK_MS);
    expect((await others.closed)[0]).toBe(4401);
  });
});

describe("the door of /ws", () => {
  it.each([undefined, "wrong", `${TOKEN}x`, "parley_tok_1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"])(
    "is closed for the token %j",
    async (token) => {
      const refusal = await refused(token === undefined ? {} : { token });
      expect(refusal).toMatchObject({ status: 401, message: expect.stringContaining('"unauthorized"') });
      expect(refusal.headers).toMatchObject({
        "www-authenticate": "Bearer",
        "x-content-type-options": "nosniff",
        "x-request-id": "req_new",
      });
      expect(refusal.message).not.toContain(String(token));
    },
  );

  it("takes no token from the address", async () => {
    expect((await refused({}, `?token=${TOKEN}`)).status).toBe(401);
    expect((await refused({ token: TOKEN }, "?token=x")).status).toBe(400);
  });

  it("is open for a browser, which can send its token as a protocol; that is not said back", async () => {
    const coded = Buffer.from(TOKEN).toString("base64url");
    const protocols = ["parley.live.v1", `parley.bearer.${coded}`];
    const client = await open("", { protocols, headers: { origin: url } });
    expect(client.socket.protocol).toBe("parley.live.v1");
    const wrong = ["parley.live.v1", `parley.bearer.${Buffer.from("wrong").toString("base64url")}`];
    expect((await refused({ protocols: wrong })).status).toBe(401);
  });

  it.each([
    ["https://evil.example", 403],
    ["null", 403],
    ["file://", 403],
    ["http://127.0.0.1:1", 403],
    ["https://gateway.example", 101],
    ["https://gateway.example.evil.example", 403],
    ["https://wall.corp.example", 101],
    ["https://corp.example", 403],
    ["https://evilcorp.example", 403],
  ])("asks whose page it is: %s is %i", async (origin, status) => {
    const options = { token: TOKEN, headers: { origin } };
    if (status === 101) await open("", options);
    else expect((await refused(options)).status).toBe(status);
  });

  it("tells whoever guesses to wait, together with the API", async () => {
    for (let n = 0; n < 10; n++) expect((await refused({ token: "wrong" })).status).toBe(401);
    expect(await refused({ token: "wrong" })).toMatchObject({ status: 429, headers: { "retry-after": "6" } });
    await open();
  });

  it("keeps one tenant from taking all the places", async () => {
    const own = await tenantToken();
    const clients = await Promise.all(
      Array.from({ length: LIVE_CONNECTIONS_PER_TOKEN_MAX }, () => openLive(`${url}/ws`, own)),
    );
    expect(await refused(own)).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
    await open("", await tenantToken());
    clients[0]?.socket.terminate();
    await vi.waitFor(async () => void (await open("", own)));
  }, 30_000);

  it.each([
    ["GET /ws HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", 426],
    [
      `GET /ws HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${TOKEN}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`,
      400,
    ],
    [
      `GET /ws HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${TOKEN}\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 7\r\n\r\n`,
      426,
    ],
    ["GET /ws HTTP/1.1\r\nhost: evil.example\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", 403],
    ["GET /ws HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", 400],
    [
      "POST /ws HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: 0\r\n\r\n",
      404,
    ],
    ["GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n", 200],
    ["GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n", 200],
  ])("answers %j", async (request, status) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.write(request);
    const [head] = (await once(socket, "data")) as [Buffer];
    expect(head.toString()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    if (status >= 400) expect(head.toString()).toContain("x-frame-options: DENY");
    socket.end();
    await text(socket);
  });

  it("is not there where the API is off", async () => {
    admin = await openAdmin({ token: null });
    url = await admin.listen();
    expect(await refused({ token: TOKEN })).toMatchObject({ status: 404 });
  });

  it("drops and counts what a reader does not read, tells it how much, and others get theirs", {
    timeout: 60_000,
  }, async () => {
    const [slow, quick] = [await open(), await open("?conversation=slack:T1:C2")];
    slow.socket.pause();
    const place = "x".repeat(10_000);
    let sent = 0;
    for (; (await countOf("liveDropped", "slow")) < 50; sent++) {
      await accept({ id: `slack:${sent}`, place });
      await setImmediate();
      if (sent > 5_000) expect.unreachable("nothing was dropped");
    }
    await accept({ id: "slack:quick", place: "C2" });
    expect(await quick.next()).toMatchObject({ id: "slack:quick" });
    // That the bus has left out some, too, is no answer that it would have to read: for some of these it has no room.
    for (let n = 0; n < 500; n++) {
      await admin.store.bus.publish("life", '{"lives":[],"missed":3}');
      expect(await quick.next()).toMatchObject({ cause: "bus", count: 3 });
    }
    slow.socket.resume();
    let got = 0;
    let dropped = 0;
    while (got + dropped < sent + 1) {
      const frame = await slow.next();
      if (frame.type === "event") {
        // Those that were not dropped come in their order, and the gap is where the others would have been.
        if (frame.id !== "slack:quick") expect(frame.id).toBe(`slack:${got + dropped}`);
        got++;
      } else if (frame.type === "dropped" && frame.cause === "slow") dropped += frame.count ?? 0;
    }
    expect(dropped).toBe(await countOf("liveDropped", "slow"));
    expect((await admin.metrics.livePublished.get()).values[0]?.value).toBe(got + 1);
  });
});
