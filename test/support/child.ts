import { type ChildProcess, spawn } from "node:child_process";
import { optionalToolPath } from "./tools.ts";

/** The exit code, or the signal that ended it. */
export type Ending = number | string;

type Stream = "stdout" | "stderr";

/** A process of a test, which cannot outlive it. */
export interface Child {
  readonly pid: number;
  /** Everything said so far. */
  readonly output: Readonly<Record<Stream, string>>;
  /** Resolves when the process is over and its last word was read. */
  readonly ended: Promise<Ending>;
  /** Resolves once this was said, also when it already was, with the first group of a pattern or the text itself. */
  said(stream: Stream, wanted: string | RegExp): Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** Ends it at once, and all that it has started; resolves when it is over. */
  end(): Promise<Ending>;
}

export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const alive = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of alive) killGroup(child);
});

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // All of it has ended.
  }
}

/** Where Linux can be asked to: a test that is killed itself has no last word, and would leave its processes behind. */
const setpriv = process.platform === "linux" ? optionalToolPath("setpriv") : undefined;
const DIES_WITH_US = setpriv === undefined ? [] : [setpriv, "--pdeathsig", "KILL"];

export function launch(command: readonly string[], { cwd, env }: ChildOptions = {}): Child {
  const [file = "", ...args] = [...DIES_WITH_US, ...command];
  const child = spawn(file, args, {
    ...(cwd !== undefined && { cwd }),
    ...(env !== undefined && { env }),
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own, so that what npm or a shell has started goes with it.
    detached: true,
  });
  alive.add(child);
  const output = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
      for (const listener of listeners) listener();
    });
  }
  const ended = new Promise<Ending>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      alive.delete(child);
      resolve(signal ?? code ?? -1);
    });
  });

  return {
    pid: child.pid ?? 0,
    output,
    ended,
    said: (stream, wanted) =>
      new Promise((resolve) => {
        const look = () => {
          const text = output[stream];
          const match = typeof wanted === "string" ? text.includes(wanted) && [wanted] : wanted.exec(text);
          if (!match) return;
          listeners.delete(look);
          resolve(match[1] ?? match[0] ?? "");
        };
        listeners.add(look);
        look();
      }),
    signal(signal) {
      child.kill(signal);
    },
    end() {
      if (alive.has(child)) killGroup(child);
      return ended;
    },
  };
}
