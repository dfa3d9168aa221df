import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Child, type Ending, launch } from "../support/child.ts";

export const ROOT = resolve(import.meta.dirname, "../..");

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
  /** Resolves once stdout holds this, also when it already does, with the first group of a pattern. */
  logged(wanted: string | RegExp): Promise<string>;
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
  ["PATH", "HOME", "TMPDIR", "LANG", "NODE_COMPILE_CACHE", "NODE_V8_COVERAGE"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }),
);

/** For any command of `parley`: what production runs, and what Node has compiled of it before. */
export const COMPILED_ENV = { ...BASE_ENV, PARLEY_RUN: "compiled" } as const;

/** Starts a real gateway on a free port; resolves once it says that it listens. */
export async function startGateway(options: StartOptions): Promise<GatewayProcess> {
  const child = launchGateway(options);
  const { output, ended } = child;
  const url = await Promise.race([
    child.said("stderr", /listens on (http:\S+)/),
    ended.then((ending) => {
      throw new Error(`The gateway ended with ${ending} before it listened:\n${output.stderr}`);
    }),
  ]);
  return {
    url,
    pid: child.pid,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    logLines: () =>
      output.stdout
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line)),
    async said(text) {
      await child.said("stderr", text);
    },
    logged: (wanted) => child.said("stdout", wanted),
    end(signal) {
      child.signal(signal);
      return ended;
    },
    ended,
    async [Symbol.asyncDispose]() {
      await child.end();
    },
  };
}

/** Runs a gateway that is not meant to come up. */
export async function runToItsEnd(
  options: StartOptions,
): Promise<{ ending: Ending; stdout: string; stderr: string }> {
  const { output, ended } = launchGateway(options);
  const ending = await ended;
  return { ending, ...output };
}

function launchGateway(options: StartOptions): Child {
  return launch(options.command ?? [process.execPath, join(ROOT, "bin/parley.js"), "serve"], {
    cwd: ROOT,
    env: {
      ...COMPILED_ENV,
      PARLEY_PORT: "0",
      PARLEY_DATA_DIR: options.dataDir,
      ...(options.config !== undefined && { PARLEY_CONFIG: options.config }),
      ...options.env,
    },
  });
}
