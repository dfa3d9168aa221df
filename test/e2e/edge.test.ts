import { readFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request as plainRequest } from "node:http";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SampleRequest } from "../../adapters/shared/sample.ts";
import { EDGE_CA, EDGE_HOST, type Edge, startEdge } from "../support/edge.ts";
import { openLive } from "../support/live.ts";
import { ROOT } from "./gateway-process.ts";
import { type Setup, startWithPlatforms } from "./gateway-with-platforms.ts";
import { CHAT_PLATFORMS, discordSignature, privateMessage, webhook } from "./platforms.ts";
import { said } from "./records.ts";

const ADMIN_TOKEN = "an-admin-token-of-at-least-32-characters";
const AUTHORIZED = { authorization: `Bearer ${ADMIN_TOKEN}` };
/** More than one address would ever send at once, and fewer than are held back. */
const BURST = 500;

interface Sent {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly agent?: Agent;
}

/** One request over TLS, as it is. */
function open(port: number, { path, method = "GET", headers = {}, body, agent }: Sent) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request(
      {
        host: "127.0.0.1",
        port,
        path,
        method,
        headers: { host: EDGE_HOST, ...headers },
        servername: EDGE_HOST,
        ca: EDGE_CA,
        agent: agent ?? false,
      },
      resolve,
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

async function ask(port: number, sent: Sent) {
  const incoming = await open(port, sent);
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    body: await text(incoming),
  };
}

async function askAll(port: number, count: number, sent: Sent): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 20 });
  const answers = await Promise.all(Array.from({ length: count }, () => ask(port, { ...sent, agent })));
  agent.destroy();
  return answers.map(({ status }) => status);
}

function posted({ method, path, headers, body }: SampleRequest): Sent {
  return { method, path, headers, ...(method === "POST" && { body }) };
}

describe.each(["nginx", "haproxy"] as const)("the edge with %s", (name) => {
  let setup: Setup;
  let edge: Edge;
  beforeAll(async () => {
    setup = await startWithPlatforms({
      PARLEY_ADMIN_TOKEN: ADMIN_TOKEN,
      PARLEY_METRICS_PORT: "0",
      PARLEY_CONSOLE: "on",
      PARLEY_PUBLIC_URL: `https://${EDGE_HOST}`,
    });
    edge = await startEdge(name, setup.gateway.url);
  });
  afterAll(async () => {
    await edge[Symbol.asyncDispose]();
    await setup[Symbol.asyncDispose]();
  });

  it.each(CHAT_PLATFORMS)("lets what %s has signed through, and its answer out", async (platform) => {
    // Bytes that somebody might write another way: an umlaut, an escape, a plus.
    const words = `hällo %3A + ${name}`;
    const sent = privateMessage(platform, { person: 8_000, text: words });
    expect((await ask(edge.ports.tls, posted(sent))).status).toBe(200);
    await said(setup.platforms, platform, words);
  });

  it("lets webhooks of programs through, whichever they are, and nothing below them", async () => {
    const status = async (path: string) =>
      (await ask(edge.ports.tls, { path, method: "POST", headers: {}, body: "{}" })).status;
    // None is configured here, which the gateway says, and not the edge.
    expect(await status("/webhooks/in/none")).toBe(404);
    expect(await status("/webhooks/in/none/more")).toBe(403);
    expect(await status("/webhooks/in/")).toBe(403);
  });

  it("lets the handshakes through, with their query as it was written", async () => {
    const verify =
      "/webhooks/whatsapp?hub.mode=subscribe&hub.challenge=12%3A34&hub.verify_token=whatsapp-verify-token-c86b";
    expect(await ask(edge.ports.tls, { path: verify })).toMatchObject({ status: 200, body: "12:34" });
    const ping = JSON.stringify({ type: 1 });
    const headers = { "content-type": "application/json", ...discordSignature(ping) };
    const pong = await ask(edge.ports.tls, {
      path: "/webhooks/discord",
      method: "POST",
      headers,
      body: ping,
    });
    expect([pong.status, JSON.parse(pong.body)]).toEqual([200, { type: 1 }]);
    expect(pong.headers["strict-transport-security"]).toContain("max-age=");
  });

  it("takes every one of a burst from one address, though a replica is down", async () => {
    const again = posted(webhook("slack", { kind: "dm", channel: "D1", user: "U1", text: "again" }));
    const statuses = await askAll(edge.ports.tls, BURST, again);
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  it("passes a stream on as it comes, to operators", async () => {
    const stream = await open(edge.ports.operators, { path: "/api/v1/stream", headers: AUTHORIZED });
    expect(stream.headers["content-type"]).toContain("text/event-stream");
    const chunks = stream.setEncoding("utf8")[Symbol.asyncIterator]();
    const until = async (wanted: string) => {
      for (let all = ""; !all.includes(wanted); ) {
        const { value, done } = await chunks.next();
        if (done) throw new Error(`Expected ${wanted} in the stream, got ${all}`);
        all += value;
      }
    };
    // It is open before there is anything to tell: a proxy that buffers would keep this back.
    await until(": watching");
    const sent = privateMessage("telegram", { person: 8_001, text: `streamed by ${name}` });
    await ask(edge.ports.tls, posted(sent));
    await until('"state":"done"');
    stream.destroy();
  });

  it("passes live events on over WebSocket, to operators alone", async () => {
    const { operators, tls } = edge.ports;
    const live = async (port: number, headers: Readonly<Record<string, string>>) =>
      await openLive(`https://127.0.0.1:${port}/ws`, {
        headers: { host: EDGE_HOST, ...headers },
        tls: { ca: EDGE_CA, servername: EDGE_HOST },
      });
    const client = await live(operators, AUTHORIZED);
    expect(await client.next()).toMatchObject({ type: "watching" });
    const sent = privateMessage("telegram", { person: 8_002, text: `live through ${name}` });
    await ask(tls, posted(sent));
    let frame = await client.next();
    while (frame.type !== "event" || frame.state !== "done") frame = await client.next();
    expect(frame).toMatchObject({ platform: "telegram", detail: "answered" });
    await expect(live(operators, {})).rejects.toMatchObject({ status: 401 });
    await expect(live(tls, AUTHORIZED)).rejects.toMatchObject({ status: 403 });
    // What wants nothing of the kind goes on as it did.
    expect((await ask(operators, { path: "/ws", headers: AUTHORIZED })).status).toBe(426);
  });

  it("asks operators for the token all the same, and shows them readiness and nothing else", async () => {
    const { operators } = edge.ports;
    expect((await ask(operators, { path: "/api/v1/events" })).status).toBe(401);
    expect((await ask(operators, { path: "/api/v1/events", headers: AUTHORIZED })).status).toBe(200);
    expect((await ask(operators, { path: "/ready" })).status).toBe(200);
    expect((await ask(operators, { path: "/" })).status).toBe(200);
    expect((await ask(operators, { path: "/webhooks/test", method: "POST" })).status).toBe(404);
  });

  it("does not lead from outside to the admin API, with the right token or however the path is written", async () => {
    const { tls } = edge.ports;
    expect((await ask(tls, { path: "/health" })).status).toBe(200);
    const shut = ["/api/v1/events", "/ws", "/metrics", "/ready", "/webhooks/test", "/webhooks/slack/", "/"];
    for (const path of shut)
      expect([path, (await ask(tls, { path, headers: AUTHORIZED })).status]).toEqual([path, 403]);
    for (const start of ["/webhooks/slack/..%2f..", "/webhooks/../", "/webhooks//..", "/%77ebhooks/.."]) {
      const path = `${start}/api/v1/events`;
      const { status } = await ask(tls, { path, headers: AUTHORIZED });
      expect([path, status]).toEqual([path, expect.toSatisfy((got: number) => got === 400 || got === 403)]);
    }
  });

  it("leads plain HTTP to TLS without changing the method", async () => {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const { plain: port } = edge.ports;
      const path = "/webhooks/slack?a=%3A";
      plainRequest({ host: "127.0.0.1", port, path, method: "POST", agent: false }, resolve)
        .on("error", reject)
        .end("{}");
    });
    expect([answer.statusCode, answer.headers.location]).toEqual([
      308,
      `https://${EDGE_HOST}/webhooks/slack?a=%3A`,
    ]);
    answer.resume();
  });

  it.each([
    ["TLS 1.2", true, { servername: EDGE_HOST, maxVersion: "TLSv1.2" }],
    ["TLS 1.1", false, { servername: EDGE_HOST, maxVersion: "TLSv1.1", minVersion: "TLSv1" }],
    ["another name", false, { servername: "other.test" }],
    ["no name", false, {}],
  ] as const)("with %s: hands are shaken: %s", async (_, expected, options) => {
    const made = await new Promise<boolean>((resolve) => {
      const socket = connect({
        host: "127.0.0.1",
        port: edge.ports.tls,
        ca: EDGE_CA,
        // This end would take what is old; it is the edge that must not.
        ciphers: "DEFAULT:@SECLEVEL=0",
        ...options,
        checkServerIdentity: () => undefined,
      });
      socket.once("secureConnect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
    expect(made).toBe(expected);
  });

  it("refuses a body that no platform sends, with 413", async () => {
    const headers = { "content-type": "application/json", "content-length": String(5 * 1024 * 1024) };
    const { status } = await ask(edge.ports.tls, { path: "/webhooks/slack", method: "POST", headers });
    expect(status).toBe(413);
  });

  it("holds back who knocks at what is shut, with 429, and still takes webhooks from there", async () => {
    const statuses = await askAll(edge.ports.tls, 150, { path: "/api/v1/events" });
    expect(new Set(statuses)).toEqual(new Set([403, 429]));
    const sent = privateMessage("slack", { person: 8_002, text: "meanwhile" });
    expect((await ask(edge.ports.tls, posted(sent))).status).toBe(200);
  });
});

describe.each(["nginx", "haproxy"] as const)("the edge with %s that lets people watch", (name) => {
  it("leads to live events as the page says, with the token of a workspace, and to nothing else", async () => {
    await using setup = await startWithPlatforms({
      PARLEY_ADMIN_TOKEN: ADMIN_TOKEN,
      PARLEY_PUBLIC_URL: `https://${EDGE_HOST}`,
    });
    const page = readFileSync(join(ROOT, "docs/live-events.md"), "utf8");
    const sample = new RegExp(`\`\`\`${name}\n(.*?)\`\`\``, "s").exec(page)?.[1] ?? "";
    const place =
      name === "nginx"
        ? { before: "    location = /health {", after: (text: string) => `${sample}\n${text}` }
        : {
            before: "    http-request deny deny_status 403 unless webhook or install or health",
            after: () => sample.replaceAll(/^/gm, "    "),
          };
    await using edge = await startEdge(name, setup.gateway.url, (config) => {
      expect(config).toContain(place.before);
      return config.replace(place.before, place.after(place.before));
    });
    const { tls, operators } = edge.ports;
    const made = await ask(operators, {
      path: "/api/v1/tokens",
      method: "POST",
      headers: { ...AUTHORIZED, "content-type": "application/json" },
      body: JSON.stringify({ tenant: "telegram:77" }),
    });
    const { token } = JSON.parse(made.body) as { token: string };
    const watch = (headers: Readonly<Record<string, string>>) =>
      openLive(`https://127.0.0.1:${tls}/ws`, {
        headers: { host: EDGE_HOST, ...headers },
        tls: { ca: EDGE_CA, servername: EDGE_HOST },
      });
    const client = await watch({ authorization: `Bearer ${token}`, origin: `https://${EDGE_HOST}` });
    expect(await client.next()).toMatchObject({ type: "watching", tenant: "telegram:77" });
    await ask(tls, posted(privateMessage("telegram", { person: 8_003, text: `watched through ${name}` })));
    expect(await client.next()).toMatchObject({ type: "event", platform: "telegram", tenant: "77" });
    await expect(watch({})).rejects.toMatchObject({ status: 401 });
    await expect(
      watch({ authorization: `Bearer ${token}`, origin: "https://evil.example" }),
    ).rejects.toMatchObject({ status: 403 });
    const authorization = `Bearer ${token}`;
    expect((await ask(tls, { path: "/api/v1/events", headers: { authorization } })).status).toBe(403);
  });
});
