import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import { cpuMicrosOf } from "../server-process.ts";
import type { Order, Word } from "./worker.ts";

/** Worker processes that work on the same queue. */
export interface Team extends AsyncDisposable {
  /** Works until so many are done. Gives how long that took. */
  finish(count: number): Promise<{ readonly seconds: number }>;
  cpuMicros(): number;
}

const FINISH_MS_MAX = 120_000;

export async function startTeam(
  size: number,
  kind: "settle" | "answer" | "bullmq",
  url: string,
  prefix: string,
): Promise<Team> {
  const script = join(import.meta.dirname, "worker.ts");
  const members = Array.from({ length: size }, () => fork(script, [kind, url, prefix]));
  await Promise.all(members.map((member) => heard(member, "ready")));
  return {
    async finish(count) {
      const startedAtMs = performance.timeOrigin + performance.now();
      const finished = allDone(members, count);
      for (const member of members) order(member, "start");
      const endedAtMs = await finished;
      const stopped = members.map((member) => heard(member, "stopped"));
      for (const member of members) order(member, "stop");
      await Promise.all(stopped);
      return { seconds: (endedAtMs - startedAtMs) / 1000 };
    },
    cpuMicros: () => members.reduce((sum, { pid }) => sum + cpuMicrosOf(pid ?? 0), 0),
    async [Symbol.asyncDispose]() {
      await Promise.all(members.map(ended));
    },
  };
}

function order(member: ChildProcess, what: Order): void {
  member.send(what);
}

function heard(member: ChildProcess, kind: Word["kind"]): Promise<void> {
  return new Promise((resolve, reject) => {
    const listen = (word: Word) => {
      if (word.kind !== kind) return;
      member.off("message", listen);
      member.off("exit", fail);
      resolve();
    };
    const fail = (code: number | null) => reject(new Error(`A worker ended with ${code}, expected ${kind}`));
    member.on("message", listen);
    member.once("exit", fail);
  });
}

/** Resolves with the time at which the last was done. */
function allDone(members: readonly ChildProcess[], count: number): Promise<number> {
  const words = new Map<ChildProcess, { done: number; atMs: number }>();
  return new Promise((resolve, reject) => {
    const listeners = members.map((member) => {
      const listen = (word: Word) => {
        if (word.kind !== "done") return;
        words.set(member, word);
        if (total() < count) return;
        leave();
        resolve(Math.max(...[...words.values()].map(({ atMs }) => atMs)));
      };
      member.on("message", listen);
      return { member, listen };
    });
    const total = () => [...words.values()].reduce((sum, { done }) => sum + done, 0);
    const timer = setTimeout(() => {
      leave();
      reject(new Error(`Expected ${count} done in ${FINISH_MS_MAX / 1000} s, got ${total()}`));
    }, FINISH_MS_MAX);
    const leave = () => {
      clearTimeout(timer);
      for (const { member, listen } of listeners) member.off("message", listen);
    };
  });
}

function ended(member: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    member.once("exit", () => resolve());
    member.disconnect();
  });
}
