import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { MODULES } from "../../adapters/index.ts";
import { formatSchema, jsonSchemaOf } from "../config/json-schema.ts";
import { EXIT } from "../shared/exit.ts";
import { errnoOf } from "../shared/fault.ts";
import { packageFolder } from "../system/version.ts";
import { environmentExample } from "./environment-example.ts";
import { keptName } from "./kept-name.ts";
import { inert } from "./printable.ts";
import { CommandError, type Settle, type Terminal } from "./terminal.ts";

interface InitOptions {
  readonly dryRun?: true;
  readonly force?: true;
}

export function addInit(program: Command, terminal: Terminal, settle: Settle): void {
  program
    .command("init")
    .argument("[folder]", "where the gateway is to be started", ".")
    .option("--dry-run", "say what would be written; write nothing")
    .option("--force", "write also where files are; what was there is kept beside them")
    .addHelpText(
      "after",
      `
Writes config/gateway.yaml and config/agents/assistant.yaml with every option at its default and explained, what
editors need to complete them, and .env.example with every variable. All is written or nothing; each file that was
written is a line on stdout.

Exit codes: 0 written, or there already; 1 a file is there that is different, or could not be written

Examples:
  parley init && parley serve
  parley init bot --dry-run`,
    )
    .action((given: string, options: InitOptions) => {
      const folder = resolve(terminal.cwd, given);
      const files = [...newFiles()].map(([name, text]) => ({ name, path: join(folder, name), text }));
      const absent = files.filter(({ path, text }) => textAt(path) !== text);
      const taken = absent.filter(({ path }) => textAt(path) !== null);
      const names = taken.map(({ name }) => name).join(", ");
      if (taken.length > 0 && options.force !== true)
        throw new CommandError(
          EXIT.failed,
          `expected a folder without ${names}, got ${given}, which has it; nothing was written. ` +
            "--force writes all the same, and keeps what was there beside it",
        );
      if (options.dryRun !== true) write(absent);
      for (const { name } of absent) terminal.out(`${inert(join(given, name))}\n`);
      if (options.dryRun === true) terminal.talk(`Would write ${absent.length} files; wrote none.\n`);
      else terminal.talk(absent.length === 0 ? ALL_THERE : nextSteps(given));
      settle(EXIT.ok);
    });
}

/** By name, what they hold: the configuration that is shipped, whose every line is tested to say what holds without it. */
function newFiles(): ReadonlyMap<string, string> {
  const shipped = packageFolder();
  if (shipped === null) throw new CommandError(EXIT.failed, "expected config beside the program, got none");
  const copied = ["config/gateway.yaml", "config/agents/assistant.yaml"].map(
    (name) => [name, readFileSync(join(shipped, name), "utf8")] as const,
  );
  return new Map([
    ...copied,
    ["config/schema.json", formatSchema(jsonSchemaOf("gateway", MODULES))],
    ["config/agent.schema.json", formatSchema(jsonSchemaOf("agent", MODULES))],
    [".env.example", environmentExample(MODULES)],
  ]);
}

/** Null: nothing is there. Anything that is no readable file is there, and is different. */
function textAt(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    return errnoOf(error) === "ENOENT" ? null : `${errnoOf(error)}`;
  }
}

/** What was begun is taken back when it cannot be ended. */
function write(files: readonly { readonly path: string; readonly text: string }[]): void {
  const undo: (() => void)[] = [];
  try {
    for (const { path, text } of files) {
      mkdirSync(dirname(path), { recursive: true });
      if (statSync(path, { throwIfNoEntry: false }) !== undefined) {
        const kept = keptName(path, "init");
        renameSync(path, kept);
        undo.push(() => renameSync(kept, path));
      }
      // Also a link to nowhere is somebody's file.
      writeFileSync(path, text, { flag: "wx" });
      undo.push(() => rmSync(path));
    }
  } catch (error) {
    for (const step of undo.reverse()) step();
    const { path = "the files" } = error as NodeJS.ErrnoException;
    throw new CommandError(
      EXIT.failed,
      `expected to write ${path}, got ${errnoOf(error)}; nothing was written`,
    );
  }
}

const ALL_THERE = "All of it is there already.\n";

function nextSteps(folder: string): string {
  const enter = folder === "." ? "" : `  cd ${inert(folder)}\n`;
  return `
Next:
${enter}  parley serve                               start; the demo model answers as long as there is no key
  parley send test --text hello --wait 10    say something, in another terminal
  cp .env.example .env                       put keys and tokens there, and keep that file to yourself
  parley doctor                              what is still missing

config/agents/assistant.yaml is the agent that answers; config/gateway.yaml says who may talk to it.
`;
}
