import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { toolPath } from "../support/tools.ts";
import { configFolder } from "./configuration.ts";
import { COMPILED_ENV, ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";
import { allRecords, judgeReplies } from "./judge.ts";
import { Door, nextQuestion, openConversations, sendUntilTaken, Tally, tokensIn } from "./load.ts";
import { openPlatforms } from "./platforms.ts";
import { scrapeWhenIdle } from "./scrape.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";
const CONVERSATIONS = 48;
const RTO_MS = 5 * 60_000;

it.each(["SQLite", "Redis"] as const)(
  "a backup of %s under load, restored elsewhere: nothing is said twice, and nothing that is older than it is lost",
  {
    timeout: 180_000,
  },
  async (kind) => {
    await using servers = new AsyncDisposableStack();
    const redisOf = async () => {
      if (kind === "SQLite") return {};
      const redis = servers.use(await startRedis({ fsync: "everysec" }));
      lost = redis;
      return { REDIS_URL: redis.url };
    };
    let lost: RedisServer | undefined;
    let redisEnv: Record<string, string> = await redisOf();
    await using platforms = await openPlatforms();
    const conversations = openConversations(CONVERSATIONS);
    const sending = { door: new Door(), begun: new Tally(), acknowledged: new Tally() };
    let dataDir = temporaryFolder();
    const archives = temporaryFolder();
    const config = configFolder();
    const options = () => ({
      ...{ dataDir, config },
      env: { ...platforms.env, PARLEY_ADMIN_TOKEN: TOKEN, ...redisEnv },
    });
    const parley = async (url: string, ...args: readonly string[]) => {
      const env = {
        ...COMPILED_ENV,
        ...options().env,
        PARLEY_URL: url,
        PARLEY_DATA_DIR: dataDir,
        PARLEY_CONFIG: config,
      };
      const run = promisify(execFile)(process.execPath, [join(ROOT, "bin/parley.js"), ...args], {
        cwd: ROOT,
        env,
      });
      return (await run).stdout;
    };
    const askAll = () => conversations.map((speaker) => sendUntilTaken(nextQuestion(speaker), sending));

    const gateway = await startGateway(options());
    let archive: string;
    let older: readonly string[];
    try {
      sending.door.open(gateway.url);
      await Promise.all(askAll());
      // Answered, so that their threads are known: of one whose mention waits still, restoring makes a dead letter.
      await scrapeWhenIdle(gateway.url, 60_000);
      const second = askAll();
      await sending.acknowledged.after(CONVERSATIONS / 3);
      older = acknowledged();
      const server = ["--redis-server", toolPath("redis-server")];
      const made = JSON.parse(await parley(gateway.url, "backup", "--to", archives, ...server, "--json"));
      const manifest = readFileSync(join(made.path, "manifest.json"));
      expect(made).toMatchObject({
        sha256: createHash("sha256").update(manifest).digest("hex"),
        bytes: expect.any(Number),
        events: JSON.parse(manifest.toString()).events?.total ?? null,
        taken_at: JSON.parse(manifest.toString()).created_at,
      });
      archive = made.path;
      await Promise.all(second);
      const third = askAll();
      await Promise.all(third);
      await expect(parley(gateway.url, "restore", archive)).rejects.toMatchObject({
        code: 69,
        stderr: expect.stringContaining("stop it first"),
      });
      await gateway.end("SIGKILL");
    } finally {
      await gateway[Symbol.asyncDispose]();
    }
    rmSync(dataDir, { recursive: true });
    dataDir = temporaryFolder();
    await lost?.kill();
    redisEnv = await redisOf();

    const startedAt = performance.now();
    await parley(gateway.url, "restore", archive, "--redis-server", toolPath("redis-server"));
    await using next = await startGateway(options());
    expect((await fetch(`${next.url}/ready`)).status).toBe(200);
    const rtoMs = performance.now() - startedAt;
    console.info(`restored from ${kind} within ${(rtoMs / 1000).toFixed(1)} s`);
    expect(rtoMs).toBeLessThan(RTO_MS);
    await scrapeWhenIdle(next.url, 60_000);

    const letters = JSON.parse(await parley(next.url, "dead", "list", "--limit", "500", "--json"));
    const held = (letters as { excerpt: string; cause: string }[]).flatMap(({ excerpt, cause }) =>
      cause.startsWith("restored from a backup") ? tokensIn(excerpt) : [],
    );
    const said = allRecords(platforms);
    const saidTokens = new Set(said.flatMap(({ text }) => tokensIn(text)));
    expect(older.filter((topic) => !saidTokens.has(topic) && !held.includes(topic))).toEqual([]);
    expect(older.length).toBeGreaterThan(CONVERSATIONS);
    const { duplicated, marked } = judgeReplies(said, conversations);
    expect({ duplicated, marked }).toEqual({ duplicated: [], marked: 0 });

    // And it goes on.
    sending.door.shut();
    sending.door.open(next.url);
    const more = conversations.map((speaker) => nextQuestion(speaker));
    await Promise.all(more.map((question) => sendUntilTaken(question, sending)));
    await scrapeWhenIdle(next.url, 60_000);
    const answered = new Set(allRecords(platforms).flatMap(({ text }) => tokensIn(text)));
    expect(more.filter(({ topic }) => !answered.has(topic))).toEqual([]);
    expect(judgeReplies(allRecords(platforms), conversations).duplicated).toEqual([]);

    function acknowledged(): readonly string[] {
      return conversations.flatMap(({ asked }) =>
        asked.filter(({ isAcknowledged }) => isAcknowledged).map(({ topic }) => topic),
      );
    }
  },
);
