import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run, start } from "../cli/helpers.ts";
import { forbidden } from "../fakes/telegram.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";
import { deliver, openPlatforms, type Platforms, privateMessage } from "./platforms.ts";
import { recordsOf, said } from "./records.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";
/** A configuration that somebody forgot to finish. */
const NO_ROUTE = `  limits: { user: off, conversation: off, tenant: off, global: off }
  routes: [{ match: { platform: slack }, agent: assistant }]
`;

let platforms: Platforms;
let running: GatewayProcess[];
let redis: RedisServer | null;
/** Both stand on the same data: the one that is asked, and the one that works. On SQLite these are the same. */
let asked: GatewayProcess;
let worker: GatewayProcess;
let dataDir: string;

async function startOne(config: string, env: Readonly<Record<string, string>> = {}): Promise<GatewayProcess> {
  const gateway = await startGateway({
    dataDir,
    config: configFolder(config),
    env: { ...platforms.env, PARLEY_ADMIN_TOKEN: TOKEN, ...(redis && { REDIS_URL: redis.url }), ...env },
  });
  running.push(gateway);
  return gateway;
}

async function startAll(config = NO_LIMITS): Promise<void> {
  if (redis === null) {
    asked = await startOne(config);
    worker = asked;
  } else {
    asked = await startOne(config, { PARLEY_ROLE: "ingress" });
    dataDir = temporaryFolder();
    worker = await startOne(config, { PARLEY_ROLE: "worker" });
  }
}

/** In order, so that nothing is left in doubt. */
async function stopAll(): Promise<void> {
  for (const gateway of running) expect(await gateway.end("SIGTERM")).toBe(0);
}

beforeEach(async () => {
  platforms = await openPlatforms();
  running = [];
  dataDir = temporaryFolder();
});
afterEach(async () => {
  for (const gateway of running) await gateway[Symbol.asyncDispose]();
  await platforms[Symbol.asyncDispose]();
  await redis?.[Symbol.asyncDispose]();
});

const environment = () => ({ PARLEY_RUN: "compiled", PARLEY_URL: asked.url, PARLEY_ADMIN_TOKEN: TOKEN });
const parley = (...args: string[]) => run(args, { env: environment() });
const jsonOf = async (...args: string[]) => JSON.parse((await parley(...args, "--json")).stdout);

/** `parley tail` as a process of its own. */
async function tail() {
  const { child, ended } = start(["tail", "--json"], { env: environment() });
  const lives: { state: string; id: string }[] = [];
  const listeners = new Set<() => void>();
  let rest = "";
  child.stdout?.on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) lives.push(JSON.parse(line));
    for (const listener of listeners) listener();
  });
  await new Promise<void>((resolve) => {
    child.stderr?.on("data", (text: string) => text.includes("Following") && resolve());
  });
  return {
    /** Resolves once an event has come so far. */
    seen: (state: string, id: string) =>
      new Promise<void>((resolve) => {
        const look = () => lives.some((life) => life.state === state && life.id === id) && resolve();
        listeners.add(look);
        look();
      }),
    statesOf: (id: string) => lives.filter((life) => life.id === id).map(({ state }) => state),
    end: async () => {
      child.kill("SIGINT");
      return await ended;
    },
  };
}

async function say(text: string, id: string): Promise<void> {
  const request = privateMessage("telegram", { person: 7, text, id });
  expect((await deliver(asked.url, request)).status).toBe(200);
}

const answers = () => recordsOf(platforms, "telegram").map(({ text }) => text);

describe.each(["SQLite", "Redis"])("an operator, with a store on %s", (store) => {
  beforeEach(async () => {
    redis = store === "Redis" ? await startRedis() : null;
  });

  it("sees a letter die, and has it answered once", async () => {
    await startAll();
    const watching = await tail();
    platforms.telegram.faults.push({
      kind: "status",
      match: ({ body }) => body.includes("You said: one"),
      ...forbidden(),
      status: 403,
    });
    await say("one", "4001");
    await say("two", "4002");
    await said(platforms, "telegram", "You said: two");
    const [letter, ...others] = await jsonOf("dead", "list");
    expect(others).toEqual([]);
    expect(letter).toMatchObject({
      kind: "outbound",
      excerpt: "one",
      cause: expect.stringContaining("DELIVERY_"),
    });
    const { id } = letter;
    await watching.seen("dead", id);

    const both = await Promise.all([1, 2].map(() => parley("dead", "replay", "--yes", id)));
    expect(new Set(both.map(({ code }) => code))).toEqual(new Set([0, 1]));
    await watching.seen("done", id);
    expect(answers()).toEqual(["You said: two", "You said: one"]);
    // What two replicas tell at the same time may come in either order.
    const states = ["accepted", "claimed", "claimed", "dead", "done", "replayed"];
    expect(watching.statesOf(id).toSorted()).toEqual(states);
    expect(await jsonOf("dead", "list")).toEqual([]);
    expect(await jsonOf("events", "show", id)).toMatchObject({
      state: "done",
      replays: [{ mode: "resume", by: expect.stringContaining("@") }],
    });
    expect(await watching.end()).toMatchObject({ code: 130 });
    // Its model was asked once: a replay only says what was not said.
    expect(
      worker.logLines().filter((line) => line.msg === "run.finished" && line.event_id === id),
    ).toHaveLength(1);
  });

  it("mends the configuration, and has everything answered in order", async () => {
    await startAll(NO_ROUTE);
    const texts = ["first", "second", "third"];
    for (const [n, text] of texts.entries()) await say(text, String(5_000 + n));
    await platforms.telegram.waitFor(({ path }) => path.endsWith("/sendMessage"), 3);
    expect(answers()).toEqual(Array(3).fill("No agent is set up to answer here."));
    await stopAll();

    await startAll();
    const watching = await tail();
    expect((await parley("dead", "replay", "--since", "10m", "--yes")).stderr).toContain(
      "3 of 3 dead letters replayed.",
    );
    for (const text of texts) await said(platforms, "telegram", `You said: ${text}`);
    expect(answers().slice(3)).toEqual(texts.map((text) => `You said: ${text}`));

    const [{ id }] = await jsonOf("events", "list", "--limit", "1");
    await watching.seen("done", id);
    expect((await parley("replay", id, "--yes")).code).toBe(0);
    await platforms.telegram.until(() => answers().filter((text) => text === "You said: third").length === 2);
    await watching.end();
  });
});

describe("the tail", () => {
  it("does not hold up a gateway that goes down", async () => {
    redis = null;
    await startAll();
    const watching = await tail();
    expect(await asked.end("SIGTERM")).toBe(0);
    const { code, stderr } = await watching.end();
    expect(code).toBe(130);
    expect(stderr).toContain("The gateway says: this gateway is going down\n");
  });

  it("shows no text and no token, and neither does the log", async () => {
    redis = null;
    await startAll();
    const watching = await tail();
    await say("the launch code is 0000", "4001");
    await said(platforms, "telegram", "You said: the launch code is 0000");
    const [{ id }] = await jsonOf("events", "list");
    await watching.seen("done", id);
    const { stdout, stderr } = await watching.end();
    expect(stdout + stderr + asked.stdout() + asked.stderr()).not.toMatch(/launch code|an-admin-token/);
  });
});
