import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { ask } from "./ask.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";

const CONVERSATIONS = 10;

let redis: RedisServer;
let previous: string;
beforeAll(async () => {
  redis = await startRedis();
  previous = previousVersion();
});
afterAll(() => redis[Symbol.asyncDispose]());

/** The commit before this one, as a checkout with our modules. Where there is no history, this one stands for it. */
function previousVersion(): string {
  const git = (...args: string[]) => execFileSync("git", ["-C", ROOT, ...args], { maxBuffer: 2 ** 30 });
  if (
    !existsSync(join(ROOT, ".git")) ||
    git("rev-list", "--count", "HEAD", "-n", "2").toString().trim() === "1"
  )
    return ROOT;
  const folder = join(temporaryFolder(), "previous");
  mkdirSync(folder);
  execFileSync("tar", ["-x", "-C", folder], { input: git("archive", "HEAD~1") });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  return folder;
}

/** Both versions read the same configuration; what one has in Redis, the other finds. */
function launcher(prefix: string) {
  const config = configFolder(`${NO_LIMITS}  store: { redis: { prefix: ${prefix} } }\n`);
  return async (tree: string): Promise<GatewayProcess> =>
    await startGateway({
      dataDir: temporaryFolder(),
      config,
      command: [process.execPath, join(tree, "bin/parley.js"), "serve"],
      env: { REDIS_URL: redis.url },
    });
}

/** Each conversation says one message after the other, again where it was not answered, to whoever takes traffic then. */
function load(name: string, urls: () => readonly string[]): { end(): Promise<readonly string[][]> } {
  let isOver = false;
  const replyTo = async (conversation: string, n: number): Promise<string> => {
    const message = `${n}\ndemo: sleep 300ms`;
    for (let tries = 0; ; tries++) {
      const all = urls();
      const question = { message, conversation, id: `${conversation}-${n}`, wait: 20 };
      const asked = await ask(all[tries % all.length] ?? "", question).catch(() => undefined);
      if (asked?.reply !== undefined) return asked.reply;
      expect([undefined, 200, 503]).toContain(asked?.status);
    }
  };
  const conversations = Array.from({ length: CONVERSATIONS }, async (_, c) => {
    const heard: string[] = [];
    while (!isOver) heard.push(await replyTo(`${name}-${c}`, heard.length));
    return heard;
  });
  return {
    end() {
      isOver = true;
      return Promise.all(conversations);
    },
  };
}

/** Nothing was lost, nothing came out of order, and nothing was said twice; each of them has said something. */
function judge(heard: readonly string[][], all: readonly GatewayProcess[]): void {
  for (const one of heard) expect(one).toEqual(one.map((_, n) => `You said: ${n}`));
  const said = all.map((gateway) => gateway.logLines().filter(({ msg }) => msg === "reply.sent"));
  for (const one of said) expect(one.length).toBeGreaterThan(0);
  expect(said.flat()).toHaveLength(heard.flat().length);
  expect(new Set(said.flat().map(({ event_id }) => event_id)).size).toBe(heard.flat().length);
}

function receivedBy(gateway: GatewayProcess): number {
  return gateway.logLines().filter(({ msg }) => msg === "webhook.received").length;
}

describe("an upgrade from the commit before, under load", () => {
  it("of one replica after the other answers everything once and in order", async () => {
    await using open = new AsyncDisposableStack();
    const start = launcher("rolling");
    const blue = await Promise.all([start(previous), start(previous)]);
    const all = blue.map((one) => open.use(one));
    const running = [...all];
    const traffic = load("rolling", () => running.map(({ url }) => url));
    // What begins after a start begins on whichever is first; each is to have its part before it goes.
    await Promise.all(blue.map((one) => one.logged(/"reply\.sent"/)));
    for (let n = 0; n < blue.length; n++) {
      const next = open.use(await start(ROOT));
      all.push(next);
      const [old] = running.splice(n, 1, next);
      expect(await old?.end("SIGTERM")).toBe(0);
    }
    await Promise.all(running.map((one) => one.logged(/"reply\.sent"/)));
    const replies = await traffic.end();
    for (const gateway of running) expect(await gateway.end("SIGTERM")).toBe(0);
    judge(replies, all);
  }, 120_000);

  it("from blue to green answers everything once and in order, and back as long as blue runs", async () => {
    await using open = new AsyncDisposableStack();
    const start = launcher("green");
    const blue = open.use(await start(previous));
    let taking = blue;
    const traffic = load("green", () => [taking.url]);
    await blue.logged(/"reply\.sent"/);
    const green = open.use(await start(ROOT));
    // Either runs what is in Redis, whoever took it.
    for (const next of [green, blue, green]) {
      taking = next;
      const before = receivedBy(next);
      await eventually(async () => expect(receivedBy(next)).toBeGreaterThan(before), 20_000);
    }
    expect(await blue.end("SIGTERM")).toBe(0);
    await green.logged(/"reply\.sent"/);
    const replies = await traffic.end();
    expect(await green.end("SIGTERM")).toBe(0);
    judge(replies, [blue, green]);
  }, 120_000);
});
