import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

export const ROOT = resolve(import.meta.dirname, "../..");

/** The exit code, or the signal that ended it. */
export type Ending = number | string;

export interface GatewayProcess extends AsyncDisposable {
  readonly url: string;
  readonly pid: number;
  /** Everything said so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Log lines, parsed. */
  logLines(): Record<string, unknown>[];
  /** Resolves once stderr holds this text, also when it already does. */
  said(text: string): Promise<void>;
  /** Sends a signal and resolves when the process is over. */
  end(signal: NodeJS.Signals): Promise<Ending>;
  /** Resolves when the process is over and its last word was read. */
  readonly ended: Promise<Ending>;
}

export interface StartOptions {
  readonly dataDir: string;
  readonly env?: Readonly<Record<string, string>>;
  /** What to run; the gateway itself when absent. */
  readonly command?: readonly string[];
  /** A folder for `PARLEY_CONFIG`; the shipped configuration when absent. */
  readonly config?: string;
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "parley-e2e-"));
}

/** Only what a process needs, so that a developer's own secrets never reach a test. */
const BASE_ENV = Object.fromEntries(
  ["PATH", "HOME", "TMPDIR", "LANG", "NODE_V8_COVERAGE"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }),
);

/** A failed test must not leave a process behind. */
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

/** Starts a real gateway on a free port; resolves once it says that it listens. */
export async function startGateway(options: StartOptions): Promise<GatewayProcess> {
  const running = launch(options);
  const { child, output, ended, said } = running;
  const url = await Promise.race([
    said(/listens on (http:\S+)/),
    ended.then((ending) => {
      throw new Error(`The gateway ended with ${ending} before it listened:\n${output.stderr}`);
    }),
  ]);
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  return {
    url,
    pid: child.pid ?? 0,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    logLines: () =>
      output.stdout
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line)),
    async said(text) {
      await said(text);
    },
    end,
    ended,
    async [Symbol.asyncDispose]() {
      if (alive.has(child)) killGroup(child);
      await ended;
    },
  };
}

/** Runs a gateway that is not meant to come up. */
export async function runToItsEnd(
  options: StartOptions,
): Promise<{ ending: Ending; stdout: string; stderr: string }> {
  const { output, ended } = launch(options);
  const ending = await ended;
  return { ending, ...output };
}

function launch(options: StartOptions) {
  const command = options.command ?? [process.execPath, join(ROOT, "bin/parley.js"), "serve"];
  const child = spawn(command[0] ?? "", command.slice(1), {
    cwd: ROOT,
    env: {
      ...BASE_ENV,
      PARLEY_PORT: "0",
      PARLEY_DATA_DIR: options.dataDir,
      ...(options.config !== undefined && { PARLEY_CONFIG: options.config }),
      ...options.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own, so that what npm or a shell has started goes with it.
    detached: true,
  });
  alive.add(child);
  const output = { stdout: "", stderr: "" };
  const listeners = new Set<() => void>();
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
    for (const listener of listeners) listener();
  });
  const ended = new Promise<Ending>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => {
      alive.delete(child);
      resolve(signal ?? code ?? -1);
    });
  });

  /** Gives the first group of the pattern, or the text itself. */
  function said(wanted: string | RegExp): Promise<string> {
    return new Promise((resolve) => {
      const look = () => {
        const found = typeof wanted === "string" ? output.stderr.includes(wanted) && [wanted] : null;
        const match = found || (wanted instanceof RegExp ? wanted.exec(output.stderr) : null);
        if (!match) return;
        listeners.delete(look);
        resolve(match[1] ?? match[0] ?? "");
      };
      listeners.add(look);
      look();
    });
  }
  return { child, output, ended, said };
}
