import process from "node:process";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { LiveFrame } from "../../src/admin/live/words.ts";
import { launch } from "../support/child.ts";
import { type LiveClient, openLive } from "../support/live.ts";
import { freePort } from "../support/ports.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { configFolder } from "./configuration.ts";
import { type GatewayProcess, ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";
import { deliver, openPlatforms, type Platforms, privateMessage } from "./platforms.ts";
import { scrape } from "./scrape.ts";

const ADMIN = "an-admin-token-of-at-least-32-characters";
const DEV_KEY = "a-key-for-developers-of-32-characters";
const SLACK = "slack:T1";

let redis: RedisServer;
let platforms: Platforms;
beforeAll(async () => {
  [redis, platforms] = await Promise.all([startRedis(), openPlatforms()]);
});
afterAll(async () => {
  await Promise.all([redis[Symbol.asyncDispose](), platforms[Symbol.asyncDispose]()]);
});

async function start(env: Record<string, string> = {}, dataDir = temporaryFolder()): Promise<GatewayProcess> {
  const own = { ...platforms.env, PARLEY_ADMIN_TOKEN: ADMIN, PARLEY_DEV_KEY: DEV_KEY, ...env };
  return await startGateway({ dataDir, config: configFolder(), env: own });
}

const api = async (gateway: GatewayProcess, path: string, token = ADMIN, init: RequestInit = {}) =>
  await fetch(`${gateway.url}/api/v1${path}`, {
    ...init,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
  });

async function tokenFor(gateway: GatewayProcess, tenant: string) {
  const response = await api(gateway, "/tokens", ADMIN, { method: "POST", body: JSON.stringify({ tenant }) });
  expect(response.status).toBe(200);
  return (await response.json()) as { id: string; token: string };
}

/** Through the webhook for developers, with its key. */
async function emit(gateway: GatewayProcess, message: string, conversation = "c1"): Promise<string> {
  const response = await fetch(`${gateway.url}/webhooks/test`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-dev-key": DEV_KEY },
    body: JSON.stringify({ message, conversation }),
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { id: string }).id;
}

async function live(gateway: GatewayProcess, token: string, query = ""): Promise<LiveClient> {
  const client = await openLive(`${gateway.url}/ws${query}`, { token });
  expect(await client.next()).toMatchObject({ type: "watching" });
  return client;
}

type Told = LiveFrame & { type: "event" };
async function until(client: LiveClient, isIt: (frame: Told) => boolean): Promise<Told[]> {
  const told: Told[] = [];
  for (;;) {
    const frame = await client.next();
    if (frame.type !== "event") continue;
    told.push(frame);
    if (isIt(frame)) return told;
  }
}

/** One process with SQLite is asked itself; with Redis it is told to another gateway, of two processes on one port. */
describe.each(["sqlite", "redis"] as const)("live events on %s", (kind) => {
  let here: GatewayProcess;
  let there: GatewayProcess;
  beforeAll(async () => {
    const env: Record<string, string> = kind === "redis" ? { REDIS_URL: redis.url } : {};
    here = await start(env);
    there = kind === "redis" ? await start({ ...env, PARLEY_PROCESSES: "2" }) : here;
  });
  afterAll(async () => {
    for (const gateway of new Set([here, there])) await gateway[Symbol.asyncDispose]();
  });

  it("tell of a message to the test webhook, in order, to its tenant and to no other", async () => {
    const [own, other] = [await tokenFor(here, "test:test"), await tokenFor(here, SLACK)];
    const [mine, theirs, all] = [
      await live(there, own.token),
      await live(there, other.token),
      await live(there, ADMIN, "?conversation=test:test:c1"),
    ];
    const id = await emit(here, "say this to nobody else");
    for (const client of [mine, all]) {
      const told = await until(client, ({ state }) => state === "done");
      expect(new Set(told.map((frame) => frame.id))).toEqual(new Set([id]));
      // Another replica may have claimed it before this one knows that it was accepted.
      expect(told.map(({ state }) => state).toSorted()).toEqual(["accepted", "claimed", "done"]);
      expect(told.at(-1)).toMatchObject({ tenant: "test", conversation: "test:test:c1", detail: "answered" });
    }
    await deliver(here.url, privateMessage("slack", { person: 7_001, text: "hello" }));
    const slack = await until(theirs, ({ state }) => state === "done");
    expect(new Set(slack.map(({ platform, tenant }) => `${platform}:${tenant}`))).toEqual(new Set([SLACK]));
    // The same three once more, so that whatever of the other would have come has come.
    await emit(here, "again");
    const again = await until(mine, ({ state }) => state === "done");
    expect(again.every(({ platform }) => platform === "test")).toBe(true);
  });

  it("keep the messages of one conversation in order, one state after the other", async () => {
    const client = await live(there, ADMIN, "?conversation=test:test:ordered&state=done");
    const ids: string[] = [];
    for (let n = 0; n < 20; n++) ids.push(await emit(here, `number ${n}`, "ordered"));
    const told: string[] = [];
    while (told.length < ids.length) told.push((await until(client, () => true))[0]?.id ?? "");
    expect(told).toEqual(ids);
  });

  it("and nothing else of another tenant are told to whoever has the token of one", async () => {
    const { token } = await tokenFor(here, SLACK);
    const others = await emit(here, "a secret of others");
    const event = encodeURIComponent(others);
    const refused = [
      `/events/${event}`,
      "/events/slack%3Anone",
      "/events?tenant=test:test",
      "/events?conversation=test:test:c1",
      "/stream?tenant=test:test",
      "/stream?conversation=test:test:c1",
      "/conversations/test%3Atest%3Ac1",
      "/conversations/slack%3AT2%3AC1",
      "/conversations",
      "/conversations/export?user=test:test:developer",
      ...["/dead", "/refusals", "/refusals/stream", `/explain/${event}`, "/approvals", "/usage", "/notes"],
      ...["/tokens", "/audit", "/audit/verify", "/status", "/replicas", "/limits", "/kill-switch", "/hooks"],
      ...[
        "/installations",
        "/schedules",
        "/breakers",
        "/log-level",
        "/maintenance/finished",
        "/openapi.json",
      ],
    ];
    for (const path of refused) expect([path, (await api(there, path, token)).status]).toEqual([path, 403]);
    for (const query of ["?tenant=test:test", "?conversation=test:test:c1"])
      await expect(openLive(`${there.url}/ws${query}`, { token })).rejects.toMatchObject({ status: 403 });
    const changes = [
      ["POST", "/tokens"],
      ["DELETE", "/tokens/tok_1"],
      ["POST", `/events/${event}/replay`],
      ["PUT", "/kill-switch"],
    ] as const;
    for (const [method, path] of changes)
      expect((await api(there, path, token, { method, body: "{}" })).status).toBe(403);
    const events = await (await api(there, "/events?limit=500", token)).text();
    expect(events).not.toContain("a secret of others");
    const seen = (JSON.parse(events) as { events: { platform: string; tenant: string }[] }).events;
    expect(seen.every(({ platform, tenant }) => `${platform}:${tenant}` === SLACK)).toBe(true);
    // Metrics have a token of their own.
    const { status } = await fetch(`${there.url}/metrics`, {
      headers: { authorization: `Bearer ${token}`, "x-forwarded-for": "192.0.2.1" },
    });
    expect(status).toBe(403);
  });

  it("end at once for a token that is revoked, on another replica too", async () => {
    const { id, token } = await tokenFor(here, "test:test");
    const client = await live(there, token);
    const stream = (await api(there, "/stream", token)).body?.pipeThrough(new TextDecoderStream());
    const chunks = stream?.[Symbol.asyncIterator]();
    expect((await chunks?.next())?.value).toContain(": watching");
    expect((await api(here, `/tokens/${id}`, ADMIN, { method: "DELETE" })).status).toBe(200);
    expect(await client.closed).toEqual([4401, "the token opens nothing any more"]);
    expect((await chunks?.next())?.value).toBe(": the token opens nothing any more\n\n");
    await expect(openLive(`${there.url}/ws`, { token })).rejects.toMatchObject({ status: 401 });
    expect((await api(there, "/events", token)).status).toBe(401);
  });

  it("end with 1001 when the process drains, whatever still runs there", async () => {
    const env: Record<string, string> = kind === "redis" ? { REDIS_URL: redis.url } : {};
    await using gateway = await start(env);
    const client = await live(gateway, ADMIN);
    expect(await gateway.end("SIGTERM")).toBe(0);
    expect(await client.closed).toEqual([1001, "this gateway is going down"]);
    const lines = gateway.logLines().map(({ msg }) => msg);
    expect(lines).toContain("live.connected");
    expect(gateway.logLines().find(({ msg }) => msg === "live.closed")).toMatchObject({
      ...{ caller: "operator", cause: "shutdown", code: 1001, dropped: 0 },
    });
  });
});

it("a gateway that is killed is found again by the client of the documentation, with the same token", async () => {
  const port = String(await freePort());
  const dataDir = temporaryFolder();
  const first = await start({ PARLEY_PORT: port }, dataDir);
  const { token } = await tokenFor(first, "test:test");
  const command = [process.execPath, "docs/examples/live-events.mjs", `ws://127.0.0.1:${port}/ws`];
  const client = launch(command, { cwd: ROOT, env: { PARLEY_TOKEN: token } });
  await client.said("stderr", '"type":"watching"');
  const before = await emit(first, "before");
  await client.said("stdout", `done ${before}`);
  await first.end("SIGKILL");
  await client.said("stderr", "closed: 1006");
  await using second = await start({ PARLEY_PORT: port }, dataDir);
  await vi.waitFor(() => expect(client.output.stderr.split('"watching"')).toHaveLength(3), 30_000);
  const after = await emit(second, "after");
  await client.said("stdout", `done ${after}`);
  const { id } = await tokenFor(second, "test:test");
  expect((await api(second, `/tokens/${id}`, ADMIN, { method: "DELETE" })).status).toBe(200);
  const own = token.slice("parley_".length, -"_".length - 43);
  expect((await api(second, `/tokens/${own}`, ADMIN, { method: "DELETE" })).status).toBe(200);
  // It does not come again with a token that opens nothing.
  expect(await client.ended).toBe(0);
  expect(client.output.stderr).toContain("closed: 4401");
});

it("a reader that does not read loses what does not fit, is told how much, and costs the others nothing", async () => {
  await using gateway = await start();
  const [slow, quick] = [
    await live(gateway, ADMIN),
    await live(gateway, ADMIN, "?conversation=test:test:quick"),
  ];
  slow.socket.pause();
  const conversation = "x".repeat(200);
  const dropped = async () =>
    (await scrape(gateway.url)).value('parley_live_events_dropped_total{cause="slow"}') ?? 0;
  let sent = 0;
  while ((await dropped()) === 0 && sent < 20_000) {
    await Promise.all(
      Array.from({ length: 200 }, (_, n) => emit(gateway, "x", `${conversation.slice(8)}${n}`)),
    );
    sent += 200;
  }
  const id = await emit(gateway, "quick", "quick");
  await until(quick, (frame) => frame.id === id && frame.state === "done");
  slow.socket.resume();
  let counted = 0;
  let got = 0;
  const all = 3 * (sent + 1);
  while (got + counted < all) {
    const frame = await slow.next();
    if (frame.type === "dropped") counted += frame.count ?? 0;
    else if (frame.type === "event") got++;
  }
  expect(counted).toBeGreaterThan(0);
  expect([got + counted, await dropped()]).toEqual([all, counted]);
});
