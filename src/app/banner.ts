import type { AddressInfo } from "node:net";
import type { App } from "../app.ts";
import type { Config } from "../config/load.ts";
import { OF_PROGRAMS } from "../domain/event.ts";
import type { PlatformModule, PlatformOff } from "../ports/platform.ts";
import { isWatchOpen } from "./edge.ts";

/** What a person at the terminal wants to know at start: where, what is on, what is missing, what to try. */
export function banner(app: App, config: Config, version: string): string {
  const { environment, gateway } = config;
  const { address, url } = addressOf(app);
  const webhooks = `${environment.publicUrl ?? url}/webhooks`;
  const isWorker = environment.role === "worker";
  const platforms = Object.entries(environment.platforms).map(([name, platform]) => {
    const label = `  ${name.padEnd(9)}`;
    if (gateway.platforms[name]?.enabled === false) return `${label} off   switched off in the configuration`;
    if ("missing" in platform) return `${label} off   ${whatIsMissing(platform, config.modules)}`;
    return `${label} on    ${isWorker ? "answers only" : `${webhooks}/${name}`}`;
  });
  const inbound = gateway.inbound.map(
    ({ name }) => `  ${name.padEnd(9)} ${isWorker ? "answers only" : `${webhooks}/${OF_PROGRAMS}/${name}`}`,
  );
  const agents = [...app.agents.modelNames].map(([agent, model]) => `  ${agent.padEnd(9)} ${model}`);
  return [
    `Parley ${version} listens on ${address}`,
    ...(environment.publicUrl === null ? [] : [`Reached from outside at ${environment.publicUrl}.`]),
    ...(environment.console === "off" ? [] : [`Console at ${url}/`]),
    ...metricsAddress(app, config),
    ...sharedStore(app, config),
    "",
    "Platforms",
    ...platforms,
    ...(inbound.length === 0 ? [] : ["", "Inbound webhooks", ...inbound]),
    "",
    "Agents",
    ...agents,
    ...demoNote(app),
    ...config.notes.map((note) => `Note: ${note}${/[.?!]$/.test(note) ? "" : "."}`),
    ...pausedNote(config),
    "",
    ...(isWorker ? ["Webhooks go to the replicas whose role is ingress or all."] : tryIt(app, config, url)),
    "",
  ].join("\n");
}

/** What this replica shares with others; nothing where there are none. */
function sharedStore({ storeReport }: App, { environment }: Config): string[] {
  if (environment.redisUrl === null) return [];
  const { processes, role } = environment;
  const count = processes === 1 ? "One process" : `${processes} processes`;
  return [`${count}, role ${role}. ${storeReport}.`];
}

function metricsAddress({ watch }: App, { environment }: Config): string[] {
  if (watch !== null) return [`Metrics at ${addressOf({ server: watch }).url}/metrics and nowhere else.`];
  return isWatchOpen(environment)
    ? [
        "Metrics are told to this machine and private networks, and to whom a proxy there passes on without saying so:",
        "PARLEY_METRICS_PORT or PARLEY_METRICS_TOKEN shuts them.",
      ]
    : [];
}

/** Where it listens, and an address that a person here can open: a wildcard is not one. */
function addressOf({ server }: Pick<App, "server">): { address: string; url: string } {
  const { address, port, family } = server.address() as AddressInfo;
  const url = `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
  const every = EVERY[address];
  if (every === undefined) return { address: url, url };
  return { address: `${url} (every ${every} of this machine)`, url: `http://127.0.0.1:${port}` };
}

const EVERY: Readonly<Record<string, string>> = { "0.0.0.0": "IPv4 address", "::": "address" };

/** Also what it can do without, but not everything: nobody who sets it up wants only that. */
function whatIsMissing({ missing, present }: PlatformOff, modules: readonly PlatformModule[]): string {
  const module = modules.find(({ needs }) => needs.some((name) => missing.includes(name)));
  const wanted = module?.variables.filter(({ without }) => without !== undefined) ?? [];
  const extra = wanted.map(({ name }) => name).filter((name) => !present.includes(name));
  return `${present.length > 0 ? "incomplete: " : ""}set ${[...missing, ...extra].join(", ")}`;
}

function demoNote({ agents }: App): string[] {
  const missing = [...new Set(agents.demoStandIns.values())].join(" and no ");
  return missing === ""
    ? []
    : [`  There is no ${missing}, so the demo model answers: it repeats what it is told.`];
}

function pausedNote({ environment, gateway }: Config): string[] {
  return environment.killSwitch || gateway.kill_switch
    ? ["The kill switch is on: messages are acknowledged and answered that the bot is paused."]
    : [];
}

function tryIt({ developers }: App, { environment }: Config, url: string): string[] {
  const curl = (extra: string) =>
    `  curl -s '${url}/webhooks/test?wait=10' -H 'content-type: application/json'${extra} -d '{"message":"hello"}'`;
  const { open, key, file } = developers;
  if (open) return ["Try it:", curl("")];
  if (key === null)
    return [
      `The test webhook is shut: no key could be left in ${environment.dataDir}. PARLEY_DEV_KEY opens it.`,
    ];
  if (file === null) return ["Try it:", curl(` -H "x-dev-key: $PARLEY_DEV_KEY"`)];
  // What is said on a terminal stays there; in production it goes where logs are kept.
  return environment.production
    ? ["Try it:", curl(` -H "x-dev-key: $(cat '${file.replaceAll("'", `'\\''`)}')"`)]
    : ["Try it:", curl(` -H 'x-dev-key: ${key.reveal()}'`)];
}
