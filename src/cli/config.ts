import { Argument, type Command } from "commander";
import { stringify } from "yaml";
import { MODULES } from "../../adapters/index.ts";
import { formatSchema, JSON_SCHEMAS, type JsonSchemaName, jsonSchemaOf } from "../config/json-schema.ts";
import { type Config, type Loaded, loadConfig } from "../config/load.ts";
import { formatProblem } from "../config/problems.ts";
import { contextTokensOf, isPriced, pricedModels } from "../models/price-table.ts";
import { EXIT } from "../shared/exit.ts";
import { CommandError, type Settle, type Terminal } from "./terminal.ts";

/** Loads the configuration as the gateway does. */
export function load(terminal: Pick<Terminal, "env" | "cwd">, folder?: string): Loaded {
  return loadConfig({
    modules: MODULES,
    folder,
    env: terminal.env,
    cwd: terminal.cwd,
    isPriced,
    pricedModels,
    contextTokensOf,
  });
}

export function addConfig(program: Command, terminal: Terminal, settle: Settle): void {
  const config = program.command("config");

  config
    .command("validate")
    .description("check every file and variable; nothing is started")
    .option("-c, --config <folder>", "folder of gateway.yaml and agents/ (default: PARLEY_CONFIG, or config)")
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      "\nExample:\n  parley config validate --config other/config && parley serve --config other/config",
    )
    .action((options: { config?: string; json?: true }) => {
      const loaded = load(terminal, options.config);
      const result = loaded.ok ? { ok: true, notes: loaded.config.notes } : loaded;
      if (options.json) terminal.out(`${JSON.stringify(result, null, 2)}\n`);
      else if (loaded.ok) terminal.talk(`The configuration is valid.\n${notesOf(loaded.config)}`);
      else terminal.talk(`${loaded.problems.map(formatProblem).join("\n")}\n`);
      settle(loaded.ok ? EXIT.ok : EXIT.config);
    });

  config
    .command("schema")
    .description("print the JSON Schema of a file, for editors")
    .addArgument(new Argument("[kind]", "which file").choices(JSON_SCHEMAS).default("gateway"))
    .addHelpText("after", "\nExample:\n  parley config schema agent > agent.schema.json")
    .action((kind: JsonSchemaName) => terminal.out(formatSchema(jsonSchemaOf(kind, MODULES))));

  config
    .command("print")
    .description("print what holds, defaults included; secrets as ***")
    .option("-c, --config <folder>", "folder of gateway.yaml and agents/ (default: PARLEY_CONFIG, or config)")
    .option("--json", "as JSON instead of YAML")
    .addHelpText("after", "\nExample:\n  parley config print --json | jq .gateway.limits")
    .action((options: { config?: string; json?: true }) => {
      const loaded = load(terminal, options.config);
      if (!loaded.ok) throw new CommandError(EXIT.config, loaded.problems.map(formatProblem).join("\n"));
      terminal.talk(notesOf(loaded.config));
      // Through JSON, in which a secret is ***.
      const { digest, gateway, agents, environment, notes } = loaded.config;
      const json = JSON.stringify(
        { digest, gateway, agents: Object.fromEntries(agents), environment, notes },
        null,
        2,
      );
      terminal.out(options.json ? `${json}\n` : stringify(JSON.parse(json)));
    });
}

function notesOf(config: Config): string {
  return config.notes.map((note) => `note: ${note}\n`).join("");
}
