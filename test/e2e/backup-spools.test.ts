import { execFile } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { lookInto } from "../../src/backup/verify.ts";
import { startRedis } from "../support/redis.ts";
import { ask } from "./ask.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { COMPILED_ENV, ROOT, type StartOptions, startGateway, temporaryFolder } from "./gateway-process.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";
const MESSAGES = 40;

it("a backup has the spools of all processes, and a gateway with more of them answers what waited in each", {
  timeout: 120_000,
}, async () => {
  await using redis = await startRedis();
  await using fresh = await startRedis();
  const archives = temporaryFolder();
  const [old, elsewhere] = [temporaryFolder(), temporaryFolder()];
  const config = configFolder(NO_LIMITS);
  const options = (dataDir: string, url: string, processes: number): StartOptions => ({
    ...{ dataDir, config },
    env: { REDIS_URL: url, PARLEY_PROCESSES: String(processes), PARLEY_ADMIN_TOKEN: TOKEN },
  });
  const parley = async ({ dataDir, env }: StartOptions, url: string, ...args: readonly string[]) => {
    const place = { PARLEY_URL: url, PARLEY_DATA_DIR: dataDir, PARLEY_CONFIG: config };
    const run = promisify(execFile)(process.execPath, [join(ROOT, "bin/parley.js"), ...args], {
      cwd: ROOT,
      env: { ...COMPILED_ENV, ...env, ...place },
    });
    return (await run).stdout;
  };
  const questions = Array.from({ length: MESSAGES }, (_, n) => ({
    ...{ message: `kept ${n}`, conversation: `spooled-${n}`, id: `spooled-${n}` },
  }));

  const before = options(old, redis.url, 2);
  await using gateway = await startGateway(before);
  // It listens with the first of them.
  await gateway.logged(/gateway\.started[\s\S]*gateway\.started/);
  await redis.kill();
  const taken = await Promise.all(questions.map((question) => ask(gateway.url, question)));
  expect(taken.filter(({ status }) => status !== 200)).toEqual([]);

  const made = JSON.parse(
    await parley(before, gateway.url, "backup", "--to", archives, "--no-redis", "--json"),
  );
  expect(made.manifest.left_out).toEqual(["what Redis holds"]);
  // A process that found a slot taken for a moment has a later one.
  const spools = (made.manifest.files as { path: string }[]).filter(({ path }) =>
    /spool-\d+\.db$/.test(path),
  );
  const waiting = spools.map(({ path }) => lookInto(join(made.path, path)).events.waiting);
  expect(waiting).toHaveLength(2);
  expect(waiting.filter((count) => count === 0)).toEqual([]);
  expect(waiting[0] ?? 0).toBe(MESSAGES - (waiting[1] ?? 0));

  await gateway.end("SIGKILL");
  rmSync(old, { recursive: true });
  const after = options(elsewhere, fresh.url, 3);
  await parley(after, gateway.url, "restore", made.path, "--no-redis");
  await using next = await startGateway(after);
  const replies = await Promise.all(questions.map((question) => ask(next.url, { ...question, wait: 60 })));
  expect(replies.map(({ reply }) => reply)).toEqual(questions.map(({ message }) => `You said: ${message}`));
  // Its last lines are out by then, and nothing more is said.
  await next.end("SIGTERM");
  const sent = next.logLines().filter(({ msg }) => msg === "reply.sent");
  expect(sent).toHaveLength(MESSAGES);
});
