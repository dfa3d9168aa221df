import process from "node:process";
import { Command, CommanderError } from "commander";
import { EXIT } from "../shared/exit.ts";
import { storyOf } from "../shared/fault.ts";
import { nameSources } from "../system/stacks.ts";
import { packageVersion } from "../system/version.ts";
import { inert } from "./printable.ts";
import { type AddCommand, CommandError, type Terminal } from "./terminal.ts";

/** In the order of the help. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  serve: async () => (await import("./serve.ts")).addServe,
  send: async () => (await import("./send.ts")).addSend,
  tail: async () => (await import("./tail.ts")).addTail,
  events: async () => (await import("./events.ts")).addEvents,
  explain: async () => (await import("./explain.ts")).addExplain,
  replay: async () => (await import("./replay.ts")).addReplay,
  dead: async () => (await import("./dead.ts")).addDead,
  approvals: async () => (await import("./approvals.ts")).addApprovals,
  conversations: async () => (await import("./conversations.ts")).addConversations,
  notes: async () => (await import("./notes.ts")).addNotes,
  notify: async () => (await import("./notify.ts")).addNotify,
  "kill-switch": async () => (await import("./kill-switch.ts")).addKillSwitch,
  "log-level": async () => (await import("./log-level.ts")).addLogLevel,
  limits: async () => (await import("./limits.ts")).addLimits,
  status: async () => (await import("./status.ts")).addStatus,
  replicas: async () => (await import("./replicas.ts")).addReplicas,
  schedules: async () => (await import("./schedules.ts")).addSchedules,
  hooks: async () => (await import("./hooks.ts")).addHooks,
  breakers: async () => (await import("./breakers.ts")).addBreakers,
  audit: async () => (await import("./audit.ts")).addAudit,
  usage: async () => (await import("./usage.ts")).addUsage,
  installations: async () => (await import("./installations.ts")).addInstallations,
  backup: async () => (await import("./backup.ts")).addBackup,
  restore: async () => (await import("./restore.ts")).addRestore,
  maintain: async () => (await import("./maintain.ts")).addMaintain,
  setup: async () => (await import("./setup.ts")).addSetup,
  tools: async () => (await import("./tools.ts")).addTools,
  run: async () => (await import("./run.ts")).addRun,
  "agent-check": async () => (await import("./agent-check.ts")).addAgentCheck,
  doctor: async () => (await import("./doctor.ts")).addDoctor,
  "upgrade-check": async () => (await import("./upgrade-check.ts")).addUpgradeCheck,
  secrets: async () => (await import("./secrets.ts")).addSecrets,
  config: async () => (await import("./config.ts")).addConfig,
  import: async () => (await import("./import.ts")).addImport,
};

/** Runs one command. Gives the exit code; never throws. */
export async function main(given: readonly string[], ofCaller?: Terminal): Promise<number> {
  nameSources();
  const terminal = ofCaller ?? processTerminal(given);
  const args = withHelpLast(given);
  const exit = { code: EXIT.ok as number };
  try {
    const program = buildProgram(terminal);
    // Loading them all would triple the time to start; help and a misspelt name need them all.
    const isOne = args[0] !== undefined && Object.hasOwn(COMMANDS, args[0]);
    for (const [name, load] of Object.entries(COMMANDS)) {
      if (isOne && name !== args[0]) continue;
      const add = await load();
      add(program, terminal, (code) => {
        exit.code = code;
      });
    }
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
  parley serve                                  start on http://127.0.0.1:8080
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
