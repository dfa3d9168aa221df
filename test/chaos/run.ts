/**
 * `npm run chaos -- --minutes 10 --seed 7 --conversations 2000 --roles ingress,ingress,worker`
 *
 * Exit code 1 on any broken promise, with the command that tries it again. docs/testing.md describes the options.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import compiled from "../e2e/compiled.ts";
import { chaos, FAULTS } from "./chaos.ts";
import { keepEvidence, report } from "./report.ts";
import { verdictOn } from "./verdict.ts";

const REST_MS_MAX = 3_500;
const ROLES = ["all", "ingress", "worker"] as const;
const FAULT_NAMES = Object.keys(FAULTS) as (keyof typeof FAULTS)[];

const program = new Command("npm run chaos --")
  .description("Gateways on one Redis, all of it failing at once. Exit code 1 on any broken promise.")
  .option("--minutes <number>", "how long the faults last", minutes, 0.5)
  .option("--seed <number>", "which faults, and when", whole, Date.now() % 1_000_000_000)
  .option("--conversations <number>", "how many there are", whole, 1_000)
  .option("--roles <roles>", `one of ${ROLES.join(", ")} for each gateway`, listOf(ROLES), ["all", "all"])
  .addOption(
    new Option("--spool <on|off>", "whether gateways keep events while Redis is away")
      .choices(["on", "off"])
      .default("on"),
  )
  .option("--without <faults>", `leave out of ${FAULT_NAMES.join(", ")}`, listOf(FAULT_NAMES), [])
  .option("--away-ms <number>", "how long an outage lasts at most", whole, 3_500)
  .option("--apart", "no gateway is killed while Redis is away or a spool holds something", false)
  .parse();
const values = program.opts<{
  minutes: number;
  seed: number;
  conversations: number;
  roles: (typeof ROLES)[number][];
  spool: "on" | "off";
  without: (keyof typeof FAULTS)[];
  awayMs: number;
  apart: boolean;
}>();
const given = program.options.flatMap((option) => {
  const value = values[option.attributeName() as keyof typeof values];
  if (value === false || (Array.isArray(value) && value.length === 0)) return [];
  return value === true ? [option.long] : [option.long, value];
});
const command = `npm run chaos -- ${given.join(" ")}`;
console.error(command);
await compiled();
const run = await chaos({
  seed: values.seed,
  seconds: values.minutes * 60,
  conversations: values.conversations,
  awayMsMax: values.awayMs,
  restMsMax: REST_MS_MAX,
  roles: values.roles,
  spool: values.spool,
  without: values.without,
  isApart: values.apart,
  note: (line) => console.error(line),
});
const verdict = verdictOn(run);
console.log(report(run, verdict));
const isBroken = verdict.violations.length > 0;
if (isBroken) console.error(`All that was seen: ${keepEvidence(run)}\nAgain: ${command}`);
process.exit(isBroken ? 1 : 0);

function whole(given: string): number {
  const number = Number(given);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError("Expected a whole number from 1.");
  return number;
}

function minutes(given: string): number {
  const number = Number(given);
  if (!(number > 0 && number <= 1_440)) throw new InvalidArgumentError("Expected a number up to 1440.");
  return number;
}

function listOf<Known extends string>(known: readonly Known[]): (given: string) => Known[] {
  return (given) =>
    given.split(",").map((one) => {
      const found = known.find((name) => name === one);
      if (found === undefined) throw new InvalidArgumentError(`Expected ${known.join(", ")}.`);
      return found;
    });
}
