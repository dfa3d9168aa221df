import { randomUUID } from "node:crypto";
import { lstatSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join, relative } from "node:path";
import { styleText } from "node:util";
import { isWatchOpen } from "../app/edge.ts";
import type { Environment } from "../config/environment.ts";
import type { GatewaySpec } from "../config/schema.ts";
import type { ProbeFinding } from "../ports/adapter.ts";
import type { PlatformModule } from "../ports/platform.ts";
import { errnoOf } from "../shared/fault.ts";
import { type Asked, isRedirect } from "./ask.ts";
import { inert } from "./printable.ts";

/** What one look found. */
export interface Finding {
  readonly check: string;
  readonly status: "ok" | "warn" | "fail";
  readonly message: string;
  /** What to do; null when there is nothing to do. */
  readonly fix: string | null;
}

export function ok(check: string, message: string): Finding {
  return { check, status: "ok", message, fix: null };
}

export function warn(check: string, message: string, fix: string | null): Finding {
  return { check, status: "warn", message, fix };
}

export function fail(check: string, message: string, fix: string): Finding {
  return { check, status: "fail", message, fix };
}

const MARKS = {
  ok: styleText("green", "ok  "),
  warn: styleText("yellow", "warn"),
  fail: styleText("red", "FAIL"),
} as const;

/** On a line, and what to do on the next. */
export function formatFinding({ check, status, message, fix }: Finding): string {
  const advice = fix === null ? "" : `\n${" ".repeat(20)}→ ${fix}`;
  return `${MARKS[status]} ${check.padEnd(15)}${inert(message)}${advice}\n`;
}

export function nodeFinding(version: string): Finding {
  const major = Number(version.replace(/^v/, "").split(".")[0]);
  return major >= 24
    ? ok("node", `Node ${version}`)
    : fail(
        "node",
        `expected Node 24 or newer, got ${version}`,
        "install Node 24, or start Parley through bin/parley.js",
      );
}

export interface PlatformLook {
  readonly modules: readonly PlatformModule[];
  readonly platforms: Environment["platforms"];
  /** Null: the configuration is not valid. */
  readonly spec: GatewaySpec | null;
  readonly probed: ReadonlyMap<string, readonly ProbeFinding[]>;
  readonly isSet: (variable: string) => boolean;
}

/** What its API says of a platform's credentials takes the place of "on"; without it they were not tried. */
export function platformFindings({ modules, platforms, spec, probed, isSet }: PlatformLook): Finding[] {
  return modules.flatMap(({ name, variables }) => {
    const platform = platforms[name];
    if (platform === undefined) return [];
    if (spec?.platforms[name]?.enabled === false) return ok(name, "off in gateway.yaml");
    if (!("missing" in platform)) {
      const found = probed
        .get(name)
        ?.map(({ status, message, fix }) => ({ check: name, status, message, fix }));
      const lacking = variables
        .filter((one) => one.without !== undefined && !isSet(one.name))
        .map((one) => warn(name, `on, but it cannot ${one.without}`, `set ${one.name}`));
      return [...lacking, ...(found ?? [ok(name, "on: its secrets are present, and were not tried")])];
    }
    if (platform.present.length === 0) return ok(name, "off: none of its secrets is set");
    const missing = platform.missing.join(" and ");
    return warn(name, `off: ${platform.present.join(", ")} is set, ${missing} is not`, `set ${missing}`);
  });
}

const SKEW_WARN_MS = 60_000;
/** Where a time is signed, we refuse what is more than 300 s away; a margin for the way is kept. */
const SKEW_FAIL_MS = 240_000;

/** Our clock beside the first `Date` among the answers; `nowMs` is when they had come. */
export function clockFinding(answers: readonly Asked[], nowMs: number): Finding {
  const answer = answers.find((one) => one.kind === "answered" && one.headers.has("date"));
  const theirsMs = answer?.kind === "answered" ? Date.parse(answer.headers.get("date") ?? "") : Number.NaN;
  if (Number.isNaN(theirsMs)) return ok("clock", "not checked: no API to compare with");
  const skewMs = Math.abs(nowMs - theirsMs);
  const message = `the clock is ${Math.round(skewMs / 1000)} s away from an API's`;
  const fix = "synchronise the clock (NTP): requests signed more than 300 s away are refused";
  if (skewMs >= SKEW_FAIL_MS) return fail("clock", message, fix);
  return skewMs >= SKEW_WARN_MS ? warn("clock", message, fix) : ok("clock", "the clock agrees with an API's");
}

/** Whether the folder, or the one it would be made in, takes files. */
export function dataFinding(dataDir: string, cwd: string): Finding {
  const name = relative(cwd, dataDir) || ".";
  let folder = dataDir;
  try {
    // A link that leads nowhere is there, and takes nothing.
    while (lstatSync(folder, { throwIfNoEntry: false }) === undefined && folder !== dirname(folder))
      folder = dirname(folder);
    rmSync(mkdtempSync(join(folder, `.parley-${randomUUID()}`)), { recursive: true });
  } catch (error) {
    const code = errnoOf(error);
    return fail(
      "data",
      `expected to write to ${name}, got ${code}`,
      "set PARLEY_DATA_DIR, or the owner of the folder",
    );
  }
  return ok("data", folder === dataDir ? `${name} takes files` : `${name} will be made at the first start`);
}

/** `free`, `taken`, or the system's code. */
export function tryPort(port: number, host: string): Promise<string> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      resolve(error.code === "EADDRINUSE" ? "taken" : (error.code ?? "an error")),
    );
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve("free")));
  });
}

/** Whether a proxy that shows itself in nothing lets the outside see agents, models and costs. */
export function metricsFinding(environment: Environment): Finding {
  const { metricsPort, metricsToken } = environment;
  if (metricsPort !== null) return ok("metrics", "on a port of their own");
  if (metricsToken !== null) return ok("metrics", "for whoever has the token");
  return isWatchOpen(environment)
    ? warn(
        "metrics",
        "told to this machine and private networks, and to whom a proxy there passes on without saying so",
        "set PARLEY_METRICS_PORT or PARLEY_METRICS_TOKEN",
      )
    : ok("metrics", "told to this machine and private networks");
}

/** What an answer to `GET /ready` says about the gateway. */
export function gatewayFinding(url: string, answer: Asked): Finding {
  if (answer.kind === "unreachable")
    return fail(
      "gateway",
      `nothing answers at ${url} (${answer.code})`,
      "start it with parley serve, or check the address",
    );
  if (isRedirect(answer.status))
    return fail(
      "gateway",
      `${url} leads elsewhere (${answer.status}), which is not followed`,
      "give the address that it leads to, or look at the proxy",
    );
  const report = readyReport(answer.body);
  if (report === null)
    return fail("gateway", `something else than Parley answers at ${url}`, "choose another port");
  const told = (status: string) =>
    Object.entries(report)
      .filter(([, one]) => one.status === status)
      .map(([name, one]) => (one.details === undefined ? name : `${name} (${one.details})`))
      .join(", ");
  if (answer.status !== 200) {
    const failed = told("failed") || answer.status;
    return fail("gateway", `${url} is not ready: ${failed}`, "see what it logs");
  }
  const degraded = told("degraded");
  return degraded === ""
    ? ok("gateway", `${url} is ready`)
    : warn("gateway", `${url} is ready, but not well: ${degraded}`, "see docs/errors.md");
}

function readyReport(body: string): Record<string, { status?: string; details?: string }> | null {
  try {
    const { components } = JSON.parse(body) as { components?: unknown };
    return typeof components === "object" && components !== null
      ? (components as ReturnType<typeof readyReport>)
      : null;
  } catch {
    return null;
  }
}
