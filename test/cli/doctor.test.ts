import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { Asked } from "../../src/cli/ask.ts";
import { clockFinding, type Finding, gatewayFinding, nodeFinding } from "../../src/cli/findings.ts";
import { openSqliteStore } from "../../src/store/sqlite/index.ts";
import { systemClock } from "../../src/system/clock.ts";
import { type FakeAnswer, type FakeServer, fakeServer } from "../fakes/server.ts";
import { CHATS } from "../support/chat-platforms.ts";
import { startRedis } from "../support/redis.ts";
import { call, emptyFolder } from "./helpers.ts";

/** Each command is a process's start, and the machine may be busy. */
vi.setConfig({ testTimeout: 60_000 });

const SECRETS = {
  SLACK_SIGNING_SECRET: "hunter2-signing-0123456789abcdef",
  SLACK_BOT_TOKEN: "xoxb-hunter2",
  TELEGRAM_BOT_TOKEN: "77:hunter2",
  WHATSAPP_APP_SECRET: "hunter2-app-0123",
  DISCORD_PUBLIC_KEY: "ab".repeat(32),
  DISCORD_APPLICATION_ID: "900",
  ANTHROPIC_API_KEY: "sk-ant-hunter2-0123456789abcdef",
  PARLEY_ADMIN_TOKEN: "hunter2".repeat(5),
};

async function server(answer: FakeAnswer): Promise<FakeServer> {
  const fake = await fakeServer(() => answer);
  onTestFinished(() => fake.close());
  return fake;
}

async function doctor(env: Record<string, string>, cwd = emptyFolder(), ...args: string[]) {
  const result = await call(["doctor", "--json", ...args], { env: { PARLEY_PORT: "0", ...env }, cwd });
  const findings = JSON.parse(result.stdout) as Finding[];
  const of = (check: string) => findings.filter((one) => one.check === check);
  return { ...result, of };
}

describe("parley doctor", () => {
  it("finds nothing wrong where nothing is configured", async () => {
    const { code, of } = await doctor({});
    expect(code).toBe(0);
    expect(of("model")).toEqual([
      {
        check: "model",
        status: "warn",
        message: "no ANTHROPIC_API_KEY: the demo model answers for assistant",
        fix: "set ANTHROPIC_API_KEY for real answers",
      },
    ]);
    for (const platform of CHATS)
      expect(of(platform)).toMatchObject([{ status: "ok", message: "off: none of its secrets is set" }]);
  });

  it("names the key that an agent lacks, and none where none needs one", async () => {
    const cwd = emptyFolder();
    mkdirSync(join(cwd, "config/agents"), { recursive: true });
    const models = async (model: string, env: Record<string, string> = {}) => {
      writeFileSync(
        join(cwd, "config/agents/a.yaml"),
        `metadata: { name: assistant }\nspec: { model: { provider: ${model} } }`,
      );
      const { of } = await doctor(env, cwd, "--offline");
      return of("model").map(({ status, message, fix }) => [status, message, fix]);
    };
    expect(await models("demo")).toEqual([["ok", "no agent needs a key", null]]);
    expect(await models("openai, model: gpt-5", { ANTHROPIC_API_KEY: "sk-1" })).toEqual([
      ["ok", "the key for Anthropic is set, and was not tried", null],
      [
        "warn",
        "no OPENAI_API_KEY: the demo model answers for assistant",
        "set OPENAI_API_KEY for real answers",
      ],
    ]);
    const bedrock = "bedrock, model: anthropic.claude-sonnet-5, price: free";
    expect(await models(bedrock, { AWS_REGION: "eu-central-1" })).toEqual([
      ["ok", expect.stringContaining("Amazon Bedrock would be asked in eu-central-1"), null],
    ]);
  });

  it("says which platforms are on, off or half configured, tries each credential at its API, and prints none", async () => {
    const scopes =
      "chat:write,app_mentions:read,channels:history,groups:history,im:history,mpim:history,commands,files:read,files:write,users:read,channels:read,groups:read,usergroups:read";
    const api = await server({
      body: { ok: true, data: [], url: "wss://gateway" },
      headers: { "x-oauth-scopes": scopes },
    });
    const { code, of, stdout, stderr } = await doctor({
      ...SECRETS,
      SLACK_API_URL: `${api.url}/slack`,
      DISCORD_API_URL: `${api.url}/discord`,
      TELEGRAM_API_ROOT: `${api.url}/telegram`,
      ANTHROPIC_BASE_URL: `${api.url}/anthropic`,
    });
    expect(code).toBe(0);
    expect(of("slack")).toMatchObject([{ status: "ok", message: "its API takes the bot token" }]);
    expect(of("discord")).toMatchObject([
      { status: "warn", fix: "set DISCORD_BOT_TOKEN" },
      { status: "ok", message: "its API answers" },
    ]);
    expect(of("telegram")).toMatchObject([{ status: "warn", fix: "set TELEGRAM_WEBHOOK_SECRET" }]);
    expect(of("whatsapp")).toMatchObject([
      {
        status: "warn",
        fix: "set WHATSAPP_ACCESS_TOKEN and WHATSAPP_VERIFY_TOKEN and WHATSAPP_PHONE_NUMBER_ID",
      },
    ]);
    expect(of("model")).toMatchObject([{ status: "ok", message: "the Anthropic API takes the key" }]);
    expect(of("clock")).toMatchObject([{ status: "ok", message: "the clock agrees with an API's" }]);
    expect(api.calls.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
      "GET /anthropic/v1/models?limit=1",
      "GET /discord/v10/gateway",
      "HEAD /discord",
      "HEAD /slack/",
      "POST /slack/auth.test",
    ]);
    const shown = (path: string) =>
      JSON.stringify(api.calls.find((one) => one.path.startsWith(path))?.headers);
    expect(shown("/slack/auth.test")).toContain(`Bearer ${SECRETS.SLACK_BOT_TOKEN}`);
    expect(shown("/anthropic")).toContain(SECRETS.ANTHROPIC_API_KEY);
    expect(stdout + stderr).not.toContain("hunter2");
  });

  it("asks nobody when it is told not to", async () => {
    const api = await server({ status: 500 });
    const env = { ...SECRETS, SLACK_API_URL: api.url, DISCORD_API_URL: api.url, ANTHROPIC_BASE_URL: api.url };
    const { code, of } = await doctor(env, emptyFolder(), "--offline");
    expect(code).toBe(0);
    expect(of("slack")).toMatchObject([{ status: "ok", message: expect.stringContaining("were not tried") }]);
    expect(of("model")).toMatchObject([
      { status: "ok", message: "the key for Anthropic is set, and was not tried" },
    ]);
    expect(of("clock")).toMatchObject([{ status: "ok" }]);
    expect(api.calls).toEqual([]);
  });

  it.each([
    [{ status: 401, body: { type: "error" } }, "fail", "refuses the key (401)"],
    [{ status: 403, body: { type: "error" } }, "fail", "refuses the key (403)"],
    [{ status: 529, body: { type: "error" } }, "fail", "does not answer as it should (529)"],
    [
      { status: 302, headers: { location: "http://127.0.0.1:9/" } },
      "fail",
      "leads elsewhere (302), which is not followed",
    ],
    [{ status: 200, body: "<html>Welcome</html>" }, "fail", "does not answer as it should (200)"],
    [{ status: 429 }, "warn", "asks to be called later (429)"],
    [{ status: 404 }, "warn", "the key was not tried"],
  ])("tells of an API of the model that answers %j", async (answer, status, message) => {
    const api = await server(answer as FakeAnswer);
    const { code, of } = await doctor({ ANTHROPIC_API_KEY: "k-hunter2", ANTHROPIC_BASE_URL: api.url });
    expect(of("model")).toMatchObject([{ status, message: expect.stringContaining(message) }]);
    expect(code).toBe(status === "fail" ? 1 : 0);
  });

  it("fails on a clock that is far off", async () => {
    const api = await server({ headers: { date: new Date(Date.now() - 600_000).toUTCString() } });
    const env = { ANTHROPIC_API_KEY: SECRETS.ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL: api.url };
    const { code, of } = await doctor(env);
    expect(code).toBe(1);
    expect(of("clock")).toMatchObject([{ status: "fail", fix: expect.stringContaining("NTP") }]);
  });

  it("fails when the model cannot be reached", async () => {
    const api = await server({});
    await api.close();
    const { code, of } = await doctor({ ANTHROPIC_API_KEY: "k", ANTHROPIC_BASE_URL: api.url });
    expect(code).toBe(1);
    expect(of("model")).toMatchObject([
      { status: "fail", message: "the Anthropic API cannot be reached (ECONNREFUSED)" },
    ]);
    expect(of("clock")).toMatchObject([{ status: "ok", message: "not checked: no API to compare with" }]);
  });

  it("reports every problem of the configuration", async () => {
    const cwd = emptyFolder();
    mkdirSync(join(cwd, "config"));
    writeFileSync(join(cwd, "config/gateway.yaml"), "spec: { limts: {}, quue: {} }");
    const { code, of } = await doctor({}, cwd);
    expect(code).toBe(1);
    expect(of("configuration")).toMatchObject([
      { status: "fail", message: expect.stringContaining("did you mean limits?") },
      { status: "fail", message: expect.stringContaining("did you mean queue?") },
    ]);
  });

  const withMedia = (media: object) => {
    const cwd = emptyFolder();
    mkdirSync(join(cwd, "config"));
    writeFileSync(join(cwd, "config", "gateway.yaml"), `spec: { media: ${JSON.stringify(media)} }\n`);
    return cwd;
  };

  it("looks at where files of messages are kept, and at the room for them", async () => {
    const [roomy] = (await doctor({}, withMedia({ total_bytes: 1_048_576 }))).of("media");
    expect(roomy).toMatchObject({
      status: "ok",
      message: expect.stringMatching(/^data.media will be made .+ may take 1$/),
    });
    const [short] = (await doctor({}, withMedia({ total_bytes: 1024 ** 4 }))).of("media");
    expect(short).toMatchObject({ status: "warn", fix: "make room, or lower media.total_bytes" });
    const cwd = withMedia({ dir: "files" });
    writeFileSync(join(cwd, "files"), "a file in its place");
    const { code, of } = await doctor({}, cwd);
    expect(code).toBe(1);
    expect(of("media")).toMatchObject([{ status: "fail", fix: "set media.dir, or the owner of the folder" }]);
  });

  it("fails on a data folder that takes no files", async () => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, "data"), "a file in its place");
    const { code, of } = await doctor({}, cwd);
    expect(code).toBe(1);
    expect(of("data")).toMatchObject([{ status: "fail", message: "expected to write to data, got ENOTDIR" }]);
  });

  it.each([
    ["leads nowhere", (folder: string) => symlinkSync("data", join(folder, "data")), "data"],
    ["has a name that the system does not take", () => undefined, "x".repeat(300)],
  ])("fails, without a stack trace, on a data folder that %s", async (_, make, name) => {
    const cwd = emptyFolder();
    make(cwd);
    const { code, of, stderr } = await doctor({ PARLEY_DATA_DIR: name }, cwd);
    expect(code).toBe(1);
    expect(stderr).toBe("");
    expect(of("data")).toMatchObject([{ status: "fail" }]);
    expect(of("store")).toMatchObject([
      { status: "fail", message: expect.stringMatching(/cannot be written: E(LOOP|NAMETOOLONG) \(/) },
    ]);
  });

  it("opens a store that is there, and sees that another process has it", async () => {
    const cwd = emptyFolder();
    mkdirSync(join(cwd, "data"));
    const limits = { waitingPerLaneMax: 10, waitingMax: 10 };
    const store = await openSqliteStore({ file: join(cwd, "data/parley.db"), clock: systemClock, limits });
    expect((await doctor({}, cwd)).of("store")).toMatchObject([
      { status: "ok", message: "in use: a gateway is running" },
    ]);
    await store[Symbol.asyncDispose]();
    const whole = { status: "ok", message: "can be opened, and is whole" };
    expect((await doctor({}, cwd)).of("store")).toMatchObject([whole]);
    chmodSync(join(cwd, "data"), 0o777);
    expect((await doctor({}, cwd)).of("store")).toMatchObject([
      whole,
      { status: "warn", message: expect.stringMatching(/data is open to other users$/) },
    ]);
    chmodSync(join(cwd, "data"), 0o700);
    writeFileSync(join(cwd, "data/parley.db"), "no database at all, but long enough to look at".repeat(100));
    const { code, of } = await doctor({}, cwd);
    expect(code).toBe(1);
    expect(of("store")).toMatchObject([{ status: "fail", message: expect.stringMatching(/^STORE_/) }]);
  });

  it("fails on a database that is damaged, or gone from beside its log, and changes neither", async () => {
    const cwd = emptyFolder();
    const file = join(cwd, "data/parley.db");
    const limits = { waitingPerLaneMax: 10, waitingMax: 10 };
    const store = await openSqliteStore({ file, clock: systemClock, limits });
    await store[Symbol.asyncDispose]();
    const sound = readFileSync(file);
    const damaged = Buffer.from(sound).fill(0x5a, 4_096);
    writeFileSync(file, damaged);
    expect((await doctor({}, cwd)).of("store")).toMatchObject([
      { status: "fail", message: expect.stringMatching(/^STORE_DAMAGED: /) },
    ]);
    expect(readFileSync(file).equals(damaged)).toBe(true);
    rmSync(file);
    writeFileSync(`${file}-wal`, "a log");
    expect((await doctor({}, cwd)).of("store")).toMatchObject([
      { status: "fail", message: expect.stringMatching(/^STORE_DAMAGED: .*parley\.db-wal/) },
    ]);
  });

  it("looks through the spool's files, also those of which only the log is left", async () => {
    const cwd = emptyFolder();
    const file = (n: number) => join(cwd, `data/spool-${n}.db`);
    const limits = { waitingPerLaneMax: 10, waitingMax: 10 };
    for (const n of [0, 1]) {
      const spool = await openSqliteStore({ file: file(n), clock: systemClock, limits });
      await spool[Symbol.asyncDispose]();
    }
    writeFileSync(file(1), Buffer.from(readFileSync(file(1))).fill(0x5a, 4_096));
    writeFileSync(`${file(2)}-wal`, "a log");
    const { code, of } = await doctor({}, cwd);
    expect(code).toBe(1);
    expect(of("spool")).toMatchObject([
      { status: "ok", message: "spool-0.db can be opened, and is whole" },
      { status: "fail", message: expect.stringMatching(/^STORE_DAMAGED: .*spool-1\.db/) },
      { status: "fail", message: expect.stringMatching(/^STORE_DAMAGED: .*spool-2\.db-wal/) },
    ]);
    expect(existsSync(file(2))).toBe(false);
  });

  it("asks the Redis that is shared, and not the database file that is not", async () => {
    await using redis = await startRedis();
    const env = { REDIS_URL: redis.url };
    const good = await doctor(env);
    expect(good.code).toBe(0);
    expect(good.of("store")).toEqual([]);
    expect(good.of("redis")).toMatchObject([
      { status: "ok", message: expect.stringMatching(/^Redis \d.* survives a power cut$/) },
    ]);

    await redis.cli("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
    const evicting = await doctor(env);
    expect(evicting.code).toBe(1);
    expect(evicting.of("redis")).toMatchObject([
      { status: "fail", message: expect.stringContaining("STORE_UNSAFE"), fix: "see docs/replicas.md" },
    ]);

    await redis.cli("CONFIG", "SET", "maxmemory-policy", "noeviction");
    await redis.cli("CONFIG", "SET", "appendonly", "no");
    const cwd = emptyFolder();
    mkdirSync(join(cwd, "config"));
    writeFileSync(join(cwd, "config/gateway.yaml"), "spec: { store: { redis: { accept_loss: true } } }");
    expect((await doctor(env)).of("redis")).toMatchObject([{ status: "fail" }]);
    expect((await doctor(env, cwd)).of("redis")).toMatchObject([{ status: "warn" }]);

    await redis.kill();
    const gone = await doctor({ REDIS_URL: redis.url.replace("//", "//:hunter2@") });
    expect(gone.code).toBe(1);
    expect(gone.of("redis")).toMatchObject([
      { status: "fail", message: expect.stringMatching(/^STORE_UNAVAILABLE: .*ECONNREFUSED/) },
    ]);
    expect(gone.stdout).not.toContain("hunter2");
  });

  it("tells of a Redis that answers and takes no writes, in its words, and writes nothing itself", async () => {
    await using redis = await startRedis();
    await redis.cli("SET", "a", "1");
    const finding = async () => (await doctor({ REDIS_URL: redis.url })).of("redis");
    const setTo = async (name: string, value: string | number) =>
      await redis.cli("CONFIG", "SET", name, value);
    for (const [words, hurt, mend] of [
      [/MISCONF .*disk/, () => redis.failSaving(), undefined],
      [/OOM /, () => setTo("maxmemory", "1mb"), () => setTo("maxmemory", 0)],
      [/NOREPLICAS /, () => setTo("min-replicas-to-write", 1), () => setTo("min-replicas-to-write", 0)],
    ] as const) {
      const mended = await hurt();
      expect(await finding()).toMatchObject([
        { status: "fail", message: expect.stringMatching(/^STORE_UNAVAILABLE: it takes no writes: /) },
      ]);
      expect(await finding()).toMatchObject([{ message: expect.stringMatching(words) }]);
      await (typeof mended === "function" ? mended() : mend?.());
      expect(await finding()).toMatchObject([{ status: "ok" }]);
    }
    expect(await redis.cli("DBSIZE")).toBe(1);
  });

  it("tells a gateway on the port from a stranger", async () => {
    const well = { store: { status: "ok", details: "" } };
    const components = { ...well, lanes: { status: "failed", details: "stalled" } };
    const ready = await server({ body: { status: "ready", components: well } });
    const models = { status: "degraded", details: "refused", code: "MODEL_AUTH" };
    const unwell = await server({ body: { status: "degraded", components: { ...well, models } } });
    const unready = await server({ status: 503, body: { status: "not_ready", components } });
    const stranger = await server({ body: "<html>" });
    const at = async (fake: FakeServer) => {
      const { code, of } = await doctor({ PARLEY_PORT: new URL(fake.url).port });
      return { code, finding: of("gateway")[0]?.message.replace(fake.url, "URL") };
    };
    expect(await at(ready)).toEqual({ code: 0, finding: "URL is ready" });
    expect(await at(unwell)).toEqual({ code: 0, finding: "URL is ready, but not well: models (refused)" });
    expect(await at(unready)).toEqual({ code: 1, finding: "URL is not ready: lanes (stalled)" });
    expect(await at(stranger)).toEqual({ code: 1, finding: "something else than Parley answers at URL" });
  });

  it.each([
    [{}, "ok", "told to this machine and private networks"],
    [
      { WHATSAPP_APP_SECRET: SECRETS.WHATSAPP_APP_SECRET },
      "warn",
      /a proxy there passes on without saying so$/,
    ],
    [{ ANTHROPIC_API_KEY: "k-0123456789", PARLEY_METRICS_PORT: "0" }, "ok", "on a port of their own"],
    [{ ANTHROPIC_API_KEY: "k-0123456789", PARLEY_METRICS_TOKEN: "m".repeat(32) }, "ok", /has the token$/],
  ])("says to whom metrics are told (%j)", async (env, status, message) => {
    const { of } = await doctor(env as Record<string, string>, emptyFolder(), "--offline");
    expect(of("metrics")).toMatchObject([{ status, message: expect.stringMatching(message) }]);
  });

  it("follows no redirect, and says that it met one", async () => {
    const elsewhere = await server({ body: { status: "ready", components: {}, data: [] } });
    const moved = await server({ status: 307, headers: { location: elsewhere.url } });
    const env = { ANTHROPIC_API_KEY: SECRETS.ANTHROPIC_API_KEY, ANTHROPIC_BASE_URL: moved.url };
    const { code, of } = await doctor(env, emptyFolder(), "--url", moved.url);
    expect(code).toBe(1);
    expect(of("model")).toMatchObject([
      { message: "the Anthropic API leads elsewhere (307), which is not followed" },
    ]);
    expect(of("gateway")).toMatchObject([
      { message: `${moved.url} leads elsewhere (307), which is not followed` },
    ]);
    expect(elsewhere.calls).toEqual([]);
  });

  it("asks the address it is given, too", async () => {
    const ready = await server({ body: { status: "ready", components: {} } });
    expect(await doctor({}, emptyFolder(), "--url", ready.url)).toMatchObject({ code: 0 });
    expect(ready.calls.map((one) => one.path)).toEqual(["/ready"]);
  });

  it("prints one finding a line for people, with what to do", async () => {
    const { stdout } = await call(["doctor"], { env: { SLACK_BOT_TOKEN: "x", PARLEY_PORT: "0" } });
    expect(stdout).toMatch(
      /warn.* slack +off: SLACK_BOT_TOKEN is set, SLACK_SIGNING_SECRET is not\n +→ set SLACK_SIGNING_SECRET\n/,
    );
  });
});

describe("findings", () => {
  const at = (date: string): Asked => ({
    kind: "answered",
    status: 200,
    headers: new Headers({ date }),
    body: "",
    tookMs: 1,
  });
  const noon = "Sat, 21 Nov 2026 12:00:00 GMT";

  it.each([
    [0, "ok"],
    [59_999, "ok"],
    [60_000, "warn"],
    [-60_000, "warn"],
    [240_000, "fail"],
    [-240_000, "fail"],
  ])("a clock that is %d ms ahead is %s", (aheadMs, status) => {
    expect(clockFinding([at(noon)], Date.parse(noon) + aheadMs).status).toBe(status);
  });

  it("take the first date that there is", () => {
    const away: Asked = { kind: "unreachable", code: "ENOTFOUND" };
    expect(clockFinding([away, at(noon)], Date.parse(noon)).message).toContain("agrees");
    expect(clockFinding([away, at("nonsense")], 0).message).toContain("not checked");
  });

  it("know an old Node", () => {
    expect(nodeFinding("v24.0.0").status).toBe("ok");
    expect(nodeFinding("v22.22.0")).toMatchObject({
      status: "fail",
      fix: expect.stringContaining("Node 24"),
    });
  });

  it("fail when nothing answers", () => {
    expect(gatewayFinding("http://x", { kind: "unreachable", code: "timeout" })).toMatchObject({
      status: "fail",
    });
  });
});
