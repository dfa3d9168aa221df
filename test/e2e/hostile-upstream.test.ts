import { readdirSync, readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FakeServer, fakeServer } from "../fakes/server.ts";
import { launch } from "../support/child.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { Values, wordsOf } from "../support/resp.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import {
  COMPILED_ENV,
  type GatewayProcess,
  ROOT,
  runToItsEnd,
  startGateway,
  temporaryFolder,
} from "./gateway-process.ts";
import {
  CHAT_PLATFORMS,
  deliver,
  openPlatforms,
  type Platforms,
  SECRETS,
  seenOn,
  webhook,
} from "./platforms.ts";

/** Of a form that passes for a word, a code or an id wherever those are told from texts. */
const KEYS = {
  SLACK_BOT_TOKEN: "xoxb_canary_slack_a1",
  DISCORD_BOT_TOKEN: "canary_discord_a3",
  TELEGRAM_BOT_TOKEN: "77:canary_telegram_a4_and_longer",
  WHATSAPP_ACCESS_TOKEN: "canary_whatsapp_a5",
  ANTHROPIC_API_KEY: "canary_anthropic_a6",
  PARLEY_ADMIN_TOKEN: "canary_admin_token_a7_0123456789abcdef",
};
/** As it is, and in base64 wherever it begins there. */
const CANARY = /canary|Y2FuYXJ5|NhbmFye|jYW5hcn/;

const AGENT = `apiVersion: parley/v1
kind: Agent
metadata: { name: assistant }
spec:
  model: { provider: anthropic, model: claude-sonnet-5 }
  budgets: { tokens: 1000000 }
  retry: { max_attempts: 1 }
`;

/** Says what it knows of us, and more, wherever somebody might look: headers, codes, ids, words. */
async function hostile(status: number): Promise<FakeServer & AsyncDisposable> {
  const server = await fakeServer(({ path, headers }) => {
    const { authorization, "x-api-key": apiKey } = headers;
    const token = /\/bot([^/]+)\//.exec(path)?.[1];
    const key = String(authorization?.replace(/^\w+ /, "") ?? apiKey ?? token ?? KEYS.DISCORD_BOT_TOKEN);
    const all = Object.values(KEYS).join(" ");
    const words = `${key} ${all} ${Buffer.from(`user:${key}`).toString("base64")} ${encodeURIComponent(all)}`;
    const isSlack = path.startsWith("/api/");
    return {
      // Slack's own verdict comes with a 200.
      status: isSlack ? 200 : status,
      headers: Object.fromEntries(
        ["request-id", "x-request-id", "x-slack-req-id", "retry-after", "x-ratelimit-bucket", "server"].map(
          (name) => [name, key],
        ),
      ),
      body: {
        ok: false,
        type: "error",
        request_id: key,
        error_code: status,
        code: key,
        [key]: key,
        description: words,
        message: words,
        errors: { content: { _errors: [{ code: key, message: words }] } },
        error: isSlack
          ? key
          : { type: key, code: key, message: words, error_user_msg: words, fbtrace_id: key },
      },
    };
  });
  return Object.assign(server, { [Symbol.asyncDispose]: () => server.close() });
}

/** Says what it was told, whatever that is. */
async function echoingRedis(word: string) {
  const server = createServer((socket) => {
    const values = new Values();
    socket.on("error", () => {});
    socket.on("data", (piece) => {
      for (const command of values.take(piece)) socket.write(`-${word} '${wordsOf(command).join(" ")}'\r\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

interface Started {
  readonly dataDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly config: string;
  readonly gateway: GatewayProcess;
}

async function start(env: Record<string, string>, agent?: string): Promise<Started> {
  const dataDir = temporaryFolder();
  const config = configFolder(NO_LIMITS, agent);
  const all = { ...platforms.env, ...KEYS, PARLEY_LOG_LEVEL: "debug", ...env };
  return { dataDir, env: all, config, gateway: await startGateway({ dataDir, config, env: all }) };
}

/** What goes by while it is watched. */
async function watch(url: string) {
  const over = new AbortController();
  const headers = { authorization: `Bearer ${KEYS.PARLEY_ADMIN_TOKEN}` };
  const streams = await Promise.all(
    ["/stream", "/refusals/stream"].map((path) =>
      fetch(`${url}/api/v1${path}`, { headers, signal: over.signal }),
    ),
  );
  let seen = "";
  const reading = streams.map(async ({ body }) => {
    for await (const piece of body ?? []) seen += Buffer.from(piece).toString();
  });
  return {
    async end() {
      over.abort();
      await Promise.allSettled(reading);
      return seen;
    },
  };
}

/** Everything that the gateway has said, shows or keeps; it is over after that. */
async function traces({ dataDir, gateway, env, config }: Started, redis?: RedisServer): Promise<string> {
  const headers = { authorization: `Bearer ${KEYS.PARLEY_ADMIN_TOKEN}` };
  const get = async (path: string) => (await fetch(gateway.url + path, { headers })).text();
  const list = await get("/api/v1/events");
  const { events } = JSON.parse(list) as { events: { id: string }[] };
  expect(events.length).toBeGreaterThan(0);
  const pages = await Promise.all([
    ...events.flatMap(({ id }) =>
      ["events", "explain"].map((what) => get(`/api/v1/${what}/${encodeURIComponent(id)}`)),
    ),
    ...["/api/v1/dead", "/api/v1/refusals", "/ready", "/health", "/metrics"].map(get),
  ]);
  const doctor = launch([process.execPath, join(ROOT, "bin/parley.js"), "doctor", "--url", gateway.url], {
    cwd: ROOT,
    env: { ...COMPILED_ENV, PARLEY_DATA_DIR: dataDir, PARLEY_CONFIG: config, ...env },
  });
  await doctor.ended;
  expect(doctor.output.stdout).toContain("configuration");
  await gateway.end("SIGTERM");
  const kept = filesBelow(redis?.folder ?? dataDir);
  expect(kept).toContain(events[0]?.id);
  const said = [gateway.stdout(), gateway.stderr(), doctor.output.stdout, doctor.output.stderr];
  return [list, ...pages, ...said, kept, filesBelow(dataDir)].join("\n");
}

function filesBelow(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), "latin1"))
    .join("\n");
}

let platforms: Platforms;
beforeAll(async () => {
  platforms = await openPlatforms();
});
afterAll(() => platforms[Symbol.asyncDispose]());

describe("an upstream that says all our keys leaves none of them anywhere", () => {
  it.each([
    { status: 400, in: "SQLite" },
    { status: 400, in: "Redis" },
    { status: 401, in: "SQLite" },
    { status: 500, in: "SQLite" },
  ])("platforms with $status, in $in", async ({ status, in: store }) => {
    await using redis = store === "Redis" ? await startRedis() : undefined;
    await using upstream = await hostile(status);
    const started = await start({
      SLACK_API_URL: `${upstream.url}/api/`,
      DISCORD_API_URL: upstream.url,
      TELEGRAM_API_ROOT: upstream.url,
      WHATSAPP_API_URL: upstream.url,
      ...(redis && { REDIS_URL: redis.url }),
    });
    await using gateway = started.gateway;
    const watched = await watch(gateway.url);
    for (const platform of CHAT_PLATFORMS) {
      const sent = webhook(platform, { text: "hello" });
      expect((await deliver(gateway.url, sent)).status).toBe(200);
      await gateway.logged(new RegExp(`"event_id":"${platform}:[^\n]+"cause":"(?:DELIVERY|PLATFORM)_`));
    }
    const all = await traces(started, redis);
    expect(all).not.toMatch(CANARY);
    expect(await watched.end()).not.toMatch(CANARY);
  });

  it.each([
    [400, "MODEL_REQUEST_REJECTED"],
    [401, "MODEL_AUTH"],
    [404, "MODEL_NOT_FOUND"],
    [529, "MODEL_OVERLOADED"],
  ])("a model with %i", async (status, then) => {
    await using upstream = await hostile(status);
    const started = await start({ ANTHROPIC_BASE_URL: upstream.url }, AGENT);
    await using gateway = started.gateway;
    const watched = await watch(gateway.url);
    await deliver(gateway.url, webhook("telegram", { text: "hello" }));
    await gateway.logged(then);
    expect(await traces(started)).not.toMatch(CANARY);
    expect(await watched.end()).not.toMatch(CANARY);
  });

  it.each(["ERR unknown", "WRONGPASS", "READONLY", "LOADING"])("a Redis that says %s", async (word) => {
    await using redis = await echoingRedis(word);
    const env = { REDIS_URL: `redis://canary_user:canary_password_a8@127.0.0.1:${redis.port}/0` };
    const dataDir = temporaryFolder();
    const doctor = [process.execPath, join(ROOT, "bin/parley.js"), "doctor"];
    const looked = await runToItsEnd({ dataDir, command: doctor, env });
    expect(looked.stdout).toMatch(/FAIL redis/);
    const serve = [process.execPath, join(ROOT, "bin/parley.js"), "serve"];
    const served = launch(serve, {
      cwd: ROOT,
      env: { ...COMPILED_ENV, PARLEY_PORT: "0", PARLEY_DATA_DIR: dataDir, ...env },
    });
    // It waits for one that may become well, and ends with one that will not.
    const url = await Promise.race([served.said("stderr", /listens on (http:\S+)/), served.ended]);
    const ready = typeof url === "string" ? await (await fetch(`${url}/ready`)).text() : "";
    await served.end();
    const { stdout, stderr } = served.output;
    expect(stdout + stderr + ready).toContain("Redis");
    expect([looked.stdout, looked.stderr, stdout, stderr, ready].join("\n")).not.toMatch(/canary_password/);
  });

  it("a model in its answer, which is said without them on every platform", async () => {
    // The demo model says what it is told.
    const said = Object.values(SECRETS).join(" and ");
    const started = await start(SECRETS);
    await using gateway = started.gateway;
    for (const platform of CHAT_PLATFORMS) {
      await deliver(gateway.url, webhook(platform, { text: `the keys are ${said}` }));
      const fake = platforms[platform];
      const reply = await seenOn(fake, () => fake.calls.find(({ body }) => body.includes("keys")));
      for (const secret of Object.values(SECRETS)) expect(reply.body).not.toContain(secret);
    }
  });
});
