import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { describe } from "../../shared/fault.ts";
import type { Client } from "./connect.ts";
import { mastersOf } from "./inspect.ts";

/** A large one takes a while, and goes on by itself. */
const WAIT_MS = 300_000;
const LOOK_MS = 50;

/** See Link. What was deleted is in the files of Redis until they are written anew. */
export async function rewriteFiles(client: Client): Promise<readonly string[]> {
  const left = await Promise.all(mastersOf(client).map(rewriteNode));
  return left.flat();
}

async function rewriteNode(node: Redis): Promise<readonly string[]> {
  const left: string[] = [];
  const trying = async (what: string, rewrite: () => Promise<boolean>) => {
    try {
      if (!(await rewrite())) left.push(`${what} of Redis is not written anew yet`);
    } catch (error) {
      left.push(`${what} of Redis could not be written anew: ${describe(error)}`);
    }
  };
  const { isAppendOnly, replicas } = await look(node);
  if (isAppendOnly) await trying("The append-only file", () => rewritten(node, "aof_rewrites"));
  if (await hasSnapshots(node)) await trying("The snapshot", () => rewritten(node, "rdb_saves"));
  if (replicas > 0)
    left.push(`${replicas} replicas of Redis have files of their own, which stay as they are`);
  return left;
}

/** By what the server counts of them. One that is on its way began before: it is waited for, and another asked for. */
async function rewritten(node: Redis, count: "aof_rewrites" | "rdb_saves"): Promise<boolean> {
  const giveUpAt = performance.now() + WAIT_MS;
  const until = async (isSo: (now: Look) => boolean) => {
    for (;;) {
      const now = await look(node);
      if (isSo(now)) return now;
      if (performance.now() > giveUpAt) return null;
      await sleep(LOOK_MS);
    }
  };
  const before = await until(({ isBusy }) => !isBusy);
  if (before === null) return false;
  if (count === "aof_rewrites") await node.bgrewriteaof();
  else await node.bgsave();
  const after = await until((now) => !now.isBusy && now[count] > before[count]);
  if (after !== null && !after.isWell[count]) throw new Error("it says that it failed");
  return after !== null;
}

interface Look {
  readonly isAppendOnly: boolean;
  readonly replicas: number;
  /** It writes one of them, or is about to. */
  readonly isBusy: boolean;
  readonly aof_rewrites: number;
  readonly rdb_saves: number;
  readonly isWell: { readonly aof_rewrites: boolean; readonly rdb_saves: boolean };
}

async function look(node: Redis): Promise<Look> {
  const info = await node.info();
  const read = (name: string) => new RegExp(`^${name}:(.*?)\r?$`, "m").exec(info)?.[1] ?? "";
  const busy = ["aof_rewrite_in_progress", "aof_rewrite_scheduled", "rdb_bgsave_in_progress"];
  return {
    isAppendOnly: read("aof_enabled") === "1",
    replicas: Number(read("connected_slaves")),
    isBusy: busy.some((name) => read(name) === "1"),
    aof_rewrites: Number(read("aof_rewrites")),
    rdb_saves: Number(read("rdb_saves")),
    isWell: {
      aof_rewrites: read("aof_last_bgrewrite_status") === "ok",
      rdb_saves: read("rdb_last_bgsave_status") === "ok",
    },
  };
}

/** Where the server does not tell, there may be. */
async function hasSnapshots(node: Redis): Promise<boolean> {
  const answer = (await node.config("GET", "save").catch(() => null)) as unknown;
  if (!Array.isArray(answer)) return true;
  return answer[1] !== "" || (await look(node)).rdb_saves > 0;
}
