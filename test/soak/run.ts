/** `npm run soak -- --help`. Each form prints its seed; exit code 1 when one has found something, with how to see it again. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import process from "node:process";
import { Argument, Command, InvalidArgumentError } from "commander";
import { FORMS, type FormName, invocation } from "./forms.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const NAMES = Object.keys(FORMS) as FormName[];
const WIDTH = Math.max(...NAMES.map((name) => name.length));

const program = new Command("npm run soak --")
  .description(
    "The long forms of what npm test does in short, one after the other: hours. Exit code 1 when one fails.",
  )
  .addArgument(new Argument("[forms...]", "which of them; all when none is named").choices(NAMES))
  .option(
    "--seed <number>",
    "where chance begins, for all that is chosen by it",
    whole,
    Date.now() % 1_000_000,
  )
  .option("--times <number>", "so many times as much as usual, or as little: 0.1", positive, 1)
  .addHelpText(
    "after",
    `\nForms:\n${NAMES.map((name) => `  ${name.padEnd(WIDTH)}  ${FORMS[name].what}`).join("\n")}`,
  )
  .parse();
const options = program.opts<{ seed: number; times: number }>();
const wanted = program.args.length === 0 ? NAMES : NAMES.filter((name) => program.args.includes(name));

const failed: FormName[] = [];
for (const name of wanted) {
  const { args, env } = invocation(name, options);
  console.error(`\n${name}: ${FORMS[name].what}, seed ${options.seed}`);
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  const [code] = await once(child, "close");
  if (code === 0) continue;
  failed.push(name);
  console.error(
    `${name} failed. Again: npm run soak -- ${name} --seed ${options.seed} --times ${options.times}`,
  );
}
console.log(`\n${wanted.length - failed.length} of ${wanted.length} long forms held, seed ${options.seed}`);
process.exitCode = failed.length === 0 ? 0 : 1;

function whole(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0) throw new InvalidArgumentError("Expected a whole number.");
  return number;
}

function positive(text: string): number {
  const number = Number(text);
  if (!(number > 0 && Number.isFinite(number))) throw new InvalidArgumentError("Expected a number above 0.");
  return number;
}
