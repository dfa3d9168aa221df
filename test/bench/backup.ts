/**
 * `node test/bench/backup.ts [backup|check|vacuum]`: what a backup costs those who send meanwhile, or a check or a vacuum. Signed webhooks at a steady rate go to a real
 * gateway with a database that has been filled before; the same without a backup, and while one is made, over and over.
 */
import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { promisify } from "node:util";
import { configFolder } from "../e2e/configuration.ts";
import { COMPILED_ENV, ROOT, startGateway, temporaryFolder } from "../e2e/gateway-process.ts";

const RATE = 200;
const SECONDS = 20;
const FILLED = 60_000;
const SECRET = "a-signing-secret-of-at-least-32-characters";
const TOKEN = "an-admin-token-of-at-least-32-characters";

const dataDir = temporaryFolder();
const to = temporaryFolder();
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  backup: ["backup", "--to", to],
  check: ["maintain", "check"],
  vacuum: ["maintain", "vacuum"],
};
const WHAT = process.argv[2] ?? "backup";
const command = COMMANDS[WHAT] ?? [];
if (command.length === 0) throw new Error(`Expected one of ${Object.keys(COMMANDS).join(", ")}, got ${WHAT}`);
const config = configFolder(`  limits: { user: off, conversation: off, tenant: off, global: off }
  queue: { waiting: 1000000, waiting_per_conversation: 1000 }
  routes: [{ agent: assistant }]
`);
const env = {
  SLACK_SIGNING_SECRET: SECRET,
  SLACK_BOT_TOKEN: "xoxb-bench",
  SLACK_API_URL: "http://127.0.0.1:9/api/",
  PARLEY_ADMIN_TOKEN: TOKEN,
  PARLEY_LOG_LEVEL: "error",
};
const gateway = await startGateway({ dataDir, config, env });
let sent = 0;

async function send(): Promise<{ ms: number; status: number }> {
  const n = ++sent;
  const body = JSON.stringify({
    type: "event_callback",
    team_id: "T1",
    api_app_id: "A1",
    event_id: `Ev${n}`,
    event_time: Math.floor(Date.now() / 1000),
    event: {
      type: "app_mention",
      user: `U${n}`,
      channel: `C${n % 5000}`,
      text: "x".repeat(1000),
      ts: `${n}.000100`,
    },
  });
  const timestamp = String(Math.floor(Date.now() / 1000));
  const signature = `v0=${createHmac("sha256", SECRET).update(`v0:${timestamp}:${body}`).digest("hex")}`;
  const startedAt = performance.now();
  const response = await fetch(`${gateway.url}/webhooks/slack`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-slack-request-timestamp": timestamp,
      "x-slack-signature": signature,
    },
    body,
  });
  await response.arrayBuffer();
  return { ms: performance.now() - startedAt, status: response.status };
}

/** Open loop: a slow answer delays no later request. */
async function load(): Promise<string> {
  const answers: Promise<{ ms: number; status: number }>[] = [];
  const startedAt = performance.now();
  for (let n = 0; n < RATE * SECONDS; n++) {
    const dueMs = startedAt + (n * 1000) / RATE - performance.now();
    if (dueMs > 1) await wait(dueMs);
    answers.push(send());
  }
  const all = await Promise.all(answers);
  const ms = all.map((one) => one.ms).sort((a, b) => a - b);
  const at = (share: number) => ms[Math.floor(ms.length * share)]?.toFixed(1);
  const refused = all.filter(({ status }) => status !== 200).length;
  return `p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms, ${refused} of ${all.length} not 200`;
}

async function backUp(): Promise<number> {
  const startedAt = performance.now();
  const all = {
    ...COMPILED_ENV,
    ...env,
    PARLEY_URL: gateway.url,
    PARLEY_DATA_DIR: dataDir,
    PARLEY_CONFIG: config,
  };
  const args = [join(ROOT, "bin/parley.js"), ...command];
  await promisify(execFile)(process.execPath, args, { cwd: ROOT, env: all });
  return (performance.now() - startedAt) / 1000;
}

try {
  while (sent < FILLED) await Promise.all(Array.from({ length: 64 }, send));
  const bytes = statSync(join(dataDir, "parley.db")).size;
  console.info(`${RATE} messages/s, a database of ${Math.round(bytes / 1024 / 1024)} MiB`);
  for (let round = 0; round < 2; round++) {
    console.info(`without: ${await load()}`);
    let over = false;
    const took: number[] = [];
    const backups = (async () => {
      while (!over) took.push(await backUp());
    })();
    console.info(`with:    ${await load()}`);
    over = true;
    await backups;
    console.info(`${WHAT}: ${took.map((seconds) => `${seconds.toFixed(1)} s`).join(", ")}`);
  }
} finally {
  await gateway[Symbol.asyncDispose]();
  for (const folder of [dataDir, to, config]) rmSync(folder, { recursive: true, force: true });
}
