import process from "node:process";
import { text } from "node:stream/consumers";
import { Argument, type Command } from "commander";
import { MODULES } from "../../adapters/index.ts";
import { EXIT } from "../shared/exit.ts";
import { inert } from "./printable.ts";
import { lookAtSecrets, type SecretLook, type SecretPlace } from "./secret-look.ts";
import { newValue, type Rotated, retire, rotate } from "./secret-rotation.ts";
import { table } from "./table.ts";
import type { Settle, Terminal } from "./terminal.ts";

export function addSecrets(program: Command, terminal: Terminal, settle: Settle): void {
  const place: SecretPlace = { env: terminal.env, cwd: terminal.cwd, modules: MODULES };
  const secrets = program.command("secrets");

  secrets
    .command("check")
    .description("say of each secret where it comes from and what is odd about it, and never what it is")
    .option("--all", "those that are not set as well")
    .option("--json", "print them all as JSON")
    .addHelpText("after", CHECK_HELP)
    .action((options: { all?: true; json?: true }) => {
      const looks = lookAtSecrets(place);
      if (options.json) terminal.out(`${inert(JSON.stringify({ secrets: looks }, null, 2))}\n`);
      else describe(options.all ? looks : looks.filter(({ status }) => status !== "absent"), terminal);
      settle(looks.some(({ status }) => status === "fail") ? EXIT.failed : EXIT.ok);
    });

  secrets
    .command("rotate")
    .description("put a new value into the file of a secret, before the one that there is, which stays live")
    .addArgument(NAME())
    .option("--generate", "make the value, of a secret that is the gateway's own; else it is read from stdin")
    .option("--json", "print what was done as JSON")
    .addHelpText("after", ROTATE_HELP)
    .action(async (name: string, options: { generate?: true; json?: true }) => {
      const value = options.generate ? newValue(name, MODULES) : (await text(process.stdin)).trim();
      say(rotate(name, value, place), options, terminal);
    });

  secrets
    .command("retire")
    .description("end a rotation: the first value of a secret's file alone is live")
    .addArgument(NAME())
    .option("--json", "print what was done as JSON")
    .addHelpText("after", "\nExample:\n  parley secrets retire PARLEY_ADMIN_TOKEN")
    .action((name: string, options: { json?: true }) => say(retire(name, place), options, terminal));
}

const NAME = () => new Argument("<name>", "its variable, such as PARLEY_ADMIN_TOKEN");

const CHECK_HELP = `
Nothing is asked of anybody: parley doctor tries the credentials. Ends with 1 where a secret cannot be used as it is, or others
may write its file.

Examples:
  parley secrets check
  parley secrets check --json | jq '.secrets[] | select(.status == "warn")'`;

const ROTATE_HELP = `
NAME_FILE has to name the file. It is replaced at once, with the owner and the permissions that it had; an empty value, and one
that the gateway would refuse, changes nothing. A gateway that runs reads it within about five seconds, and says
secrets.renewed; then change it wherever it is used, and retire the old one.

Examples:
  parley secrets rotate PARLEY_ADMIN_TOKEN --generate
  vault kv get -field=key secret/parley/anthropic | parley secrets rotate ANTHROPIC_API_KEY`;

function say(rotated: Rotated, { json }: { json?: true }, terminal: Terminal): void {
  const { name, path, live } = rotated;
  if (json) terminal.out(`${inert(JSON.stringify(rotated))}\n`);
  else
    terminal.talk(
      `${inert(path)} has another ${name}${live > 1 ? `; the one before is live until parley secrets retire ${name}` : ""}\n`,
    );
}

function describe(looks: readonly SecretLook[], terminal: Terminal): void {
  if (looks.length === 0) terminal.talk("No secret is set.\n");
  else
    terminal.out(
      table(
        { cells: ["STATUS", "LIVE", "CHARACTERS", "CHANGED BY", "MODE"], story: "FROM", id: "NAME" },
        looks.map(({ name, status, source, path, mode, characters, renewable }) => ({
          cells: [
            status,
            String(characters.length),
            characters.join(" and ") || "-",
            source === null ? "-" : renewable ? "its file" : "a restart",
            mode ?? "-",
          ],
          story: path ?? source ?? "",
          id: name,
        })),
      ),
    );
  for (const { name, findings } of looks)
    for (const finding of findings) terminal.out(`${name}: ${inert(finding)}\n`);
}
