/** `npm run load -- --help`: the gates of deploy/load/gates.json. Exit code 1 when one of them is broken. */
import { availableParallelism } from "node:os";
import process from "node:process";
import { Command, InvalidArgumentError, Option } from "commander";
import { slackSampler } from "../../adapters/slack/sample.ts";
import { benchEnv } from "../bench/accept.ts";
import { startEchoPlatform, textOf } from "../bench/answered/platform.ts";
import { KEYS, secretsOf } from "../bench/secrets.ts";
import { startShipped } from "../bench/shipped.ts";
import { drive } from "./drive.ts";
import { broken, GATE_NAMES, type GateName, gates, type Measured, shortened } from "./gates.ts";

const program = new Command("npm run load --")
  .description(
    "Signed webhooks of many people to a gateway of its own, or to yours, and whether what is promised holds.",
  )
  .addOption(new Option("--gate <name>", "which; all when absent").choices(GATE_NAMES))
  .option(
    "--url <url>",
    "a gateway of yours, which has SLACK_SIGNING_SECRET as it is here; answers are not awaited",
  )
  .option("--times <number>", "so many times as long: 0.1", positive, 1)
  .option("--json", "print what was measured as JSON")
  .parse();
const options = program.opts<{ gate?: GateName; url?: string; times: number; json?: true }>();

const REAL_TIME = {
  nowMs: () => performance.now(),
  sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
};
const all = gates();
const results: { gate: GateName; measured: Measured; broken: readonly string[] }[] = [];
for (const name of options.gate === undefined ? GATE_NAMES : [options.gate]) {
  const gate = shortened(all[name], options.times);
  console.error(`${name}: ${gate.what}`);
  const result = await (options.url === undefined ? onOurOwn(gate) : onYours(gate, options.url));
  results.push({ gate: name, measured: result, broken: broken(gate, result) });
  if (!options.json) console.log(words(name, result, broken(gate, result)));
}
if (options.json) console.log(JSON.stringify({ cores: availableParallelism(), results }, null, 2));
process.exit(results.every((one) => one.broken.length === 0) ? 0 : 1);

/** As it is shipped, with SQLite and the demo model, and a platform that takes its answers. */
async function onOurOwn(gate: ReturnType<typeof shortened>): Promise<Measured> {
  const platform = await startEchoPlatform();
  const slack = Object.entries(secretsOf()).filter(([name]) => name.startsWith("SLACK_"));
  const secrets = { ...Object.fromEntries(slack), ...platform.env };
  const env = benchEnv({ acceptOnly: false, secrets });
  const gateway = await startShipped(env);
  const cpuBefore = gateway.cpuMicros();
  try {
    const result = await drive({
      gate,
      url: `http://127.0.0.1:${gateway.port}`,
      webhook: webhookOf(KEYS.slack),
      answered: gate.answered === true ? (n) => platform.answered(n) : undefined,
      ...REAL_TIME,
    });
    const cpu = (gateway.cpuMicros() - cpuBefore) / 1e6 / result.seconds;
    console.error(`the gateway took ${(cpu * 100).toFixed(0)} % of a core`);
    return result;
  } finally {
    await gateway.stop();
    await platform.close();
  }
}

async function onYours(gate: ReturnType<typeof shortened>, url: string): Promise<Measured> {
  const secret = process.env.SLACK_SIGNING_SECRET ?? "";
  if (secret === "") program.error("expected SLACK_SIGNING_SECRET, got none", { exitCode: 2 });
  return await drive({ gate, url, webhook: webhookOf(secret), ...REAL_TIME });
}

function webhookOf(secret: string) {
  return (n: number) => {
    const id = String(n).padStart(7, "0");
    return slackSampler.build({
      ...{ kind: "dm", secret, text: textOf(n), id: `load ${process.pid} ${n}`, nowMs: Date.now() },
      ...{ user: `U${id}`, channel: `D${id}` },
    });
  };
}

function words(name: GateName, result: Measured, faults: readonly string[]): string {
  const ms = (value: number) => `${Math.round(value)} ms`;
  const { sent, failed, seconds, p50Ms, p95Ms, p99Ms, causes } = result;
  const why = Object.entries(causes).map(([cause, count]) => `${cause}: ${count}`);
  return [
    `${name}: ${faults.length === 0 ? "holds" : `BROKEN: ${faults.join("; ")}`}`,
    `  ${sent} in ${Math.round(seconds)} s (${(sent / seconds).toFixed(1)} a second), ${failed} failed${why.length === 0 ? "" : ` (${why.join(", ")})`}`,
    `  P50 ${ms(p50Ms)}, P95 ${ms(p95Ms)}, P99 ${ms(p99Ms)}`,
  ].join("\n");
}

function positive(text: string): number {
  const number = Number(text);
  if (!(number > 0 && Number.isFinite(number))) throw new InvalidArgumentError("Expected a number above 0.");
  return number;
}
