/** `npm run drill -- --help`: outages of real gateways, and what Debian's Prometheus and Alertmanager make of them as they are shipped. */
import { Argument, Command, InvalidArgumentError } from "commander";
import compiled from "../e2e/compiled.ts";
import { mayMount } from "../support/disk.ts";
import { drill, words } from "./drill.ts";
import { OUTAGES } from "./outages.ts";

const NAMES = Object.keys(OUTAGES);
const program = new Command("npm run drill --")
  .description(
    "Real outages, all at once, each with a gateway, a Prometheus and an Alertmanager of its own: about twenty minutes.",
  )
  .addArgument(new Argument("[outages...]", "which; all when none is named").choices(NAMES))
  .option("--faster <times>", "each `for` of the rules so many times shorter, by a copy of them", positive, 1)
  .parse();
const { faster } = program.opts<{ faster: number }>();
await compiled();
const asked = program.args.length === 0 ? NAMES : program.args;
const wanted = asked.filter((name) => OUTAGES[name]?.mounts !== true || mayMount());
for (const name of asked.filter((one) => !wanted.includes(one)))
  console.error(`${name}: not tried, a disk of its own needs root`);
const results = await Promise.all(
  wanted.map((name) => drill(name, { faster, isTold: true, note: (line) => console.error(line) })),
);
for (const result of results) console.log(words(result));
process.exit(results.every(({ faults }) => faults.length === 0) ? 0 : 1);

function positive(text: string): number {
  const number = Number(text);
  if (!(number >= 1 && Number.isFinite(number))) throw new InvalidArgumentError("Expected a number from 1.");
  return number;
}
