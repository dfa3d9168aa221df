import { CARRIER } from "../../src/domain/command.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import type { DescribedCommand } from "../../src/ports/setup.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import {
  type CommandOption,
  type MenuCommand,
  OPTION_TYPES,
  SLASH_NAME,
  type SlashCommand,
} from "./app-options.ts";
import type { DiscordOptions } from "./settings.ts";

const CHAT_INPUT = 1;
const MENU_TYPES = { user: 2, message: 3 } as const;
const SUB_COMMAND = 1;
const SUB_COMMAND_GROUP = 2;
/** At most so many of each kind, and so many beneath one another. */
const COMMANDS_MAX = { 1: 100, 2: 15, 3: 15 } as const;
const CHILDREN_MAX = 25;

export interface Wanted {
  readonly options: Pick<DiscordOptions, "app" | "forms" | "autocomplete">;
  /** Those that routes name. */
  readonly routed: readonly string[];
  /** Those that gateway.yaml describes for all platforms, with their aliases. */
  readonly described: readonly DescribedCommand[];
  /** For one server: where a command may be used is said of global ones alone. */
  readonly isOfServer: boolean;
}

/** The commands of the app, as Discord takes them. Throws CONFIG_INVALID. */
export function commandsOf({ options, routed, described, isOfServer }: Wanted): readonly JsonObject[] {
  const { app, forms, autocomplete } = options;
  const opening = forms.flatMap(({ opened_by }) => opened_by);
  const configured = app.commands.filter((one) => one.type === "slash");
  const menus = app.commands.filter((one) => one.type !== "slash");
  const slashes = new Map<string, SlashCommand>();
  for (const command of [...OWN, ...configured]) slashes.set(command.name, command);
  for (const one of described) addDescribed(one, slashes);
  for (const name of [...routed, ...opening, ...autocomplete.choices.map(({ command }) => command)])
    if (SLASH_NAME.test(name) && !slashes.has(name)) slashes.set(name, bare(name, opening.includes(name)));
  for (const one of described) addAliases(one, slashes);
  const offered = (command: string) =>
    new Set(autocomplete.choices.filter((one) => one.command === command).map((one) => one.option));
  for (const [name, command] of slashes) slashes.set(name, withOffered(command, offered(name)));

  const place = isOfServer ? {} : placesOf(app.user_install);
  const trees = treesOf([...slashes.values()], offered).map((tree) => ({ ...tree, ...place }));
  const all = [...trees, ...menus.map((menu) => ({ ...menuOf(menu), ...place }))];
  for (const [type, most] of Object.entries(COMMANDS_MAX)) {
    const count = all.filter((one) => String(one.type) === type).length;
    if (count > most) throw tooMany(`${count} commands of type ${type}`, most);
  }
  return all;
}

/** What the gateway itself understands. */
const OWN: readonly SlashCommand[] = [
  own("help", "What the bot can do"),
  own("status", "What it is doing here"),
  own("agent", "Who answers here, and who else can", ["name", "Who shall answer, or default"]),
  own("notes", "What is noted about you and this channel", ["erase", "Its number, or all"]),
  own("usage", "What you have spent here", ["day", "As 2026-11-29; today when left out"]),
  own("reset", "Forget what was said here"),
  own("stop", "Stop what it is doing here"),
  own("approve", "Approve what it asks for", ["id", "Its number, apr_…"]),
  own("deny", "Deny what it asks for", ["id", "Its number, apr_…"], ["reason", "Why"]),
];

function own(name: string, description: string, ...options: readonly [string, string][]): SlashCommand {
  return {
    name: `/${CARRIER} ${name}`,
    type: "slash",
    description,
    options: options.map(([name, description]) => ({ name, description, type: "string", required: false })),
  };
}

/** As the configuration has it for all platforms; what is said of it for this one comes first. */
function addDescribed(
  { command, description = command.slice(1), usage = "What to do" }: DescribedCommand,
  slashes: Map<string, SlashCommand>,
): void {
  const text = { name: "text", description: usage, type: "string", required: false } as const;
  if (treeOf(command, slashes).length === 0)
    slashes.set(command, { name: command, type: "slash", description, options: [text] });
}

/** Each takes what its command does, sub-commands too. */
function addAliases({ command, aliases }: DescribedCommand, slashes: Map<string, SlashCommand>): void {
  for (const alias of aliases)
    for (const one of treeOf(command, slashes)) {
      const name = alias + one.name.slice(command.length);
      if (!slashes.has(name)) slashes.set(name, { ...one, name });
    }
}

function treeOf(command: string, slashes: ReadonlyMap<string, SlashCommand>): readonly SlashCommand[] {
  return [...slashes.values()].filter(({ name }) => name === command || name.startsWith(`${command} `));
}

/** One that only its name is known of; what opens a form takes nothing. */
function bare(name: string, opensForm: boolean): SlashCommand {
  const text = { name: "text", description: "What to do", type: "string", required: false } as const;
  return { name, type: "slash", description: name.slice(1), options: opensForm ? [] : [text] };
}

/** What is offered values for is there to be filled in. */
function withOffered(command: SlashCommand, offered: ReadonlySet<string>): SlashCommand {
  const missing = [...offered].filter((name) => !command.options.some((option) => option.name === name));
  const added = missing.map(
    (name) => ({ name, description: name, type: "string", required: false }) as const,
  );
  return { ...command, options: [...command.options, ...added] };
}

/** Sub-commands beneath their command. One that has some is no command by itself. */
function treesOf(
  commands: readonly SlashCommand[],
  offered: (command: string) => ReadonlySet<string>,
): readonly JsonObject[] {
  const leaves = commands.filter(({ name }) => !commands.some((other) => other.name.startsWith(`${name} `)));
  const nodeOf = (path: string, depth: number): JsonObject => {
    const leaf = leaves.find(({ name }) => name === path);
    const name = path.slice(1).split(" ").at(-1) ?? "";
    if (leaf !== undefined) {
      const options = [...leaf.options].sort((a, b) => Number(b.required) - Number(a.required));
      const type = depth === 0 ? CHAT_INPUT : SUB_COMMAND;
      return {
        name,
        type,
        description: leaf.description,
        options: options.map((one) => optionOf(one, offered(path))),
      };
    }
    const under = leaves.filter(({ name }) => name.startsWith(`${path} `));
    const paths = new Set(under.map(({ name }) => name.split(" ", depth + 2).join(" ")));
    if (paths.size > CHILDREN_MAX) throw tooMany(`${paths.size} sub-commands of ${path}`, CHILDREN_MAX);
    return {
      name,
      type: depth === 0 ? CHAT_INPUT : SUB_COMMAND_GROUP,
      description: name,
      options: [...paths].map((one) => nodeOf(one, depth + 1)),
    };
  };
  const roots = new Set(leaves.map(({ name }) => name.split(" ", 1)[0] ?? name));
  return [...roots].map((root) => nodeOf(root, 0));
}

function optionOf(
  { type, choices, required, ...named }: CommandOption,
  offered: ReadonlySet<string>,
): JsonObject {
  return {
    ...named,
    type: OPTION_TYPES[type],
    ...(required && { required }),
    ...(choices !== undefined && { choices: choices.map((value) => ({ name: value, value })) }),
    ...(choices === undefined && offered.has(named.name) && { autocomplete: true }),
  };
}

function menuOf({ name, type }: MenuCommand): JsonObject {
  return { name, type: MENU_TYPES[type] };
}

/** In servers and in private; where people install it for themselves, wherever they are. */
function placesOf(userInstall: boolean): JsonObject {
  return userInstall
    ? { contexts: [0, 1, 2], integration_types: [0, 1] }
    : { contexts: [0, 1], integration_types: [0] };
}

function tooMany(what: string, most: number): GatewayError {
  return new GatewayError("CONFIG_INVALID", `Expected at most ${most}, got ${what}; Discord takes no more`);
}
