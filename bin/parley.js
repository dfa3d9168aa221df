#!/usr/bin/env node
// Valid on Node 20: an older Node hands over to the Node 24 that npm put beside this package.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { needPackages } from "./installed.js";

needPackages();

const NEEDED_MAJOR = 24;
const HANDED_OVER = "PARLEY_HANDED_OVER";
const SIGNALS = ["SIGTERM", "SIGINT", "SIGHUP"];
/** A signal to both processes has reached us by then. */
const DIRECT_MS = 100;

/** npm has Node 24 for these alone. */
const PACKAGED = ["linux-x64", "linux-arm64", "win32-x64"];

/** Sources where they are (a checkout), compiled files otherwise (the package, the image); `npm start` compiles first. */
const ENTRIES = ["../src/cli/index.ts", "../dist/src/cli/index.js"];

/** Of sources alone, from which WebAssembly takes the types in each thread: see vitest.config.ts for the crash. */
const NO_NEW_WRAPPERS = "--wasm-wrapper-tiering-budget=2000000000";

if (Number(process.versions.node.split(".")[0]) >= NEEDED_MAJOR) await run();
else handOver();

async function run() {
  // A gateway is never ended by it, and this is its first line; the gateway itself listens as soon as it can answer.
  if (process.argv[2] === "serve") process.on("SIGHUP", () => {});
  if (process.env[HANDED_OVER] !== undefined) dieWithParent();
  if (process.env.PARLEY_RUN === "compiled") ENTRIES.reverse();
  delete process.env.PARLEY_RUN;
  const entry = ENTRIES.map((path) => new URL(path, import.meta.url)).find((url) => existsSync(url));
  if (entry === undefined) fail("expected src or dist beside bin, got neither; run npm run build");
  if (entry.href.endsWith(".ts")) setFlagsFromString(NO_NEW_WRAPPERS);
  const { main } = await import(entry.href);
  process.exitCode = await main(process.argv.slice(2));
}

/**
 * Whoever started us knows only the process that handed over. When that one is killed, so are we:
 * a gateway left behind would hold the port and the database against its successor.
 */
function dieWithParent() {
  delete process.env[HANDED_OVER];
  process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
  const counts = Object.fromEntries(SIGNALS.map((signal) => [signal, countDirect(signal)]));
  process.on("message", ({ signal, nth }) => {
    const missed = () => counts[signal].direct < nth && process.kill(process.pid, signal);
    setTimeout(missed, DIRECT_MS).unref();
  });
  // Waiting for the parent must not keep alive a command that has finished.
  process.channel?.unref();
}

/** A signal that nobody else handles still ends the process as it would without us. */
function countDirect(signal) {
  const count = { direct: 0 };
  const listener = () => {
    count.direct++;
    if (process.listenerCount(signal) > 1) return;
    process.off(signal, listener);
    process.kill(process.pid, signal);
  };
  process.on(signal, listener);
  return count;
}

function handOver() {
  const node = packagedNode();
  if (node === null || process.env[HANDED_OVER] !== undefined) {
    fail(
      `expected Node ${NEEDED_MAJOR} or newer, got ${process.version}, and no packaged one for ` +
        `${process.platform}-${process.arch}; ${advice()}`,
    );
  }
  const child = spawn(node, [...process.execArgv, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ["inherit", "inherit", "inherit", "ipc"],
    env: { ...process.env, [HANDED_OVER]: "1" },
  });
  // A terminal, systemd and `timeout` send a signal to both of us. A second one means "at once" to the gateway,
  // so the child is told how many there were, and raises only those that it did not get itself.
  const counts = {};
  const forward = (signal) => {
    counts[signal] = (counts[signal] ?? 0) + 1;
    if (child.connected) child.send({ signal, nth: counts[signal] });
    else child.kill(signal);
  };
  for (const signal of SIGNALS) process.on(signal, forward);
  child.on("error", (error) => fail(`expected ${node} to start, got ${error.message}`));
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const one of SIGNALS) process.off(one, forward);
    process.kill(process.pid, signal);
  });
}

function advice() {
  const install = `install Node ${NEEDED_MAJOR} (nodejs.org, nvm install ${NEEDED_MAJOR}, or brew install node@${NEEDED_MAJOR})`;
  return PACKAGED.includes(`${process.platform}-${process.arch}`)
    ? `${install}, or run npm ci without --omit=optional`
    : `${install}: npm has no package of it for this system`;
}

function packagedNode() {
  const system = process.platform === "win32" ? "win" : process.platform;
  const file = process.platform === "win32" ? "bin/node.exe" : "bin/node";
  try {
    return createRequire(import.meta.url).resolve(`node-${system}-${process.arch}/${file}`);
  } catch {
    return null;
  }
}

function fail(message) {
  process.stderr.write(`parley: ${message}\n`);
  process.exit(69);
}
