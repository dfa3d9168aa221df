import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { MODULES } from "../../adapters/index.ts";
import { isWatchOpen } from "../app/edge.ts";
import { archivesIn } from "../backup/retention.ts";
import { verifyArchive } from "../backup/verify.ts";
import type { Config } from "../config/load.ts";
import { sandboxOf } from "../config/tools-schema.ts";
import { isLoopbackHost } from "../domain/loopback.ts";
import { messageOf } from "../shared/fault.ts";
import { isObject, parseJsonObject } from "../shared/json.ts";
import { DAY_MS, iso } from "../shared/time.ts";
import { ask } from "./ask.ts";
import { type Finding, fail, ok, warn } from "./findings.ts";
import { lookAtSecrets } from "./secret-look.ts";
import type { Terminal } from "./terminal.ts";

/** One look at whether the gateway is run as it should be, for whoever has to show it later. */
export interface ComplianceReport {
  readonly format: 1;
  readonly version: string;
  readonly host: string;
  readonly configuration: string;
  readonly at: string;
  /** When to look again. */
  readonly next_at: string;
  readonly result: "passed" | "failed";
  readonly checks: readonly Finding[];
}

export interface ComplianceLook {
  readonly config: Config;
  readonly terminal: Pick<Terminal, "env" | "cwd">;
  /** Where the gateway is. */
  readonly url: string;
  readonly version: string;
  readonly nowMs: number;
}

export async function examineCompliance(look: ComplianceLook): Promise<ComplianceReport> {
  const { config, version, nowMs } = look;
  const checks = [
    ...encryption(config),
    ...access(look),
    ...(await audit(look)),
    ...(await backupAge(look)),
    ...contacts(look),
  ];
  return {
    ...{ format: 1, version, host: hostname(), configuration: config.digest },
    at: iso(nowMs),
    next_at: iso(nowMs + config.gateway.compliance.every_days * DAY_MS),
    result: checks.some(({ status }) => status === "fail") ? "failed" : "passed",
    checks,
  };
}

/** Each check tells all that is amiss, or that nothing is. */
function judged(check: string, findings: readonly (Finding | false)[], well: string): readonly Finding[] {
  const amiss = findings.filter((one) => one !== false);
  return amiss.length > 0 ? amiss : [ok(check, well)];
}

function encryption({ environment, gateway }: Config): readonly Finding[] {
  const { redisUrl, publicUrl, seal, anthropic, openai, traces, platforms } = environment;
  const check = "encryption";
  const { disk } = gateway.compliance;
  const apis = MODULES.flatMap((module) => {
    const settings = platforms[module.name];
    const url = settings?.kind === "on" ? module.api(settings) : null;
    return url === null || url === undefined ? [] : [[`the API of ${module.label}`, url] as const];
  });
  const ways: readonly (readonly [string, string | null])[] = [
    ["REDIS_URL", redisUrl?.reveal() ?? null],
    ["PARLEY_PUBLIC_URL", publicUrl],
    ["ANTHROPIC_BASE_URL", anthropic?.baseUrl ?? null],
    ["OPENAI_BASE_URL", openai.baseUrl],
    ["OTEL_EXPORTER_OTLP_ENDPOINT", traces?.endpoint ?? null],
    ...apis,
  ];
  const plain = ways.filter(([, url]) => url !== null && isPlain(url)).map(([name]) => name);
  return judged(
    check,
    [
      ...plain.map((name) =>
        fail(check, `${name} leads over the network without TLS`, "use https:// or rediss://"),
      ),
      publicUrl === null &&
        warn(check, "nobody has said how platforms and people reach it", "set PARLEY_PUBLIC_URL"),
      disk === "unencrypted" &&
        fail(check, "the disks are not encrypted", "encrypt the disks of the data folder and of the backups"),
      disk === "unknown" &&
        warn(check, "nobody has said whether the disks are encrypted", "set compliance.disk in gateway.yaml"),
      seal === null &&
        warn(
          check,
          "tokens of installations could not be kept: there is no key",
          "set PARLEY_ENCRYPTION_KEY",
        ),
    ],
    "on every way out of this machine, on the disks, and of tokens in the store",
  );
}

function isPlain(url: string): boolean {
  const { protocol, host } = new URL(url);
  return /^(?:http|redis):$/.test(protocol) && !isLoopbackHost(host);
}

function access({ config, terminal }: ComplianceLook): readonly Finding[] {
  const { environment } = config;
  const check = "access";
  const { dataDir, adminToken, production } = environment;
  const wrong = lookAtSecrets({ env: terminal.env, cwd: terminal.cwd, modules: MODULES }).flatMap(
    ({ name, status, findings }) =>
      findings.map((finding) =>
        (status === "fail" ? fail : warn)(check, `${name}: ${finding}`, "see parley secrets check"),
      ),
  );
  const mode = statSync(dataDir, { throwIfNoEntry: false })?.mode ?? 0;
  return judged(
    check,
    [
      ...wrong,
      (mode & 0o077) !== 0 && fail(check, `${dataDir} is open to other users`, "chmod 700 it; a start does"),
      adminToken === null &&
        warn(check, "nobody can pause it, or look at what was refused", "set PARLEY_ADMIN_TOKEN"),
      isWatchOpen(environment) &&
        warn(check, "metrics are told without a token", "set PARLEY_METRICS_PORT or PARLEY_METRICS_TOKEN"),
      ...openPrograms(config).map((name) =>
        warn(
          check,
          `the program of the tool ${name} can read what the gateway can, its secrets too`,
          "set tools.sandbox in gateway.yaml, or sandbox of the tool",
        ),
      ),
      !production && warn(check, "it does not run as in production", "set PARLEY_ENV=production"),
    ],
    "secrets can be used and are for us alone, as the data folder is; metrics and API ask for a token",
  );
}

/** Programs of tools that are in no sandbox, as `agent/tool`. */
function openPrograms({ agents }: Config): readonly string[] {
  return [...agents].flatMap(([agent, { tools }]) =>
    tools.filter((spec) => sandboxOf(spec) === false).map(({ name }) => `${agent}/${name}`),
  );
}

const TIMEOUT_MS = 5_000;

/** The gateway keeps it: who has changed what, each entry bound to the one before. */
async function audit({ config, url }: ComplianceLook): Promise<readonly Finding[]> {
  const check = "audit";
  const { adminToken } = config.environment;
  if (adminToken === null)
    return [fail(check, "without PARLEY_ADMIN_TOKEN nobody can read it", "set PARLEY_ADMIN_TOKEN")];
  const headers = { authorization: `Bearer ${adminToken.reveal()}` };
  const answer = await ask(`${url}/api/v1/audit?limit=1`, { headers }, TIMEOUT_MS);
  if (answer.kind === "unreachable")
    return [fail(check, `nothing answers at ${url} (${answer.code})`, "start the gateway, or give --url")];
  if (answer.status !== 200)
    return [
      fail(
        check,
        `${url} does not tell of it (${answer.status})`,
        "look at PARLEY_ADMIN_TOKEN and the version",
      ),
    ];
  const parsed = parseJsonObject(answer.body);
  const entries = parsed.ok ? Object.values(parsed.value).find(Array.isArray) : undefined;
  if (entries === undefined)
    return [fail(check, `something else than Parley answers at ${url}`, "check the address")];
  return entries.every((one) => isObject(one) && typeof one.hash === "string")
    ? [
        ok(
          check,
          `it is kept, ${entries.length === 0 ? "and empty so far" : "each entry bound to the one before"}`,
        ),
      ]
    : [fail(check, "its entries are not bound to each other", "upgrade the gateway")];
}

export async function backupAge({ config, terminal, nowMs }: ComplianceLook): Promise<readonly Finding[]> {
  const check = "backup";
  const { backups, backup_hours } = config.gateway.compliance;
  const folder = resolve(terminal.cwd, backups);
  const all = existsSync(folder) ? await archivesIn(folder) : [];
  const newest = all.find(({ manifest }) => manifest.kind === "full");
  if (newest === undefined) return [fail(check, `none in ${folder}`, `parley backup --to ${backups}`)];
  const hours = Math.floor((nowMs - Date.parse(newest.manifest.created_at)) / 3_600_000);
  const tooOld = hours >= backup_hours;
  try {
    await verifyArchive(join(folder, newest.name));
  } catch (error) {
    return [fail(check, `${newest.name} is damaged: ${messageOf(error)}`, `parley backup --to ${backups}`)];
  }
  const what = `${newest.name} is ${hours} hours old and whole`;
  return [
    tooOld
      ? fail(check, `${what}, older than ${backup_hours} hours`, `parley backup --to ${backups}`)
      : ok(check, what),
  ];
}

function contacts({ config, nowMs }: ComplianceLook): readonly Finding[] {
  const check = "contacts";
  const { contacts, reviewed, every_days } = config.gateway.compliance;
  const missing = (["security", "operations"] as const).filter(
    (role) => !contacts.some((one) => one.role === role),
  );
  const ageDays = reviewed === undefined ? null : Math.floor((nowMs - Date.parse(reviewed)) / DAY_MS);
  return judged(
    check,
    [
      ...missing.map((role) =>
        fail(check, `nobody is named for ${role}`, "set compliance.contacts in gateway.yaml"),
      ),
      ageDays === null
        ? fail(check, "nobody has tried whether they can be reached", "try it, and set compliance.reviewed")
        : ageDays > every_days &&
          fail(
            check,
            `they were tried ${ageDays} days ago, more than ${every_days}`,
            "try them, and set compliance.reviewed",
          ),
    ],
    `${contacts.length} of them, tried ${ageDays} days ago`,
  );
}

/** Gives the path of what was stored. */
export function storeReport(folder: string, report: ComplianceReport): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, `compliance-${report.at.replaceAll(/[-:.]/g, "")}.json`);
  writeFileSync(path, `${JSON.stringify(report, null, 2)}\n`, { mode: 0o600, flag: "wx" });
  return path;
}

/** The last one that was stored there; null: there is none that can be read. */
export function lastReport(folder: string): Pick<ComplianceReport, "at" | "next_at"> | null {
  if (!existsSync(folder)) return null;
  const names = readdirSync(folder).filter((name) => /^compliance-\w+\.json$/.test(name));
  const newest = names.sort().at(-1);
  const parsed = newest === undefined ? null : parseJsonObject(readFileSync(join(folder, newest), "utf8"));
  if (parsed?.ok !== true) return null;
  const { at, next_at } = parsed.value;
  return typeof at === "string" && typeof next_at === "string" ? { at, next_at } : null;
}
