import { request as httpRequest } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { BODY_BYTES_MAX } from "../../src/domain/bounds.ts";

import { Guesses } from "../../src/ingress/guesses.ts";
import type { Reception, ReceptionOutcome, WebhookSource } from "../../src/ingress/reception.ts";
import { SECURITY_HEADERS } from "../../src/ingress/response.ts";
import { createServers, type ServerDeps } from "../../src/ingress/server.ts";
import type { RawRequest } from "../../src/ports/adapter.ts";
import { PLAIN_WEBHOOK } from "../../src/ports/adapter.ts";
import { Secret } from "../../src/shared/secret.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { adapterOf as slackAdapter } from "../adapters/slack/setup.ts";
import { adapterOf as whatsAppAdapter } from "../adapters/whatsapp/setup.ts";
import { countOf } from "../support/metrics.ts";

const ACCEPTED: Reception = {
  outcome: "accepted",
  ack: { status: 200 },
  eventId: "test:1",
  conversation: "test:c",
  events: 1,
};
/** For whoever is too late in any case. */
const IMPATIENT = { ...PLAIN_WEBHOOK, ackWithinMs: -1 };
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A server whose front half gives `reception` for everything, and what it was given. */
async function open(
  reception: Reception | Error = ACCEPTED,
  {
    receive,
    waitForReply = async () => null,
    ...changes
  }: Partial<ServerDeps & Pick<WebhookSource, "receive" | "waitForReply">> = {},
) {
  const received: RawRequest[] = [];
  const bodies: Buffer[] = [];
  const metrics = createMetrics();
  const note = async (request: RawRequest) => {
    received.push(request);
    bodies.push(Buffer.from(request.body));
    if (reception instanceof Error) throw reception;
    return reception;
  };
  const front = { screen: () => null, receive: receive ?? note };
  const { server } = createServers({
    pages: [],
    sources: [
      { ...front, platform: "slack", webhook: slackAdapter().webhook ?? PLAIN_WEBHOOK },
      { ...front, platform: "whatsapp", webhook: whatsAppAdapter().webhook ?? PLAIN_WEBHOOK },
      { ...front, platform: "test", webhook: IMPATIENT, waitForReply },
    ],
    takesWebhooks: true,
    hosts: { bind: "127.0.0.1", names: ["parley.example", "*.corp.example"], isLocalOnly: true },
    watch: { isApart: false, tokens: [], needsToken: false },
    health: {
      alive: () => ({ status: "healthy", version: "1.2.3", uptime_seconds: 1 }),
      ready: async () => ({ status: "ready", version: "1", timestamp: "", components: {} }),
      webhooks: async () => ({ status: "ready", version: "1", timestamp: "", components: {} }),
      heartbeat: () => ({ status: "alive", last_beat: "", running: 0 }),
    },
    newRequestId: () => "req_new",
    note: () => {},
    guesses: new Guesses({ clock: { nowMs: () => 1_000 }, log: silentLogger(), metrics }),
    isDeveloper: () => false,
    clock: { nowMs: () => 1_000 },
    log: silentLogger(),
    metrics,
    ...changes,
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  stops.push(async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, port, received, bodies, metrics };
}

const post = (url: string, body: string | Buffer = "{}", headers: Record<string, string> = {}) =>
  fetch(url, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });

async function errorOf(response: Response) {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return { status: response.status, ...error };
}

function statusLineOf(port: number, raw: string): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(raw));
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("close", () => resolve(text.split("\r\n", 1)[0] ?? ""));
    socket.on("error", () => resolve(text));
  });
}

describe("the webhook routes", () => {
  it("hand the raw bytes over and give the acknowledgement back", async () => {
    const { url, received, bodies } = await open({
      ...ACCEPTED,
      ack: { status: 200, contentType: "application/json", body: '{"type":5}' },
    });
    const response = await post(`${url}/webhooks/slack?x=1`, "é \u0000 bytes", { "X-Test": "a" });
    expect([response.status, await response.text()]).toEqual([200, '{"type":5}']);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(received[0]).toMatchObject({
      method: "POST",
      target: "/webhooks/slack?x=1",
      receivedAtMs: 1_000,
      fromLoopback: true,
    });
    expect(bodies).toEqual([Buffer.from("é \u0000 bytes")]);
    // They were lent.
    expect(received[0]?.body).toHaveLength(0);
    expect([received[0]?.header("x-test"), received[0]?.header("x-none")]).toEqual(["a", undefined]);
  });

  it("serve Slack's aliases, the singular alias, and WhatsApp's GET", async () => {
    const { url } = await open();
    for (const path of [
      "/webhooks/slack/commands",
      "/webhooks/slack/interactions",
      "/webhook/slack",
      "/webhook/whatsapp",
    ]) {
      expect((await post(url + path)).status).toBe(200);
    }
    expect((await fetch(`${url}/webhooks/whatsapp?hub.mode=subscribe`)).status).toBe(200);
  });

  it("are found by the bytes of their path alone", async () => {
    const { port, received } = await open({ ...ACCEPTED, ack: { status: 202 } });
    const statusOf = (target: string) =>
      statusLineOf(
        port,
        `POST ${target} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}`,
      );
    for (const target of ["/webhooks/slack?", "/webhooks/slack?a=/../%2e%2e//%00"])
      expect([target, await statusOf(target)]).toEqual([target, "HTTP/1.1 202 Accepted"]);
    for (const target of [
      "http://elsewhere/webhooks/slack",
      "//webhooks/slack",
      "/webhooks//slack",
      "/webhooks/./slack",
      "/x/../webhooks/slack",
      "/webhooks/%73lack",
      "/webhooks%2fslack",
      "/webhooks\\slack",
      "/webhooks/slack%00",
    ])
      expect([target, await statusOf(target)]).toEqual([target, "HTTP/1.1 400 Bad Request"]);
    expect(received).toHaveLength(2);
  });

  it.each([
    ...["for", "host", "proto", "port", "server", "prefix", "ssl", "client-cert"].map(
      (what) => `x-forwarded-${what}`,
    ),
    ...["forwarded", "via", "x-real-ip", "x-client-ip", "true-client-ip", "x-original-forwarded-for"],
    ...["cf-connecting-ip", "cdn-loop", "x-envoy-external-address", "x-amzn-trace-id", "fly-client-ip"],
  ])("do not take a request that was passed on for a local one: %s", async (name) => {
    const { url, received } = await open();
    await post(`${url}/webhooks/test`, "{}", { [name]: "203.0.113.9" });
    await post(`${url}/webhooks/test`, "{}", { "x-forward": "no proxy says this" });
    expect(received.map(({ fromLoopback }) => fromLoopback)).toEqual([false, true]);
  });

  it("take HTTP/1.0, as nginx speaks to those behind it, for a request that was passed on", async () => {
    const { port, received } = await open();
    const raw = "POST /webhooks/test HTTP/1.0\r\nhost: 127.0.0.1\r\ncontent-length: 2\r\n\r\n{}";
    expect(await statusLineOf(port, raw)).toBe("HTTP/1.1 200 OK");
    expect(received[0]?.fromLoopback).toBe(false);
  });

  it.each<[Partial<Reception>, number, string]>([
    [{ outcome: "forged" }, 401, "unauthorized"],
    [{ outcome: "stale" }, 401, "unauthorized"],
    [{ outcome: "handshake-refused" }, 403, "forbidden"],
    [{ outcome: "malformed", reason: "Expected a JSON object, got null" }, 400, "malformed"],
    [{ outcome: "unsupported", reason: "Expected application/json" }, 415, "unsupported_media_type"],
    [{ outcome: "unavailable" }, 503, "unavailable"],
  ])("answer %o with its status", async (change, status, code) => {
    const { url } = await open({ ...ACCEPTED, ...change });
    const response = await post(`${url}/webhooks/slack`);
    expect(response.headers.get("retry-after")).toBe(status === 503 ? "5" : null);
    const error = await errorOf(response);
    expect(error).toMatchObject({ status, code });
    if (change.reason) expect(error.message).toBe(change.reason);
  });

  it.each<[ReceptionOutcome, number]>([
    ["accepted", 1],
    ["handshake", 1],
    ["unavailable", 0],
    ["forged", 0],
  ])("count what is %s after its platform gave up as late: %i", async (outcome, count) => {
    const { url, metrics } = await open({ ...ACCEPTED, outcome });
    for (const platform of ["test", "slack", "whatsapp"]) await post(`${url}/webhooks/${platform}`);
    const late = (platform: string) => countOf(metrics, "acksLate", { platform });
    expect([await late("test"), await late("slack"), await late("whatsapp")]).toEqual([count, 0, 0]);
  });

  it("give no detail about a bad signature", async () => {
    const forged = await open({ ...ACCEPTED, outcome: "forged", reason: "secret detail" });
    const stale = await open({ ...ACCEPTED, outcome: "stale", reason: "secret detail" });
    const answers = await Promise.all(
      [forged, stale].map(async ({ url }) => (await post(`${url}/webhooks/slack`)).text()),
    );
    expect(answers[0]).toBe(answers[1]);
    expect(answers[0]).not.toContain("detail");
  });

  it("log why a webhook was turned away and who sent it, with what the answer does not tell", async () => {
    const lines: string[] = [];
    const log = pino({ level: "info" }, { write: (line: string) => void lines.push(line) });
    const { url } = await open({ ...ACCEPTED, outcome: "stale", reason: "X is old" }, { log });
    expect(await (await post(`${url}/webhooks/slack`)).text()).not.toContain("old");
    const accepting = await open(ACCEPTED, { log });
    await post(`${accepting.url}/webhooks/slack`);
    const [stale, accepted] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(stale).toMatchObject({ level: 40, outcome: "stale", reason: "X is old", peer: "127.0.0.1" });
    expect(accepted).not.toHaveProperty("peer");
  });

  it("answer 500 when the front half stumbles before it promises anything, and go on", async () => {
    let isIll = true;
    const receive = (): Promise<Reception> => {
      if (isIll) throw new Error("stumbled");
      return Promise.resolve(ACCEPTED);
    };
    const { url } = await open(ACCEPTED, { receive });
    for (const body of ["{}", Buffer.alloc(100_000, "x")])
      expect((await post(`${url}/webhooks/slack`, body)).status).toBe(500);
    isIll = false;
    expect((await post(`${url}/webhooks/slack`)).status).toBe(200);
  });

  it("answer 503 when the front half breaks down or never ends, not 500 and not never", {
    timeout: 10_000,
  }, async () => {
    const { url } = await open(ACCEPTED, { receive: () => new Promise(() => {}) });
    const response = await post(`${url}/webhooks/slack`);
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
  });
});

describe("bodies", () => {
  it("far over the limit are refused by their declared length alone", async () => {
    const { port, received } = await open();
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.write("POST /webhooks/slack HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n");
      });
      socket.on("data", (chunk) => resolve(String(chunk).split("\r\n", 1)[0] ?? ""));
      socket.on("error", reject);
    });
    expect([answer, received.length]).toEqual(["HTTP/1.1 413 Payload Too Large", 0]);
  });

  it("over the limit reach nobody, and their sender gets the answer", async () => {
    const { url, bodies } = await open();
    const big = Buffer.alloc(BODY_BYTES_MAX + 1, "x");
    expect(await errorOf(await post(`${url}/webhooks/whatsapp`, big))).toMatchObject({
      status: 413,
      code: "too_large",
    });
    expect((await post(`${url}/webhooks/slack`, big)).status).toBe(200);
    expect(bodies).toEqual([big]);
  });

  it.each([
    ["/webhooks/whatsapp", "413 Payload Too Large"],
    ["/webhooks//slack", "400 Bad Request"],
    ["/nothing", "404 Not Found"],
  ])(
    "refused unread at %s are read before a connection is closed whose sender wants it closed",
    async (path, status) => {
      const { port } = await open();
      const body = Buffer.alloc(8 * BODY_BYTES_MAX, "x");
      const head = `POST ${path} HTTP/1.0\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
      const answer = await new Promise<string>((resolve, reject) => {
        let text = "";
        const socket = connect(port, "127.0.0.1");
        // Like a proxy that looks at the answer only when it has sent everything.
        socket.pause();
        socket.write(head);
        socket.write(body, () => socket.resume());
        socket.on("data", (chunk) => {
          text += chunk;
        });
        socket.on("close", () => resolve(text.split("\r\n", 1)[0] ?? ""));
        socket.on("error", reject);
      });
      expect(answer).toBe(`HTTP/1.1 ${status}`);
    },
  );

  it("over the limit are refused while they stream in, without a declared length", async () => {
    const { port, received } = await open();
    const status = await new Promise<number>((resolve, reject) => {
      const outgoing = httpRequest(
        { port, host: "127.0.0.1", method: "POST", path: "/webhooks/whatsapp" },
        (response) => resolve(response.statusCode ?? 0),
      );
      outgoing.on("error", reject);
      outgoing.write(Buffer.alloc(BODY_BYTES_MAX));
      outgoing.write(Buffer.alloc(BODY_BYTES_MAX));
      outgoing.end();
    });
    expect([status, received.length]).toEqual([413, 0]);
  });

  it("of many senders at once are not mixed up, whatever their size", async () => {
    const { url, bodies } = await open();
    const sent = Array.from({ length: 40 }, (_, i) =>
      Buffer.alloc([17, 20_000, 300_000][i % 3] ?? 0, `${i}.`),
    );
    await Promise.all(sent.map((body) => post(`${url}/webhooks/slack`, body)));
    expect(new Set(bodies.map(String))).toEqual(new Set(sent.map(String)));
  });

  it("that break off disturb nobody", async () => {
    const { port, url, received } = await open();
    await new Promise<void>((done) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.write("POST /webhooks/slack HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf", () =>
          socket.destroy(),
        );
      });
      socket.on("close", () => done());
    });
    expect((await post(`${url}/webhooks/slack`)).status).toBe(200);
    expect(received).toHaveLength(1);
  });

  it("may be empty", async () => {
    const { url, bodies } = await open();
    await post(`${url}/webhooks/slack`, "");
    expect(bodies).toEqual([Buffer.alloc(0)]);
  });
});

describe("every response", () => {
  it("carries the security headers and the caller's request id, or a new one", async () => {
    const { url } = await open();
    const given = await post(`${url}/webhooks/slack`, "{}", { "x-request-id": "abc-1.2:3_x" });
    expect(given.headers.get("x-request-id")).toBe("abc-1.2:3_x");
    const webhook = await post(`${url}/webhooks/slack`);
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
      expect([name, webhook.headers.get(name)]).toEqual([name, value]);
    }
    expect([webhook.headers.get("x-request-id"), webhook.headers.get("content-length")]).toEqual([
      "req_new",
      "0",
    ]);
    for (const path of [
      "/health",
      "/ready",
      "/health/ready",
      "/internal/worker/heartbeat",
      "/metrics",
      "/nowhere",
    ]) {
      const response = await fetch(url + path, { headers: { "x-request-id": "no spaces allowed" } });
      expect([path, response.headers.get("x-request-id")]).toEqual([path, "req_new"]);
      expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      expect(response.headers.get("x-frame-options")).toBe("DENY");
    }
  });

  it("to an unknown path or another method is 404, and says which methods the path takes", async () => {
    const { url } = await open();
    expect(await errorOf(await post(`${url}/webhooks/discord`))).toMatchObject({
      status: 404,
      code: "not_found",
    });
    const wrong = await fetch(`${url}/webhooks/slack`, { method: "DELETE" });
    expect(wrong.headers.get("allow")).toBe("POST");
    expect((await errorOf(wrong)).message).toContain("POST");
    expect((await fetch(`${url}/webhooks/slack`)).status).toBe(404);
  });

  it("of a worker to a webhook is 404, and says where webhooks go", async () => {
    const { url, received } = await open(ACCEPTED, { takesWebhooks: false });
    for (const path of ["webhooks/slack", "webhook/test", "webhooks/telegram"])
      expect(await errorOf(await post(`${url}/${path}`))).toEqual({
        status: 404,
        code: "not_found",
        message: "This replica is a worker; webhooks go to those whose role is ingress or all",
      });
    expect(await errorOf(await post(`${url}/other`))).toMatchObject({
      message: expect.stringMatching(/^No such route/),
    });
    for (const path of ["health", "ready", "metrics", "internal/worker/heartbeat"])
      expect((await fetch(`${url}/${path}`)).status).toBe(200);
    expect(received).toEqual([]);
  });

  it.each([
    ["alive", 200],
    ["stalled", 503],
    ["off", 200],
  ] as const)("tells of a claim loop that is %s by %d", async (status, code) => {
    const health = {
      alive: () => ({ status: "healthy" as const, version: "1", uptime_seconds: 0 }),
      ready: async () => ({ status: "ready" as const, version: "1", timestamp: "", components: {} }),
      webhooks: async () => ({ status: "ready" as const, version: "1", timestamp: "", components: {} }),
      heartbeat: () => ({ status, last_beat: null, running: 0 }),
    };
    const { url } = await open(ACCEPTED, { health });
    const response = await fetch(`${url}/internal/worker/heartbeat`);
    expect([response.status, await response.json()]).toEqual([code, { status, last_beat: null, running: 0 }]);
  });

  it("answers what a load balancer asks that nobody told what to ask, whoever it takes us for", async () => {
    const { url, port } = await open();
    expect(await statusLineOf(port, "OPTIONS / HTTP/1.0\r\n\r\n")).toMatch(/^HTTP\/1\.1 200/);
    const named = "OPTIONS / HTTP/1.1\r\nhost: lb.example\r\nconnection: close\r\n\r\n";
    expect(await statusLineOf(port, named)).toMatch(/^HTTP\/1\.1 200/);
    expect((await fetch(url)).status).toBe(404);
  });

  it("survives odd requests without a 500", async () => {
    const { port } = await open();
    const close = "connection: close\r\n";
    const odd = [
      "GARBAGE\r\n\r\n",
      `GET /%zz HTTP/1.1\r\nhost: x\r\n${close}\r\n`,
      `GET /../../etc/passwd HTTP/1.1\r\nhost: x\r\n${close}\r\n`,
      `POST /webhooks/slack HTTP/1.1\r\nhost: bad host\r\n${close}content-length: 0\r\n\r\n`,
      `GET //health HTTP/1.1\r\nhost: x\r\n${close}\r\n`,
      `OPTIONS * HTTP/1.1\r\nhost: x\r\n${close}\r\n`,
      `GET /health HTTP/1.0\r\n\r\n`,
      `HEAD /webhooks/whatsapp?hub.mode=%ff HTTP/1.1\r\nhost: x\r\n${close}\r\n`,
      `POST /webhooks/test?wait=%ff&wait HTTP/1.1\r\nhost: [::1\r\n${close}content-length: 0\r\n\r\n`,
      `POST /webhooks/test?a#b HTTP/1.1\r\nhost: x\r\n${close}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
      `GET http://elsewhere/health HTTP/1.1\r\nhost: x\r\n${close}\r\n`,
      `POST /webhooks/slack HTTP/1.1\r\nhost: x\r\n${close}content-length: -5\r\n\r\n`,
      `TRACE /health HTTP/1.1\r\nhost: x\r\n${close}\r\n`,
      `GET /health HTTP/1.1\r\nhost: x\r\nx-big: ${"a".repeat(20_000)}\r\n${close}\r\n`,
    ];
    for (const raw of odd) expect(await statusLineOf(port, raw)).toMatch(/^HTTP\/1\.1 (2|4)\d\d/);
  });
});

describe("a Host", () => {
  const statusOf = (port: number, target: string, hosts: readonly string[], version = "1.1") => {
    const lines = hosts.map((host) => `host: ${host}\r\n`).join("");
    return statusLineOf(port, `GET ${target} HTTP/${version}\r\n${lines}connection: close\r\n\r\n`);
  };
  const GUARDED = [
    "/ready",
    "/health/ready",
    "/metrics",
    "/internal/worker/heartbeat",
    "/api/v1/events",
    "/",
  ];

  it.each(["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "parley.example.evil", "a b"])(
    "of another, %s, gets nothing but the probe of liveness",
    async (host) => {
      const { port } = await open();
      for (const target of GUARDED)
        expect([target, await statusOf(port, target, [host])]).toEqual([
          target,
          expect.stringMatching(/^HTTP\/1\.1 40[03]/),
        ]);
      if (host.includes(" ")) return;
      expect(await statusOf(port, "/health", [host])).toBe("HTTP/1.1 200 OK");
    },
  );

  it.each([
    "localhost:8080",
    "LOCALHOST",
    "127.0.0.1:1",
    "[::1]:8080",
    "10.1.2.3:8080",
    "parley.example",
    "a.corp.example.",
  ])("of ours, %s, is answered", async (host) => {
    const { port } = await open();
    expect(await statusOf(port, "/ready", [host])).toBe("HTTP/1.1 200 OK");
  });

  it("is not asked of HTTP/1.0, as load balancers speak it", async () => {
    const { port } = await open();
    for (const target of ["/health", "/ready"])
      expect([target, await statusOf(port, target, [], "1.0")]).toEqual([target, "HTTP/1.1 200 OK"]);
  });

  it("may be no two, whatever is asked for", async () => {
    const { port, received } = await open();
    for (const target of [...GUARDED, "/health"])
      expect(await statusOf(port, target, ["localhost", "localhost"])).toBe("HTTP/1.1 400 Bad Request");
    const twice = "host: x\r\nHost: y\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}";
    expect(await statusLineOf(port, `POST /webhooks/slack HTTP/1.1\r\n${twice}`)).toBe(
      "HTTP/1.1 400 Bad Request",
    );
    expect(received).toEqual([]);
  });
});

describe("what is for operators alone", () => {
  const PATHS = ["/metrics", "/internal/worker/heartbeat"];
  const token = new Secret("metrics-token-of-at-least-32-characters");
  const seen = async (url: string, headers: Record<string, string> = {}) =>
    await Promise.all(PATHS.map(async (path) => (await fetch(url + path, { headers })).status));

  it("is shown to this machine, and not through a proxy", async () => {
    const { url } = await open();
    expect(await seen(url)).toEqual([200, 200]);
    for (const name of ["x-forwarded-for", "forwarded", "via", "x-real-ip"])
      expect([name, await seen(url, { [name]: "10.0.0.1" })]).toEqual([name, [403, 403]]);
    const refused = await fetch(`${url}/metrics`, { headers: { "x-forwarded-for": "10.0.0.1" } });
    expect(await errorOf(refused)).toMatchObject({
      code: "forbidden",
      message: expect.stringContaining("PARLEY_METRICS_PORT"),
    });
  });

  it("is shown through a proxy to whoever has a token", async () => {
    const { url } = await open(ACCEPTED, { watch: { isApart: false, tokens: [token], needsToken: false } });
    const proxied = { "x-forwarded-for": "203.0.113.9" };
    expect(await seen(url, { ...proxied, authorization: `Bearer ${token.reveal()}` })).toEqual([200, 200]);
    expect(await seen(url, { ...proxied, authorization: `Bearer ${token.reveal()}x` })).toEqual([403, 403]);
    expect(await seen(url)).toEqual([200, 200]);
  });

  it("is shown to nobody without the token where there is one for it", async () => {
    const { url } = await open(ACCEPTED, { watch: { isApart: false, tokens: [token], needsToken: true } });
    expect(await seen(url)).toEqual([401, 401]);
    expect(await seen(url, { authorization: `bearer ${token.reveal()}` })).toEqual([200, 200]);
  });

  it("is not where everything else is when it has a port of its own", async () => {
    const { url } = await open(ACCEPTED, { watch: { isApart: true, tokens: [], needsToken: false } });
    expect(await seen(url)).toEqual([404, 404]);
  });
});

describe("the console", () => {
  const page = { status: 200, headers: { "content-security-policy": "its own" }, body: "<!doctype html>" };
  const ask = async (isForAll: boolean, headers: Record<string, string> = {}) => {
    const { url } = await open(ACCEPTED, { console: { isForAll, answer: async () => page } });
    return await fetch(`${url}/`, { headers });
  };

  it("is shown to this machine with a policy of its own, and not through a proxy", async () => {
    const shown = await ask(false);
    expect(shown.status).toBe(200);
    expect(shown.headers.get("content-security-policy")).toBe("its own");
    expect(shown.headers.get("x-frame-options")).toBe("DENY");
    expect(await shown.text()).toBe(page.body);
    for (const name of ["x-forwarded-for", "forwarded", "via", "x-real-ip"]) {
      const refused = await ask(false, { [name]: "10.0.0.1" });
      expect([name, refused.status]).toEqual([name, 403]);
      expect(await errorOf(refused)).toMatchObject({ message: expect.stringContaining("PARLEY_CONSOLE=on") });
    }
  });

  it("is shown through a proxy where that was asked for, under a name of ours alone", async () => {
    expect((await ask(true, { "x-forwarded-for": "203.0.113.9" })).status).toBe(200);
    const { url } = await open(ACCEPTED, { console: { isForAll: true, answer: async () => page } });
    expect(await statusFor(url, "rebound.example")).toBe(403);
    expect(await statusFor(url, "parley.example")).toBe(200);
  });

  it("is not there where it is off", async () => {
    const { url } = await open();
    expect((await fetch(`${url}/`)).status).toBe(404);
    expect((await fetch(`${url}/`, { method: "OPTIONS" })).status).toBe(200);
  });

  /** fetch sets the Host itself. */
  function statusFor(url: string, host: string): Promise<number | undefined> {
    return new Promise((done, failed) => {
      const asked = httpRequest(url, { headers: { host } }, (response) => {
        response.resume();
        done(response.statusCode);
      });
      asked.on("error", failed).end();
    });
  }
});

describe("the test webhook", () => {
  it("without its key is told which header it takes, which a platform is not", async () => {
    const { url } = await open({ ...ACCEPTED, outcome: "forged", reason: "missing X-Dev-Key" });
    const [test, slack] = await Promise.all(
      ["test", "slack"].map(async (platform) => errorOf(await post(`${url}/webhooks/${platform}`))),
    );
    expect(test).toMatchObject({ status: 401, message: expect.stringContaining("X-Dev-Key") });
    expect(slack).toMatchObject({ status: 401, message: "Signature missing or not valid" });
  });

  it("gives the id, and with ?wait the reply", async () => {
    const { url } = await open(ACCEPTED, { waitForReply: async (id) => `reply to ${id}` });
    expect(await (await post(`${url}/webhooks/test`)).json()).toEqual({ status: "accepted", id: "test:1" });
    expect(await (await post(`${url}/webhooks/test?wait=5`)).json()).toEqual({
      status: "accepted",
      id: "test:1",
      reply: "reply to test:1",
    });
  });

  it("is told of an error of ours, and of nothing in it", async () => {
    const lines: string[] = [];
    const log = pino({ level: "error" }, { write: (line: string) => void lines.push(line) });
    const waitForReply = async () => {
      throw new Error("secret detail");
    };
    const { url, metrics } = await open(ACCEPTED, { log, waitForReply });
    const error = await errorOf(await post(`${url}/webhooks/test?wait=1`, "{}", { "x-request-id": "r1" }));
    expect(error).toEqual({
      status: 500,
      code: "internal",
      message: "Something broke here; it has been logged",
    });
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ request_id: "r1", msg: "http.failed" }]);
    expect(await metrics.scrape()).toContain('route="/webhooks/test",status="500"} 1');
  });

  it("gives what it has when no reply came in time", async () => {
    const { url } = await open(ACCEPTED, {
      waitForReply: (_id, signal) =>
        new Promise((resolve) => signal.addEventListener("abort", () => resolve(null))),
    });
    expect(await (await post(`${url}/webhooks/test?wait=0.01`)).json()).toEqual({
      status: "accepted",
      id: "test:1",
    });
  });

  it.each(["0.0005", "1e-9", "1.0005", "Infinity", "1e400", "-1", "x", "", "%zz"])(
    "takes any ?wait=%s",
    async (wait) => {
      const { url } = await open(ACCEPTED, { waitForReply: async () => "hello" });
      expect((await post(`${url}/webhooks/test?wait=${wait}`)).status).toBe(200);
    },
  );

  it("tells a developer over a limit when to try again", async () => {
    const refusal = {
      cause: "rate_limited",
      detail: "user",
      noticeWindowMs: 60_000,
      retryAfterMs: 2_100,
    } as const;
    const { url } = await open({ ...ACCEPTED, outcome: "refused", refusal });
    const response = await post(`${url}/webhooks/test`);
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "3"]);
  });
});

describe("metrics", () => {
  it("count requests by route and never by path", async () => {
    const { url, metrics } = await open();
    await post(`${url}/webhooks/slack`);
    await fetch(`${url}/made/up/${"x".repeat(50)}`);
    const text = await metrics.scrape();
    expect(text).toContain(
      'parley_http_requests_total{method="POST",route="/webhooks/slack",status="200"} 1',
    );
    expect(text).toContain('parley_http_requests_total{method="GET",route="other",status="404"} 1');
    expect(text).toContain('parley_webhooks_total{platform="slack",outcome="accepted"} 1');
    expect(text).not.toContain("made/up");
  });
});

describe("whoever guesses a token", () => {
  const TOKEN = new Secret("a-metrics-token-of-at-least-32-chars");

  it.each([
    ["on the main port, with a token", true, 401],
    ["on the main port, from outside", false, 403],
  ])("of the metrics is told to wait %s, and the right one is taken", async (_, needsToken, refused) => {
    const { url, metrics } = await open(ACCEPTED, {
      watch: { isApart: false, tokens: [TOKEN], needsToken },
    });
    const ask = (token: string) =>
      fetch(`${url}/metrics`, {
        headers: { authorization: `Bearer ${token}`, "x-forwarded-for": "192.0.2.1" },
      });
    for (let i = 0; i < 10; i++) expect((await ask("wrong")).status).toBe(refused);
    const slowed = await ask("wrong");
    expect([slowed.status, slowed.headers.get("retry-after")]).toEqual([429, "6"]);
    expect((await ask(TOKEN.reveal())).status).toBe(200);
    expect(await countOf(metrics, "authFailures", { surface: "metrics", answer: "slowed" })).toBe(1);
  });

  it("of the developer is told to wait, also at a platform's webhook, unless that is signed", async () => {
    const forged: Reception = { outcome: "forged", ack: { status: 401 }, events: 0 };
    const { url } = await open(forged, { isDeveloper: (key) => key === "right" });
    const guess = (path: string) => post(`${url}/webhooks/${path}`, "{}", { "x-dev-key": "wrong" });
    for (let i = 0; i < 5; i++) {
      expect((await guess("test")).status).toBe(401);
      expect((await guess("slack")).status).toBe(401);
    }
    const slowed = await guess("test");
    expect([slowed.status, slowed.headers.get("retry-after")]).toEqual([429, "6"]);
    expect((await guess("slack")).status).toBe(429);
    expect((await post(`${url}/webhooks/slack`)).status).toBe(401);

    const genuine = await open(ACCEPTED, { isDeveloper: () => false });
    for (let i = 0; i < 12; i++) {
      const key = { "x-dev-key": "wrong" };
      expect((await post(`${genuine.url}/webhooks/slack`, "{}", key)).status).toBe(200);
    }
  });
});

it("metrics and the admin API are squeezed for whoever asks for it, webhooks are not", async () => {
  const long = Response.json({ text: "said twice ".repeat(200) });
  const { url } = await open(ACCEPTED, {
    admin: { routeOf: () => "/api/v1/long", fetch: () => long.clone() },
  });
  for (const path of ["/metrics", "/api/v1/long"]) {
    const plain = await fetch(url + path, { headers: { "accept-encoding": "identity" } });
    expect(plain.headers.get("content-encoding")).toBeNull();
    const squeezed = await fetch(url + path, { headers: { "accept-encoding": "gzip" } });
    expect(squeezed.headers.get("content-encoding")).toBe("gzip");
    expect(squeezed.headers.get("x-content-type-options")).toBe(path === "/metrics" ? "nosniff" : null);
    // fetch has opened it again.
    expect((await squeezed.text()).length).toBeGreaterThan(1_000);
    await plain.text();
  }
  const webhook = await fetch(`${url}/webhooks/test`, {
    ...{ method: "POST", body: "{}" },
    headers: { "content-type": "application/json", "accept-encoding": "gzip" },
  });
  expect(webhook.headers.get("content-encoding")).toBeNull();
});
