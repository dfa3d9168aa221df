import { randomUUID } from "node:crypto";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import type { Command } from "commander";
import { MODULES } from "../../adapters/index.ts";
import { type AofFile, importAof } from "../aof/index.ts";
import { loadConfig } from "../config/load.ts";
import { formatProblem } from "../config/problems.ts";
import { isPriced, pricedModels, priceOf } from "../models/price-table.ts";
import { EXIT } from "../shared/exit.ts";
import { errnoOf } from "../shared/fault.ts";
import { keptName } from "./kept-name.ts";
import { inert } from "./printable.ts";
import { CommandError, type Settle, type Terminal } from "./terminal.ts";

const FILE_BYTES_MAX = 1024 * 1024;
const FILES_MAX = 2_000;
const DEPTH_MAX = 16;

interface ImportOptions {
  readonly out: string;
  readonly dryRun?: true;
  readonly force?: true;
}

export function addImport(program: Command, terminal: Terminal, settle: Settle): void {
  program
    .command("import")
    .command("aof")
    .description("translate the files of AOF: Agent, AgentList, Trigger, Context and DaemonConfig")
    .argument("<dir>", "folder of the files, with all that lies below it")
    .requiredOption("-o, --out <folder>", "folder to write: gateway.yaml and agents/")
    .option("--dry-run", "say what would become of each key; write nothing")
    .option("--force", "write also where a folder is; what was there is kept beside it")
    .addHelpText(
      "after",
      `
What is not simply there in the new files is printed to stdout, one line each:
  FILE:LINE: KEY: what became of it
All is written or nothing. Secrets are never copied; the line says which variable to set.

Exit codes: 0 written, also with such lines; 1 a file could not be read, or nothing was written

Example:
  parley import aof ./aof --out config --dry-run
  parley import aof ./aof --out config && parley config validate --config config`,
    )
    .action((given: string, options: ImportOptions) => {
      const folder = resolve(terminal.cwd, given);
      const out = resolve(terminal.cwd, options.out);
      if (isInside(out, folder))
        throw new CommandError(
          EXIT.usage,
          `Expected --out apart from ${given}, got ${options.out}, which holds it`,
        );
      const sources = readSources(folder, (path) => relative(terminal.cwd, path) || ".", out);
      const { files, remarks, isPartial } = importAof(sources, { modules: MODULES, rates: ratesOf });
      for (const { file, line, key, words } of remarks)
        terminal.out(`${inert(`${file}:${line}: ${key}: ${words}`).replaceAll(/\s+/g, " ")}\n`);
      if (isPartial) throw new CommandError(EXIT.failed, "a file could not be read; nothing was written");
      if (files.size === 0)
        throw new CommandError(
          EXIT.failed,
          `Expected files of AOF in ${given}, got none; nothing was written`,
        );
      const names = [...files.keys()].map((name) => join(options.out, name));
      if (options.dryRun) {
        terminal.talk(`Would write ${names.length} files: ${names.join(", ")}\n`);
        return;
      }
      write(out, files, options.force === true);
      terminal.talk(`Wrote ${names.length} files: ${names.join(", ")}\n`);
      terminal.talk(`${remarks.length} remarks. Next: parley config validate --config ${options.out}\n`);
      settle(EXIT.ok);
    });
}

function isInside(folder: string, path: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** All YAML of the folder and of those below it, but not what an earlier import has written there. */
function readSources(folder: string, nameOf: (path: string) => string, out: string): readonly AofFile[] {
  const paths: string[] = [];
  const walk = (path: string, depth: number): void => {
    if (path === out || depth > DEPTH_MAX) return;
    for (const name of list(path, nameOf)) {
      const inner = join(path, name);
      if (name.startsWith(".") || name === "node_modules") continue;
      // A link may lead anywhere, also in a circle.
      const found = lstatSync(inner, { throwIfNoEntry: false });
      if (found?.isDirectory()) walk(inner, depth + 1);
      else if (found?.isFile() && /\.ya?ml$/i.test(name)) paths.push(inner);
      if (paths.length > FILES_MAX)
        throw new CommandError(
          EXIT.failed,
          `Expected at most ${FILES_MAX} files, got more; nothing was written`,
        );
    }
  };
  walk(folder, 0);
  return paths.map((path) => ({ file: nameOf(path), text: read(path, nameOf(path)) }));
}

function list(path: string, nameOf: (path: string) => string): string[] {
  try {
    return readdirSync(path).sort();
  } catch (error) {
    throw new CommandError(EXIT.failed, `Expected a readable folder ${nameOf(path)}, got ${errnoOf(error)}`);
  }
}

function read(path: string, name: string): string {
  const unread = (got: string) =>
    new CommandError(
      EXIT.failed,
      `${name}:1: expected a readable file in UTF-8, got ${got}; nothing was written`,
    );
  try {
    const { size } = statSync(path);
    if (size > FILE_BYTES_MAX) throw unread(`${size} bytes`);
    return new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw unread(error instanceof TypeError ? "other bytes" : errnoOf(error));
  }
}

/** All or nothing: beside its place first, checked as a gateway would read it, then moved there. */
function write(out: string, files: ReadonlyMap<string, string>, isForced: boolean): void {
  const there = statSync(out, { throwIfNoEntry: false });
  const isEmpty = there?.isDirectory() === true && readdirSync(out).length === 0;
  if (there !== undefined && !isEmpty && !isForced)
    throw new CommandError(
      EXIT.failed,
      `Expected a new folder, got ${out}, which is there; --force writes all the same`,
    );
  const fresh = `${out}.new-${randomUUID().slice(0, 8)}`;
  try {
    mkdirSync(join(fresh, "agents"), { recursive: true });
    for (const [name, text] of files) writeFileSync(join(fresh, name), text, { flag: "wx" });
    check(fresh, basename(out));
    const kept = there === undefined || isEmpty ? null : keptName(out, "import");
    if (kept !== null) renameSync(out, kept);
    try {
      renameSync(fresh, out);
    } catch (error) {
      if (kept !== null) renameSync(kept, out);
      throw error;
    }
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(
      EXIT.failed,
      `Expected to write ${out}, got ${errnoOf(error)}; nothing was written`,
    );
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Without any variable: whoever imports may set them later. */
function check(folder: string, name: string): void {
  const options = { modules: MODULES, folder, env: {}, cwd: dirname(folder) };
  const loaded = loadConfig({ ...options, isPriced, pricedModels });
  if (loaded.ok) return;
  const problems = loaded.problems.map(formatProblem).join("\n").replaceAll(basename(folder), name);
  throw new CommandError(EXIT.failed, `what would be written is not valid; nothing was written\n${problems}`);
}

/** The dearest of its steps, so that a cost is never too low. */
function ratesOf(provider: string, model: string) {
  const price = priceOf(provider, model);
  if (price === undefined) return undefined;
  const most = (rate: "input" | "output" | "cacheRead" | "cacheWrite") =>
    Math.max(price[rate], ...price.tiers.map((tier) => tier[rate]));
  return {
    input_per_million: most("input"),
    output_per_million: most("output"),
    cache_read_per_million: most("cacheRead"),
    cache_write_per_million: most("cacheWrite"),
  };
}
