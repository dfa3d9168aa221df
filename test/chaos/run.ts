/**
 * `npm run chaos -- --minutes 10 --seed 7 --conversations 2000 --roles ingress,ingress,worker`
 *
 * Exit code 1 on any broken promise, with the command that tries it again. docs/testing.md describes the options.
 */
import { parseArgs } from "node:util";
import compiled from "../e2e/compiled.ts";
import { chaos, FAULTS } from "./chaos.ts";
import { keepEvidence, report } from "./report.ts";
import { verdictOn } from "./verdict.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "0.5" },
    seed: { type: "string", default: String(Date.now() % 1_000_000_000) },
    conversations: { type: "string", default: "1000" },
    roles: { type: "string", default: "all,all" },
    spool: { type: "string", default: "on" },
    without: { type: "string", default: "" },
    "away-ms": { type: "string", default: "3500" },
    apart: { type: "boolean", default: false },
  },
});

const given = Object.entries(values).filter(([, value]) => value !== false && value !== "");
const command = `npm run chaos -- ${given.map(([name, value]) => (value === true ? `--${name}` : `--${name} ${value}`)).join(" ")}`;
console.error(command);
await compiled();
const run = await chaos({
  seed: whole("seed"),
  seconds: Number(values.minutes) * 60,
  conversations: whole("conversations"),
  awayMsMax: whole("away-ms"),
  roles: list("roles", ["all", "ingress", "worker"]),
  spool: oneOf("spool", values.spool, ["on", "off"]),
  without: values.without === "" ? [] : list("without", Object.keys(FAULTS) as (keyof typeof FAULTS)[]),
  isApart: values.apart,
  note: (line) => console.error(line),
});
const verdict = verdictOn(run);
console.log(report(run, verdict));
const isBroken = verdict.violations.length > 0;
if (isBroken) console.error(`All that was seen: ${keepEvidence(run)}\nAgain: ${command}`);
process.exit(isBroken ? 1 : 0);

function whole(name: "seed" | "conversations" | "away-ms"): number {
  const number = Number(values[name]);
  if (!Number.isSafeInteger(number) || number < 1)
    usage(`--${name} to be a whole number from 1`, values[name]);
  return number;
}

function list<Known extends string>(name: "roles" | "without", known: readonly Known[]): Known[] {
  return values[name].split(",").map((one) => oneOf(name, one, known));
}

function oneOf<Known extends string>(name: string, value: string, known: readonly Known[]): Known {
  return known.find((one) => one === value) ?? usage(`--${name} to be of ${known.join(", ")}`, value);
}

function usage(expected: string, got: string): never {
  console.error(`Expected ${expected}, got "${got}"`);
  process.exit(2);
}
