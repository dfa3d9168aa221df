import { execFile } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { type ProxyProcess, startHaproxy, startNginx } from "../support/proxies.ts";
import { COMPILED_ENV, type GatewayProcess, ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";

const run = promisify(execFile);

/** One request as it is, whatever a client library thinks of its headers. */
async function send(
  url: string,
  { path = "/webhooks/test?wait=10", method = "POST", headers = {} }: Sent = {},
): Promise<{ status: number; body: string }> {
  return await new Promise((resolve, reject) => {
    const { port } = new URL(url);
    const all = { "content-type": "application/json", ...headers };
    const outgoing = request(
      { host: "127.0.0.1", port, path, method, headers: all, agent: false },
      (incoming) => {
        text(incoming).then((body) => resolve({ status: incoming.statusCode ?? 0, body }), reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(method === "POST" ? '{"message":"from outside","user":"boss"}' : undefined);
  });
}

interface Sent {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Every way of passing requests on that people set up, with what comes from outside. */
const PROXIES: readonly [string, (to: string) => Promise<ProxyProcess>, Record<string, string>][] = [
  ["nginx with proxy_pass alone", (to) => startNginx(`proxy_pass ${to};`), {}],
  ["nginx with HTTP/1.1", (to) => startNginx(`proxy_pass ${to}; proxy_http_version 1.1;`), {}],
  ["HAProxy alone", (to) => startHaproxy(to), { host: "localhost" }],
  ["HAProxy with forwardfor", (to) => startHaproxy(to, "option forwardfor"), { host: "localhost" }],
];

/** The first secret that a person sets up: already now there is something to lose. */
const CREDENTIALS: readonly [string, Record<string, string>][] = [
  ["a model's key", { ANTHROPIC_API_KEY: "sk-ant-nobody-calls-with-this" }],
  [
    "a platform that is on",
    { TELEGRAM_BOT_TOKEN: "77:a", TELEGRAM_WEBHOOK_SECRET: "telegram-webhook-secret" },
  ],
  ["a platform's first secret", { WHATSAPP_APP_SECRET: "whatsapp-app-secret-0001" }],
  ["a public address", { PARLEY_PUBLIC_URL: "https://parley.example" }],
  ["production", { NODE_ENV: "production" }],
];

async function start(
  env: Readonly<Record<string, string>> = {},
): Promise<GatewayProcess & { dataDir: string }> {
  const dataDir = temporaryFolder();
  return Object.assign(await startGateway({ dataDir, env }), { dataDir });
}

describe("the test webhook behind a proxy", () => {
  it.each(CREDENTIALS)("is shut to the outside with %s, and says which header it takes", async (_, env) => {
    await using gateway = await start(env);
    const key = readFileSync(join(gateway.dataDir, "dev-key"), "utf8").trim();
    for (const [name, proxyTo, headers] of PROXIES) {
      await using proxy = await proxyTo(gateway.url);
      const refused = { status: 401, body: expect.stringContaining("X-Dev-Key") };
      expect([name, await send(proxy.url, { headers })]).toEqual([name, refused]);
      const wrong = { ...headers, "x-dev-key": `${key}x` };
      expect([name, await send(proxy.url, { headers: wrong })]).toEqual([name, refused]);
      const right = { ...headers, "x-dev-key": key };
      expect([name, (await send(proxy.url, { path: "/webhooks/test", headers: right })).status]).toEqual([
        name,
        200,
      ]);
    }
    // From this machine itself neither: the two cannot be told apart.
    expect(await send(gateway.url)).toMatchObject({ status: 401 });
  });
});

describe("the key made at the start", () => {
  it("is in the banner's line, is what parley send finds, and lies where only its owner reads", async () => {
    await using gateway = await start({ WHATSAPP_APP_SECRET: "whatsapp-app-secret-0001" });
    await gateway.said('-d \'{"message":"hello"}\'');
    const line = /^ *(curl .*)$/m.exec(gateway.stderr())?.[1] ?? "";
    expect(line).toContain("x-dev-key: ");
    expect(JSON.parse((await run("bash", ["-c", line])).stdout)).toMatchObject({ status: "accepted" });
    expect(statSync(join(gateway.dataDir, "dev-key")).mode & 0o777).toBe(0o600);

    const args = [join(ROOT, "bin/parley.js"), "send", "test", "--wait", "10", "--url", gateway.url];
    const env = { ...COMPILED_ENV, PARLEY_DATA_DIR: gateway.dataDir };
    const sent = await run(process.execPath, args, { cwd: gateway.dataDir, env });
    expect(sent.stdout).toContain("You said: Hello, Parley");
    // Nothing of it in the log.
    const key = readFileSync(join(gateway.dataDir, "dev-key"), "utf8").trim();
    expect(gateway.stdout()).not.toContain(key);
  });

  it("is another at the next start, and in production is not printed, but its line works", async () => {
    await using gateway = await start({ NODE_ENV: "production" });
    await gateway.said('-d \'{"message":"hello"}\'');
    const first = readFileSync(join(gateway.dataDir, "dev-key"), "utf8").trim();
    expect(gateway.stderr()).not.toContain(first);
    const line = /^ *(curl .*)$/m.exec(gateway.stderr())?.[1] ?? "";
    expect(JSON.parse((await run("bash", ["-c", line])).stdout)).toMatchObject({ status: "accepted" });
    await gateway.end("SIGTERM");
    await using again = await startGateway({ dataDir: gateway.dataDir, env: { NODE_ENV: "production" } });
    const second = readFileSync(join(gateway.dataDir, "dev-key"), "utf8").trim();
    expect(second).not.toBe(first);
    expect((await send(again.url, { headers: { "x-dev-key": first } })).status).toBe(401);
  });

  it("is needed by whatever shows that it was passed on, even where the webhook is open", async () => {
    await using gateway = await start();
    expect((await send(gateway.url)).status).toBe(200);
    await using bare = await startNginx(`proxy_pass ${gateway.url};`);
    await using haproxy = await startHaproxy(gateway.url, "option forwardfor");
    const shown: [string, Record<string, string>][] = [
      [bare.url, {}],
      [haproxy.url, { host: "localhost" }],
      [gateway.url, { host: "parley.example" }],
      [gateway.url, { origin: "https://parley.example" }],
      ...[
        "x-forwarded-for",
        "x-forwarded-proto",
        "x-forwarded-port",
        "forwarded",
        "via",
        "x-real-ip",
        "cf-ray",
      ].map((name): [string, Record<string, string>] => [gateway.url, { [name]: "203.0.113.9" }]),
    ];
    for (const [url, headers] of shown)
      expect([headers, await send(url, { headers })]).toEqual([
        headers,
        { status: 401, body: expect.stringContaining("X-Dev-Key") },
      ]);
  });
});

describe("what a proxy keeps back", () => {
  /** Ways to write a path that something might resolve to one that was kept back. */
  const TARGETS = ["/metrics", "/api/v1/events", "/ready", "/internal/worker/heartbeat"].flatMap((path) => [
    `/webhooks/..${path}`,
    `/webhooks/%2e%2e${path}`,
    `/webhooks/.%2e${path}`,
    `/webhooks/..%2f${path.slice(1)}`,
    `/webhooks%2f..${path}`,
    `/webhooks/slack/../..${path}`,
    `/webhooks/\\..\\..${path}`,
    `/webhooks/%5c..${path}`,
    `/webhooks/./..${path}`,
    `/webhooks//..${path}`,
    `/webhooks/..;${path}`,
    `/webhooks/%00/..${path}`,
    `http://localhost/webhooks/..${path}`,
  ]);

  it("stays kept back behind HAProxy and nginx, however a path is written", async () => {
    const adminToken = "admin-token-of-at-least-32-characters";
    await using gateway = await start({ PARLEY_ADMIN_TOKEN: adminToken });
    await using haproxy = await startHaproxy(gateway.url, "http-request deny unless { path_beg /webhooks }");
    await using nginx = await startNginx(
      `if ($request_uri !~ "webhooks") { return 403; } proxy_pass ${gateway.url};`,
    );
    const headers = { host: "localhost", authorization: `Bearer ${adminToken}` };
    for (const { url } of [haproxy, nginx, gateway]) {
      for (const path of TARGETS) {
        const { status } = await send(url, { path, method: "GET", headers });
        expect([path, status]).toEqual([path, expect.toSatisfy((got: number) => got >= 400 && got < 500)]);
      }
    }
    expect(gateway.stdout()).not.toContain('"http.failed"');
  });

  it("is also what metrics and the heartbeat tell, whatever a proxy lets through", async () => {
    await using gateway = await start();
    const paths = ["/metrics", "/internal/worker/heartbeat"];
    await using forwarding = await startHaproxy(gateway.url, "option forwardfor");
    await using bare = await startNginx(`proxy_pass ${gateway.url};`);
    for (const path of paths) {
      for (const { url } of [forwarding, bare]) {
        const answer = await send(url, { path, method: "GET", headers: { host: "localhost" } });
        expect(answer).toMatchObject({ status: 403, body: expect.stringContaining("PARLEY_METRICS_PORT") });
      }
      expect((await send(gateway.url, { path, method: "GET" })).status).toBe(200);
    }
  });

  it.each<[string, Record<string, string>, number]>([
    ["a token", { PARLEY_METRICS_TOKEN: "metrics-token-of-at-least-32-characters" }, 401],
    ["a port of their own", { PARLEY_METRICS_PORT: "0" }, 404],
  ])(
    "is also what metrics tell behind a proxy that shows itself in nothing, with %s",
    async (_, env, status) => {
      await using gateway = await start({ WHATSAPP_APP_SECRET: "whatsapp-app-secret-0001", ...env });
      for (const [name, proxyTo, headers] of PROXIES) {
        await using proxy = await proxyTo(gateway.url);
        for (const path of ["/metrics", "/internal/worker/heartbeat"]) {
          const answer = await send(proxy.url, { path, method: "GET", headers });
          expect([name, path, answer.status]).toEqual([name, path, status]);
          expect(answer.body).not.toContain("parley_");
        }
        const api = await send(proxy.url, { path: "/api/v1/events", method: "GET", headers });
        expect([name, api.status]).toEqual([name, 404]);
      }
    },
  );

  it("is not noticed of such a proxy without either, which the start says", async () => {
    await using gateway = await start({ WHATSAPP_APP_SECRET: "whatsapp-app-secret-0001" });
    await gateway.said("PARLEY_METRICS_PORT or PARLEY_METRICS_TOKEN shuts them");
    await using proxy = await startNginx(`proxy_pass ${gateway.url}; proxy_http_version 1.1;`);
    // Documented: docs/operations.md, "Metrics".
    expect((await send(proxy.url, { path: "/metrics", method: "GET" })).status).toBe(200);
  });

  it("is a port of its own where there is one for metrics", async () => {
    await using gateway = await start({ PARLEY_METRICS_PORT: "0" });
    await gateway.said("Metrics at ");
    const watch = /Metrics at (http:\S+)\/metrics/.exec(gateway.stderr())?.[1] ?? "";
    for (const path of ["/metrics", "/internal/worker/heartbeat"]) {
      expect((await send(watch, { path, method: "GET" })).status).toBe(200);
      expect((await send(watch, { path, method: "GET", headers: { host: "evil.example" } })).status).toBe(
        403,
      );
      expect((await send(gateway.url, { path, method: "GET" })).status).toBe(404);
    }
    for (const path of ["/health", "/ready", "/webhooks/test", "/metrics/"])
      expect((await send(watch, { path, method: "GET" })).status).toBe(404);
    expect(await gateway.end("SIGTERM")).toBe(0);
  });
});

it("HAProxy's stock check, HTTP/1.0 without a Host, finds the gateway up", async () => {
  await using gateway = await start();
  for (const check of ["option httpchk", "option httpchk GET /health", "option httpchk GET /ready"]) {
    await using haproxy = await startHaproxy(gateway.url, "stats enable\n  stats uri /state", check);
    const { port } = haproxy;
    await eventually(async () => {
      const { body } = await send(`http://127.0.0.1:${port}`, { path: "/state;csv", method: "GET" });
      if (!/^gateway,one,.*,L7OK,/m.test(body)) throw new Error(`Expected ${check} to pass, got ${body}`);
    }, 20_000);
  }
});
