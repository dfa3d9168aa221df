import type { Command } from "commander";
import { stringify } from "yaml";
import { MODULES } from "../../adapters/index.ts";
import { knownCommands } from "../config/commands-schema.ts";
import { type ConfigReader, createEnvReader } from "../config/env-reader.ts";
import type { Config } from "../config/load.ts";
import { formatProblem } from "../config/problems.ts";
import { rolesNamed } from "../config/roles.ts";
import { PLATFORM_DEFAULTS } from "../config/schema.ts";
import { variablesOf } from "../config/variables.ts";
import { DeliveryError, GatewayError } from "../domain/errors.ts";
import { commandName } from "../domain/route.ts";
import type { PlatformModule } from "../ports/platform.ts";
import type { DescribedCommand, Setup } from "../ports/setup.ts";
import { EXIT } from "../shared/exit.ts";
import { systemClock } from "../system/clock.ts";
import { httpBase } from "./ask.ts";
import { load } from "./config.ts";
import { formatFinding } from "./findings.ts";
import { inert } from "./printable.ts";
import { CommandError, type Settle, type Terminal } from "./terminal.ts";

const TIMEOUT_MS = 15_000;

interface Options {
  readonly config?: string;
  readonly url?: string;
  readonly check?: true;
  readonly apply?: true;
  readonly dryRun?: true;
  readonly offline?: true;
  readonly json?: true;
}

export function addSetup(program: Command, terminal: Terminal, settle: Settle): void {
  const setup = program.command("setup").addHelpText("after", "\nWithout --apply nothing is changed.");
  for (const module of MODULES) {
    const { setup: spec } = module;
    if (spec === undefined) continue;
    const command = setup
      .command(module.name)
      .description(spec.what)
      .option(
        "-c, --config <folder>",
        "folder of gateway.yaml and agents/ (default: PARLEY_CONFIG, or config)",
      )
      .option("--url <url>", "where the platform reaches this gateway (default: PARLEY_PUBLIC_URL)")
      .option("--check", "only look at the app that there is: 1 when something fails")
      .option("--apply", "change the app")
      .option("--dry-run", "with --apply: say what it would change")
      .option("--offline", "ask no API")
      .option("--json", "print JSON");
    for (const { flag, what } of spec.flags) command.option(flag, what);
    command
      .addHelpText("after", `\nExamples:\n${spec.examples.map((line) => `  ${line}`).join("\n")}`)
      .action(async (options: Options & Readonly<Record<string, string | true | undefined>>) => {
        settle(await setUp(module, options, terminal));
      });
  }
}

async function setUp(
  module: PlatformModule,
  options: Options & Readonly<Record<string, string | true | undefined>>,
  terminal: Terminal,
): Promise<number> {
  forbidTogether(options);
  const signal = new AbortController().signal;
  try {
    const setup = await open(module, options, terminal);
    if (options.check) return await check(setup, module, options, terminal, signal);
    return options.apply
      ? await apply(setup, options, terminal, signal)
      : await print(setup, options, terminal, signal);
  } catch (error) {
    throw asCommandError(error);
  }
}

function forbidTogether({ check, apply, dryRun, offline }: Options): void {
  const wrong =
    (check && apply && "expected --check or --apply, got both") ||
    (dryRun && !apply && "expected --apply beside --dry-run") ||
    (offline && (check || apply) && "expected to ask the platform's API, got --offline");
  if (wrong) throw new CommandError(EXIT.usage, wrong);
}

/** What goes to the platform is on stdout, alone; what people should know, beside it. */
async function print(
  setup: Setup,
  options: Options,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const document = setup.document();
  terminal.out(options.json ? `${JSON.stringify(document, null, 2)}\n` : stringify(document));
  const findings = options.offline ? [] : await setup.check(signal);
  for (const finding of findings) terminal.talk(formatFinding({ ...finding, check: "app" }));
  for (const { what, url } of setup.links()) terminal.talk(`${what}: ${inert(url)}\n`);
  return EXIT.ok;
}

async function check(
  setup: Setup,
  { needs }: PlatformModule,
  options: Options,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const findings = await setup.check(signal);
  if (options.json) terminal.out(`${inert(JSON.stringify(findings, null, 2))}\n`);
  else for (const finding of findings) terminal.out(formatFinding({ ...finding, check: "app" }));
  if (findings.length === 0)
    throw new CommandError(
      EXIT.config,
      `expected the platform's credentials (${needs.join(", ")}) in the environment, got none`,
    );
  return findings.some(({ status }) => status === "fail") ? EXIT.failed : EXIT.ok;
}

async function apply(
  setup: Setup,
  options: Options,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<number> {
  const isDryRun = options.dryRun === true;
  const { changes, next } = await setup.apply({ isDryRun }, signal);
  if (options.json) {
    terminal.out(`${inert(JSON.stringify({ applied: !isDryRun, changes, next }, null, 2))}\n`);
    return EXIT.ok;
  }
  terminal.out(changes.map((line) => `${inert(line)}\n`).join(""));
  if (changes.length === 0) terminal.talk("The app is as it should be.\n");
  else if (isDryRun) terminal.talk("Nothing was changed; without --dry-run it is.\n");
  for (const line of next) terminal.talk(`${inert(line)}\n`);
  return EXIT.ok;
}

async function open(
  module: PlatformModule,
  { config: folder, url, ...flags }: Options & Readonly<Record<string, string | true | undefined>>,
  terminal: Terminal,
): Promise<Setup> {
  const loaded = load(terminal, folder);
  if (!loaded.ok) throw new CommandError(EXIT.config, loaded.problems.map(formatProblem).join("\n"));
  const env = createEnvReader(terminal.env, terminal.cwd, variablesOf(MODULES));
  const setup = await openSetup(module, loaded.config, { url, flags, env });
  const [problem] = env.problems;
  if (problem !== undefined) throw new CommandError(EXIT.config, formatProblem(problem));
  if (setup === undefined) throw new Error(`Expected ${module.name} to have a set-up, got none`);
  return setup;
}

interface Asked {
  /** Instead of what the environment says. */
  readonly url: string | undefined;
  readonly flags: Readonly<Record<string, string | true | undefined>>;
  readonly env: ConfigReader;
}

/** Undefined: the platform has none. */
export async function openSetup(
  module: PlatformModule,
  config: Config,
  { url, flags, env }: Asked,
): Promise<Setup | undefined> {
  const { gateway, environment } = config;
  const settings = environment.platforms[module.name];
  return await module.setup?.open({
    settings: settings?.kind === "on" ? settings : null,
    options: gateway.platforms[module.name] ?? PLATFORM_DEFAULTS,
    publicUrl: url === undefined ? environment.publicUrl : httpBase("--url", url),
    commands: commandsFor(module, config),
    described: describedFor(module, config),
    goesByRoles: rolesNamed(gateway, config.agents.values(), module.name).size > 0,
    flags,
    env,
    clock: systemClock,
    random: Math.random,
    timeoutMs: TIMEOUT_MS,
  });
}

function commandsFor({ name }: PlatformModule, { gateway }: Config): readonly string[] {
  const mine = gateway.routes.filter(({ match }) => match?.platform?.includes(name) ?? true);
  const { names } = knownCommands(gateway.commands, []);
  return [...new Set(mine.flatMap(({ match }) => match?.command ?? []).map((one) => ofItsName(one, names)))];
}

function describedFor({ name }: PlatformModule, { gateway }: Config): readonly DescribedCommand[] {
  const named = (isMine: boolean) =>
    new Set(
      gateway.routes
        .filter(({ match }) => (match?.platform?.includes(name) ?? true) === isMine)
        .flatMap(({ match }) => match?.command?.map(rootOf) ?? []),
    );
  const [mine, others] = [named(true), named(false)];
  return gateway.commands
    .filter(({ command, aliases }) => {
      const names = [command, ...aliases];
      return names.some((one) => mine.has(one)) || !names.some((one) => others.has(one));
    })
    .map(({ command, aliases, description, usage_hint }) => ({
      ...{ command, aliases },
      ...(description !== undefined && { description }),
      ...(usage_hint !== undefined && { usage: usage_hint }),
    }));
}

/** As it is written, but for an alias, which is registered with its command. */
function ofItsName(command: string, names: ReadonlyMap<string, string>): string {
  const [word = "", ...rest] = command.split(" ");
  const name = names.get(commandName(word));
  return name === undefined ? command : [`/${name}`, ...rest].join(" ");
}

function rootOf(command: string): string {
  return `/${commandName(command).split(" ", 1)[0] ?? ""}`;
}

function asCommandError(error: unknown): unknown {
  if (
    error instanceof DeliveryError &&
    error.kind !== "rejected" &&
    error.kind !== "refused" &&
    error.status === null
  )
    return new CommandError(EXIT.unreachable, error.message);
  if (!(error instanceof GatewayError)) return error;
  return new CommandError(error.code === "CONFIG_INVALID" ? EXIT.config : EXIT.failed, error.message);
}
