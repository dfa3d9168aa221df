import process from "node:process";
import { Command, CommanderError } from "commander";
import { EXIT } from "../shared/exit.ts";
import { storyOf } from "../shared/fault.ts";
import { nameSources } from "../system/stacks.ts";
import { packageVersion } from "../system/version.ts";
import { COMMANDS, type CommandEntry } from "./commands.ts";
import { inert } from "./printable.ts";
import { CommandError, type Settle, type Terminal } from "./terminal.ts";

/** Runs one command. Gives the exit code; never throws. */
export async function main(given: readonly string[], ofCaller?: Terminal): Promise<number> {
  nameSources();
  const terminal = ofCaller ?? processTerminal(given);
  const args = withHelpLast(given);
  const exit = { code: EXIT.ok as number };
  try {
    const program = buildProgram(terminal);
    const name = args[0] === "--" ? args[1] : args[0];
    if (name !== undefined && Object.hasOwn(COMMANDS, name))
      await addCommand(program, name, terminal, (code) => {
        exit.code = code;
      });
    else nameCommands(program);
    pointToOwnHelp(program);
    await program.parseAsync(args, { from: "user" });
    return exit.code;
  } catch (error) {
    if (error instanceof CommandError) {
      if (error.message !== "") terminal.talk(`parley: ${inert(error.message)}\n`);
      return error.exitCode;
    }
    // Commander has said what was wrong; its own code for that is 1.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const story = storyOf(error);
    terminal.talk(`parley: ${inert(story)}\n`);
    return EXIT.failed;
  }
}

async function addCommand(program: Command, name: string, terminal: Terminal, settle: Settle): Promise<void> {
  const { about, load } = COMMANDS[name] as CommandEntry;
  const add = await load();
  add(program, terminal, settle);
  for (const command of program.commands) command.description(about);
}

/** For help and a misspelt name: loading them all would take four times as long. */
function nameCommands(program: Command): void {
  for (const [name, { takes, about }] of Object.entries(COMMANDS))
    program.command(`${name} ${takes}`.trim()).description(about);
}

/** `help dead replay` is `dead replay --help`: the library's own would explain `dead` alone, and all for a misspelt name. */
function withHelpLast(args: readonly string[]): readonly string[] {
  const [first, ...rest] = args;
  if (first !== "help" || rest[0] === undefined) return args;
  return Object.hasOwn(COMMANDS, rest[0]) ? [...rest, "--help"] : rest;
}

function buildProgram(terminal: Terminal): Command {
  const program = new Command("parley")
    .description("A self-hosted gateway between chat platforms and agents")
    .version(packageVersion(), "-V, --version")
    .exitOverride()
    .configureOutput({ writeOut: terminal.out, writeErr: (text) => terminal.talk(inert(text)) })
    .showHelpAfterError("(parley --help lists the commands)")
    .helpCommand("help [command...]", "explain a command")
    .addHelpText(
      "after",
      `
Examples:
  parley init                                   write a configuration to begin with
  parley serve                                  start on http://127.0.0.1:8080, with a console there
  parley send test --text "hello" --wait 10     say something and see the reply
  parley doctor                                 find out what is missing
  parley status                                 how does it do?
  parley tail                                   watch messages come and go
  parley events list --refused                  why was the bot silent?
  parley dead list                              what could not be answered

Exit codes: 0 ok, 1 failed, 2 wrong usage, 69 unreachable, 78 wrong configuration, 130 interrupted`,
    );
  return program;
}

/** Where the options of a command are explained: its own help, not that of the whole program. */
function pointToOwnHelp(command: Command, parents: readonly string[] = []): void {
  const names = [...parents, command.name()];
  if (parents.length > 0)
    command.showHelpAfterError(`(${[...names, "--help"].join(" ")} explains the options)`);
  for (const one of command.commands) pointToOwnHelp(one, names);
}

function processTerminal(args: readonly string[]): Terminal {
  // The gateway ends in order by itself; everything else may stop at once, or asks to do it in order.
  const stop = () => process.exit(EXIT.interrupted);
  if (args[0] !== "serve") process.once("SIGINT", stop);
  for (const stream of [process.stdout, process.stderr]) {
    // A reader that has seen enough, such as `head`, closes the pipe.
    stream.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  }
  loadEnvFile();
  return {
    out: (text) => process.stdout.write(text),
    talk: (text) => process.stderr.write(text),
    env: process.env,
    cwd: process.cwd(),
    ...(process.stdin.isTTY && process.stderr.isTTY && { confirm }),
    interrupted() {
      const interrupt = new AbortController();
      process.off("SIGINT", stop);
      process.once("SIGINT", () => {
        process.once("SIGINT", stop);
        interrupt.abort("interrupted");
      });
      return interrupt.signal;
    },
  };
}

/** Anything but a yes is a no. */
async function confirm(question: string): Promise<boolean> {
  const { createInterface } = await import("node:readline/promises");
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const interrupt = new AbortController();
  asking.once("SIGINT", () => interrupt.abort("interrupted"));
  try {
    return /^y(es)?$/i.test(
      (await asking.question(`${question} [y/N] `, { signal: interrupt.signal })).trim(),
    );
  } catch {
    throw new CommandError(EXIT.interrupted, "interrupted; nothing was done");
  } finally {
    asking.close();
  }
}

/** What is set already wins over the file. */
function loadEnvFile(): void {
  try {
    process.loadEnvFile(".env");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      process.stderr.write(
        `parley: expected a readable .env, got ${(error as NodeJS.ErrnoException).code}\n`,
      );
    }
  }
}
