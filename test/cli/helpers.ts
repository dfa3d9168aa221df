import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { onTestFinished } from "vitest";
import { main } from "../../src/cli/index.ts";
import type { Terminal } from "../../src/cli/terminal.ts";

const BIN = resolve(import.meta.dirname, "../../bin/parley.js");

export interface Result {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** The Node that runs it; this one by default. */
  readonly node?: string;
}

/** Called with each piece of output as it comes. */
interface Listeners {
  readonly onOut?: (text: string) => void;
  readonly onTalk?: (text: string) => void;
}

/** Starts `parley` as a process of its own, with nothing of our environment but where to find and cache code. */
export function start(
  args: readonly string[],
  options: RunOptions = {},
): { child: ChildProcess; ended: Promise<Result> } {
  const child = spawn(options.node ?? process.execPath, [BIN, ...args], {
    cwd: options.cwd ?? emptyFolder(),
    env: { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own, as a terminal or a service manager gives it.
    detached: true,
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return { child, ended: ending(child) };
}

export async function run(args: readonly string[], options: RunOptions = {}): Promise<Result> {
  return await start(args, options).ended;
}

/** Runs a command in this process, which is faster; what it shares with a real one is all but `bin` and the pipes. */
export async function call(
  args: readonly string[],
  options: Pick<RunOptions, "env" | "cwd"> & Pick<Terminal, "confirm" | "interrupted"> & Listeners = {},
): Promise<Result> {
  const { confirm, interrupted, onOut, onTalk } = options;
  let stdout = "";
  let stderr = "";
  const code = await main(args, {
    out: (text) => {
      stdout += text;
      onOut?.(text);
    },
    talk: (text) => {
      stderr += text;
      onTalk?.(text);
    },
    env: options.env ?? {},
    cwd: options.cwd ?? emptyFolder(),
    ...(confirm && { confirm }),
    ...(interrupted && { interrupted }),
  });
  return { code, signal: null, stdout, stderr };
}

/** A line in a real shell. */
export async function shell(line: string): Promise<Result> {
  const child = spawn("bash", ["-c", line], { stdio: ["ignore", "pipe", "pipe"] });
  return await ending(child);
}

function ending(child: ChildProcess): Promise<Result> {
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    stdout += chunk;
  });
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    stderr += chunk;
  });
  return new Promise((done, failed) => {
    child.once("error", failed);
    child.once("close", (code, signal) => done({ code, signal, stdout, stderr }));
  });
}

export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-cli-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** With this `spec` in its gateway.yaml; empty where there is none. */
export function folderWithSpec(spec: string): string {
  const cwd = emptyFolder();
  if (spec === "") return cwd;
  mkdirSync(join(cwd, "config"));
  writeFileSync(
    join(cwd, "config", "gateway.yaml"),
    `apiVersion: parley/v1\nkind: Gateway\nspec:\n${spec}\n`,
  );
  return cwd;
}

/** A Node on this machine that is too old to run the sources; undefined when there is none. */
export function oldNode(): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/bin", "/usr/bin"];
  return folders
    .map((folder) => join(folder, "node"))
    .filter((file) => existsSync(file))
    .find(
      (file) => Number(/^v(\d+)/.exec(execFileSync(file, ["--version"], { encoding: "utf8" }))?.[1]) < 24,
    );
}
