import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import type { Command } from "commander";
import { MODULES } from "../../adapters/index.ts";
import { type ConfigReader, createEnvReader } from "../config/env-reader.ts";
import { type Environment, readEnvironment } from "../config/environment.ts";
import type { Config } from "../config/load.ts";
import { formatProblem } from "../config/problems.ts";
import { variablesOf } from "../config/variables.ts";
import { GatewayError } from "../domain/errors.ts";
import type { PlatformModule } from "../ports/platform.ts";
import type { ProbeFinding } from "../ports/probe-finding.ts";
import { EXIT } from "../shared/exit.ts";
import { fileOf, slotsIn } from "../store/spool/slots.ts";
import { inspectFile, logBytes } from "../store/sqlite/examine.ts";
import { describeAt } from "../store/sqlite/obstacle.ts";
import { openToOthers } from "../store/sqlite/privacy.ts";
import { systemClock } from "../system/clock.ts";
import { packageVersion } from "../system/version.ts";
import { type Asked, ask, httpBase } from "./ask.ts";
import { configOf } from "./backup.ts";
import { load } from "./config.ts";
import {
  clockFinding,
  dataFinding,
  type Finding,
  fail,
  formatFinding,
  gatewayFinding,
  metricsFinding,
  nodeFinding,
  ok,
  platformFindings,
  tryPort,
  warn,
} from "./findings.ts";
import { installationFindings } from "./installation-findings.ts";
import { mediaFinding } from "./media-findings.ts";
import { modelFindings } from "./model-findings.ts";
import { inert } from "./printable.ts";
import { openSetup } from "./setup.ts";
import type { Settle, Terminal } from "./terminal.ts";

const TIMEOUT_MS = 3_000;

/** Looks through the database's file. `locked`: another process has it. */
type TryStore = (file: string) => "opened" | "locked" | { readonly problem: string };

export function addDoctor(program: Command, terminal: Terminal, settle: Settle): void {
  program
    .command("doctor")
    .option("-c, --config <folder>", "folder of gateway.yaml and agents/ (default: PARLEY_CONFIG, or config)")
    .option("--url <url>", "a gateway to ask as well, such as its public address")
    .option("--offline", "ask nobody: neither the platforms, nor the model, nor hooks")
    .option(
      "--compliance",
      "instead, look at encryption, access, audit, backups and contacts, and store a report",
    )
    .option("--reports <folder>", "where reports of --compliance are stored", "compliance")
    .option("--json", "print the findings as JSON; with --compliance, the report")
    .addHelpText(
      "after",
      "\nExamples:\n  parley doctor\n  parley doctor --json | jq '.[] | select(.status != \"ok\")'",
    )
    .action(async (options: Options & ReportOptions) => {
      if (options.compliance) return settle(await reportCompliance(terminal, options));
      const findings = await examine(terminal, options, tryStore);
      if (options.json) terminal.out(`${inert(JSON.stringify(findings, null, 2))}\n`);
      else terminal.out(findings.map(formatFinding).join(""));
      settle(findings.some((one) => one.status === "fail") ? EXIT.failed : EXIT.ok);
    });
}

interface Options {
  readonly config?: string;
  readonly url?: string;
  readonly offline?: true;
}

interface ReportOptions {
  readonly json?: true;
  readonly compliance?: true;
  readonly reports: string;
}

/** Gives the exit code. */
async function reportCompliance(terminal: Terminal, options: Options & ReportOptions): Promise<number> {
  const { examineCompliance, lastReport, storeReport } = await import("./compliance.ts");
  const config = configOf(terminal, options.config);
  const { host, port } = config.environment;
  const asked = options.url ?? terminal.env.PARLEY_URL ?? `http://${reachable(host)}:${port}`;
  const folder = resolve(terminal.cwd, options.reports);
  const before = lastReport(folder);
  const nowMs = systemClock.nowMs();
  const report = await examineCompliance({
    ...{ config, terminal, url: httpBase(options.url === undefined ? "PARLEY_URL" : "--url", asked) },
    ...{ version: packageVersion(), nowMs },
  });
  const path = storeReport(folder, report);
  if (options.json) terminal.out(`${inert(JSON.stringify(report, null, 2))}\n`);
  else terminal.out(report.checks.map(formatFinding).join(""));
  if (before !== null && Date.parse(before.next_at) < nowMs)
    terminal.talk(
      `The one before was of ${inert(before.at)}, and this one was due ${inert(before.next_at)}\n`,
    );
  terminal.talk(`${report.result}; stored in ${inert(path)}; the next is due ${report.next_at}\n`);
  return report.result === "failed" ? EXIT.failed : EXIT.ok;
}

/** Nothing is changed; hooks get a message that says so. Each credential is shown to the API that it is for, and to nobody else. */
async function examine(terminal: Terminal, options: Options, store: TryStore): Promise<Finding[]> {
  const url = options.url === undefined ? null : httpBase("--url", options.url);
  const loaded = load(terminal, options.config);
  const { environment } = readEnvironment(terminal.env, terminal.cwd, MODULES);
  const reader = createEnvReader(terminal.env, terminal.cwd, variablesOf(MODULES));
  const config = loaded.ok ? loaded.config : null;
  const isOffline = options.offline === true;
  const [times, model, probed] = await Promise.all([
    Promise.all(isOffline ? [] : apisOf(environment).map(askTime)),
    modelFindings(environment, config?.agents ?? null, isOffline ? null : TIMEOUT_MS),
    config === null || isOffline ? NOT_PROBED : probeAll(config, reader),
  ]);
  const nowMs = systemClock.nowMs();
  const answers = [...model.answers, ...times];

  return [
    nodeFinding(process.version),
    ...configFindings(loaded.ok ? [] : loaded.problems.map(formatProblem), config?.notes ?? []),
    ...platformFindings({
      modules: MODULES,
      platforms: environment.platforms,
      spec: config?.gateway ?? null,
      probed,
      isSet: (name) => reader.text(name) !== null,
    }),
    ...model.findings,
    ...(config === null || isOffline ? [] : await findingsOfTools(config)),
    ...(config === null ? [] : await findingsOfHooks(config, isOffline)),
    clockFinding(answers, nowMs),
    dataFinding(environment.dataDir, terminal.cwd),
    ...(config === null ? [] : [...(await storeFindings(config, store)), mediaFinding(config, terminal.cwd)]),
    ...(await listenFindings(environment, isOffline)),
    metricsFinding(environment),
    ...(url === null ? [] : [gatewayFinding(url, await askReady(url))]),
  ];
}

/** Where those are that are used. */
function apisOf({ platforms }: Environment): string[] {
  return MODULES.flatMap((module) => {
    const settings = platforms[module.name];
    return settings === undefined || "missing" in settings ? [] : (module.api(settings) ?? []);
  });
}

const NOT_PROBED: ReadonlyMap<string, readonly ProbeFinding[]> = new Map();

async function probeAll(config: Config, env: ConfigReader): Promise<typeof NOT_PROBED> {
  const { probePlatforms } = await import("../app/platforms.ts");
  const context = { clock: systemClock, random: Math.random };
  const { signal } = new AbortController();
  const setUp = async (module: PlatformModule) =>
    await (await openSetup(module, config, { url: undefined, flags: {}, env }))?.check(signal);
  return await probePlatforms(config, context, setUp, signal);
}

/** Loaded only where an agent has tools. */
async function findingsOfTools(config: Config): Promise<readonly Finding[]> {
  if (![...config.agents.values()].some(({ tools }) => tools.length > 0)) return [];
  const { toolFindings } = await import("./tool-findings.ts");
  return await toolFindings(config);
}

/** Loaded only where there are hooks, or webhooks of programs. */
async function findingsOfHooks({ gateway }: Config, isOffline: boolean): Promise<readonly Finding[]> {
  if (gateway.hooks.length + gateway.inbound.length === 0) return [];
  const { hookFindings, inboundFindings } = await import("./hook-findings.ts");
  return [
    ...(await hookFindings(gateway.hooks, isOffline ? null : TIMEOUT_MS)),
    ...inboundFindings(gateway.inbound),
  ];
}

async function askTime(url: string): Promise<Asked> {
  return await ask(url, { method: "HEAD" }, TIMEOUT_MS);
}

async function askReady(url: string): Promise<Asked> {
  return await ask(`${url}/ready`, { method: "GET" }, TIMEOUT_MS);
}

function configFindings(problems: readonly string[], notes: readonly string[]): Finding[] {
  if (problems.length === 0)
    return [ok("configuration", "valid"), ...notes.map((note) => warn("configuration", note, null))];
  return problems.map((problem) => fail("configuration", problem, "see docs/configuration.md"));
}

async function storeFindings(config: Config, store: TryStore): Promise<Finding[]> {
  const { dataDir, redisUrl } = config.environment;
  const spools = looking("spool", dataDir, () => spoolFindings(dataDir, store));
  if (redisUrl === null) return [...looking("store", dataDir, () => fileFindings(dataDir, store)), ...spools];
  const { redisFindings } = await import("./redis-findings.ts");
  return [...(await redisFindings(config)), ...spools];
}

/** That the system lets us not even look, as at a folder of another user, is a finding too. */
function looking(check: string, dataDir: string, look: () => Finding[]): Finding[] {
  try {
    return look();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    const what = describeAt(join(dataDir, "parley.db"), error);
    return [fail(check, what, "start it as the user who owns the folder, or set PARLEY_DATA_DIR")];
  }
}

/** What was acknowledged while Redis was away, also where there is none any more. */
function spoolFindings(dataDir: string, store: TryStore): Finding[] {
  if (!existsSync(dataDir) || !statSync(dataDir).isDirectory()) return [];
  return slotsIn(dataDir).map((number) => {
    const result = store(fileOf(dataDir, number));
    const name = `spool-${number}.db`;
    if (result === "opened") return ok("spool", `${name} can be opened, and is whole`);
    if (result === "locked") return ok("spool", `${name} is in use: a gateway is running`);
    return fail("spool", result.problem, "see docs/errors.md; what it holds was acknowledged");
  });
}

function fileFindings(dataDir: string, store: TryStore): Finding[] {
  const file = join(dataDir, "parley.db");
  if (!existsSync(file) && logBytes(file) === 0) return [ok("store", "will be made at the first start")];
  const open = openToOthers(file).map((path) =>
    warn("store", `${path} is open to other users`, "chmod 700 the folder and 600 its files; a start does"),
  );
  return [storeFinding(store(file)), ...open];
}

function storeFinding(result: ReturnType<TryStore>): Finding {
  if (result === "opened") return ok("store", "can be opened, and is whole");
  if (result === "locked") return ok("store", "in use: a gateway is running");
  return fail("store", result.problem, "see docs/errors.md");
}

async function listenFindings(
  { host, port, adminToken }: Environment,
  isOffline: boolean,
): Promise<Finding[]> {
  if (port === 0) return [ok("port", "a free one is taken at each start")];
  const state = await tryPort(port, host);
  if (state === "free") return [ok("port", `${host}:${port} is free`)];
  if (state !== "taken")
    return [
      fail("port", `expected to listen on ${host}:${port}, got ${state}`, "set PARLEY_PORT or PARLEY_HOST"),
    ];
  const url = `http://${reachable(host)}:${port}`;
  const ready = await askReady(url);
  const isOurs = ready.kind === "answered" && ready.status === 200;
  return [
    gatewayFinding(url, ready),
    ...(isOurs && !isOffline ? await installationFindings(url, adminToken) : []),
  ];
}

/** Who listens everywhere is found here; an address of version 6 stands in brackets. */
function reachable(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

const tryStore: TryStore = (file) => {
  try {
    inspectFile(file);
    return "opened";
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return error.code === "STORE_LOCKED" ? "locked" : { problem: `${error.code}: ${error.message}` };
  }
};
