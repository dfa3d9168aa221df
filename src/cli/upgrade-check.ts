import { closeSync, existsSync, openSync, readSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { Command } from "commander";
import type { ReplicasView } from "../admin/replicas.ts";
import type { Config } from "../config/load.ts";
import { formatProblem } from "../config/problems.ts";
import { GatewayError } from "../domain/errors.ts";
import { EXIT } from "../shared/exit.ts";
import { parseJsonObject } from "../shared/json.ts";
import { MIGRATIONS } from "../store/sqlite/migrations.ts";
import { systemClock } from "../system/clock.ts";
import { packageVersion } from "../system/version.ts";
import { ask, httpBase } from "./ask.ts";
import { backupAge } from "./compliance.ts";
import { load } from "./config.ts";
import { type Finding, fail, formatFinding, nodeFinding, ok, warn } from "./findings.ts";
import { inert } from "./printable.ts";
import type { Settle, Terminal } from "./terminal.ts";

interface Options {
  readonly config?: string;
  readonly url?: string;
  readonly json?: true;
}

export function addUpgradeCheck(program: Command, terminal: Terminal, settle: Settle): void {
  program
    .command("upgrade-check")
    .option("-c, --config <folder>", "folder of gateway.yaml and agents/ (default: PARLEY_CONFIG, or config)")
    .option("--url <url>", "a gateway that runs (default: PARLEY_URL, or this machine)")
    .option("--json", "print the findings as JSON")
    .addHelpText("after", HELP)
    .action(async (options: Options) => {
      const findings = await examine(terminal, options);
      if (options.json) terminal.out(`${inert(JSON.stringify(findings, null, 2))}\n`);
      else terminal.out(findings.map(formatFinding).join(""));
      settle(findings.some(({ status }) => status === "fail") ? EXIT.failed : EXIT.ok);
    });
}

const HELP = `
Nothing is changed. Run it from the new version, with the environment and the files of the gateway that runs; with its
PARLEY_ADMIN_TOKEN it also looks whether all replicas are of one version. Ends with 1 where something stands against it.

Examples:
  parley upgrade-check
  parley upgrade-check --json | jq '.[] | select(.status != "ok")'`;

async function examine(terminal: Terminal, options: Options): Promise<readonly Finding[]> {
  const loaded = load(terminal, options.config);
  const node = nodeFinding(process.version);
  if (!loaded.ok)
    return [
      node,
      ...loaded.problems.map((one) =>
        fail("configuration", formatProblem(one), "this version refuses it: see docs/configuration.md"),
      ),
    ];
  const { config } = loaded;
  const { port } = config.environment;
  const given = options.url ?? terminal.env.PARLEY_URL;
  const url = httpBase(
    options.url === undefined ? "PARLEY_URL" : "--url",
    given ?? `http://127.0.0.1:${port}`,
  );
  const version = packageVersion();
  const backups = await backupAge({ config, terminal, url, version, nowMs: systemClock.nowMs() });
  return [
    node,
    ok("configuration", "this version takes it"),
    ...config.notes.map((note) => warn("configuration", note, null)),
    ...(await running(config, url, version)),
    ...(await store(config)),
    // The way back is the copy from before.
    ...backups.map((one) => ({ ...one, check: "backup" })),
  ];
}

const TIMEOUT_MS = 3_000;

async function running(config: Config, url: string, version: string): Promise<readonly Finding[]> {
  const ready = await ask(`${url}/ready`, { method: "GET" }, TIMEOUT_MS);
  if (ready.kind === "unreachable") return [ok("version", `${version}; none runs at ${url}`)];
  const parsed = parseJsonObject(ready.body);
  const theirs = parsed.ok ? parsed.value.version : undefined;
  if (typeof theirs !== "string")
    return [warn("version", `something else than Parley answers at ${url}`, "give --url")];
  const isOlder = compare(version, theirs) < 0;
  return [
    isOlder
      ? fail(
          "version",
          `${theirs} runs, and this is the older ${version}`,
          "to go back, restore the copy from before",
        )
      : ok("version", `${theirs} runs, and this is ${version}`),
    ...(ready.status === 200
      ? []
      : [warn("ready", "what runs is not ready", "mend that first: an upgrade would hide it")]),
    ...(await replicas(config, url)),
  ];
}

/** By their numbers, as semantic versioning has it; what comes behind a hyphen is before its release. */
export function compare(one: string, other: string): number {
  const [a, b] = [one, other].map((version) => {
    const [numbers = "", pre] = version.split("-", 2);
    return [...numbers.split(".").map(Number), pre === undefined ? 1 : 0];
  });
  for (let i = 0; i < 4; i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

async function replicas({ environment: { adminToken } }: Config, url: string): Promise<readonly Finding[]> {
  if (adminToken === null) return [];
  const headers = { authorization: `Bearer ${adminToken.reveal()}` };
  const answer = await ask(`${url}/api/v1/replicas`, { headers }, TIMEOUT_MS);
  if (answer.kind === "unreachable" || answer.status !== 200)
    return [warn("replicas", "the gateway does not tell of them", "look at PARLEY_ADMIN_TOKEN")];
  const parsed = parseJsonObject(answer.body);
  const list = parsed.ok ? ((parsed.value as unknown as Partial<ReplicasView>).replicas ?? []) : [];
  const versions = [...new Set(list.map((one) => one.version))];
  return [
    versions.length > 1
      ? warn("replicas", `they are of ${versions.join(" and ")}`, "end the upgrade that is under way first")
      : ok("replicas", `${list.length}, all of one version`),
  ];
}

async function store(config: Config): Promise<readonly Finding[]> {
  if (config.environment.redisUrl !== null) {
    const { redisFindings } = await import("./redis-findings.ts");
    return await redisFindings(config);
  }
  const file = join(config.environment.dataDir, "parley.db");
  if (!existsSync(file)) return [ok("store", "will be made at the first start")];
  const theirs = await versionIn(file);
  if (theirs instanceof GatewayError)
    return [fail("store", `${theirs.code}: ${theirs.message}`, "see docs/errors.md")];
  if (theirs === null) return [fail("store", `${file} is no database of SQLite`, "see docs/errors.md")];
  const ours = MIGRATIONS.length;
  if (theirs > ours)
    return [
      fail(
        "store",
        `STORE_SCHEMA_NEWER: its schema is ${theirs}, this version knows ${ours}`,
        "restore an older copy",
      ),
    ];
  if (theirs === ours) return [ok("store", `its schema is ${theirs}, as this version has it`)];
  const { bavail, bsize } = statfsSync(config.environment.dataDir);
  const needed = 2 * statSync(file).size;
  const what = `the first start brings its schema from ${theirs} to ${ours}, and keeps ${file}.v${theirs}`;
  return [
    bavail * bsize > needed
      ? ok("store", what)
      : fail(
          "store",
          `${what}: for that ${needed} bytes have to be free`,
          "make room, see docs/maintenance.md",
        ),
  ];
}

/** Big-endian, at this place of the first page: where a gateway has the file locked, it can still be read. */
const USER_VERSION_AT = 60;

/** An error where it is damaged; null where it is something else. */
async function versionIn(file: string): Promise<number | GatewayError | null> {
  const written = versionInHeader(file);
  if (written === null) return null;
  const { logBytes, versionOfIdle } = await import("../store/sqlite/examine.ts");
  if (logBytes(file) === 0) return written;
  try {
    return versionOfIdle(file);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return error.code === "STORE_LOCKED" ? written : error;
  }
}

function versionInHeader(file: string): number | null {
  const head = Buffer.alloc(USER_VERSION_AT + 4);
  const opened = openSync(file, "r");
  try {
    const isDatabase =
      readSync(opened, head) === head.length && head.toString("latin1", 0, 15) === "SQLite format 3";
    return isDatabase ? head.readUInt32BE(USER_VERSION_AT) : null;
  } finally {
    closeSync(opened);
  }
}
