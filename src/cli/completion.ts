import { Argument, Command } from "commander";
import { bashScript, fishScript, type Place, zshScript } from "./completion-scripts.ts";
import type { AddCommand, Terminal } from "./terminal.ts";

const SHELLS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

/** Given the commands, which are in the table that this command stands in, too. */
type Table = Readonly<Record<string, { readonly about: string; readonly load: () => Promise<AddCommand> }>>;

export function completionOf(table: Table): AddCommand {
  return (program, terminal) => {
    program
      .command("completion")
      .addArgument(new Argument("<shell>", "whose script").choices(Object.keys(SHELLS)))
      .addHelpText("after", HELP)
      .action(async (shell: keyof typeof SHELLS) => {
        terminal.out(SHELLS[shell](await placesOf(table, terminal)));
      });
  };
}

const HELP = `
Prints a script by which the shell completes commands, options and what those take. It asks no gateway, and starts
nothing while you type; print it again after an upgrade.

Examples:
  eval "$(parley completion bash)"                       in ~/.bashrc
  parley completion bash > /etc/bash_completion.d/parley
  eval "$(parley completion zsh)"                        in ~/.zshrc, behind compinit
  parley completion fish > ~/.config/fish/completions/parley.fish`;

/** Of all commands, in the order of the help. */
async function placesOf(table: Table, terminal: Terminal): Promise<readonly Place[]> {
  const program = new Command("parley").version("", "-V, --version");
  for (const [name, { about, load }] of Object.entries(table)) {
    (await load())(program, terminal, () => {});
    program.commands.find((command) => command.name() === name)?.description(about);
  }
  const [root, ...rest] = below(program, "");
  if (root === undefined) return [];
  const names = root.commands.map(({ name }) => name);
  const help = { name: "help", about: "explain a command" };
  return [
    { ...root, commands: [...root.commands, help] },
    ...rest,
    { path: "help", commands: [], options: [], words: names },
  ];
}

function below(command: Command, path: string): readonly Place[] {
  const help = command.createHelp();
  // Each has a help of its own, which `--help` says, too.
  const shown = help.visibleCommands(command).filter((one) => one.name() !== "help");
  const here: Place = {
    path,
    commands: shown.map((one) => ({ name: one.name(), about: one.description() })),
    options: help.visibleOptions(command).map((option) => ({
      name: option.long ?? option.flags,
      short: option.short ?? null,
      about: option.description,
      values: option.required || option.optional ? (option.argChoices ?? []) : null,
    })),
    words: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  };
  return [here, ...shown.flatMap((one) => below(one, `${path} ${one.name()}`.trim()))];
}
