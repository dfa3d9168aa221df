import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { benchFolder } from "./folder.ts";

export interface ProcessCost {
  /** From starting the process to the first reply of the test webhook. */
  readonly firstReplyMs: number;
  /** Resident memory after it has been idle for a while. */
  readonly idleRssBytes: number;
}

const DEV_KEY = "developer-key-of-the-benchmark";
const IDLE_MS = 5_000;
const BIN = resolve(import.meta.dirname, "../../bin");

/** `parley serve` as a user starts it, all four platforms configured. */
export async function benchProcess(env: Record<string, string>): Promise<ProcessCost> {
  // As `npm ci` leaves it.
  execFileSync(process.execPath, [join(BIN, "compile.js")]);
  const startedAt = performance.now();
  const child = spawn(process.execPath, [join(BIN, "start.js"), "serve"], {
    env: {
      ...process.env,
      ...env,
      PARLEY_PORT: "0",
      PARLEY_DEV_KEY: DEV_KEY,
      PARLEY_DATA_DIR: benchFolder(),
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  for await (const chunk of child.stderr) {
    stderr += String(chunk);
    if (/listens on http/.test(stderr)) break;
  }
  const url = /listens on (http:\S+)/.exec(stderr)?.[1];
  const response = await fetch(`${url}/webhooks/test?wait=10`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-dev-key": DEV_KEY },
    body: '{"message":"hello"}',
  });
  const { reply } = (await response.json()) as { reply?: string };
  if (!reply?.startsWith("You said: hello")) throw new Error(`Expected a reply, got ${reply}`);
  const firstReplyMs = performance.now() - startedAt;

  await wait(IDLE_MS);
  const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
  const idleRssBytes = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
  child.kill("SIGTERM");
  await once(child, "exit");
  return { firstReplyMs, idleRssBytes };
}
