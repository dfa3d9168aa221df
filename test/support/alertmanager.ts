import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { temporaryFolder } from "../e2e/gateway-process.ts";
import { launch } from "./child.ts";
import { freePort } from "./ports.ts";
import { optionalToolPath, toolPath } from "./tools.ts";

const TEMPLATES = "/usr/share/prometheus";
const SHIPPED = resolve(import.meta.dirname, "../../deploy/alertmanager/alertmanager.yml");

/** What a receiver is told, as Alertmanager's own webhook has it. */
export interface Notice {
  readonly receiver: string;
  readonly status: "firing" | "resolved";
  readonly groupLabels: Readonly<Record<string, string>>;
  readonly alerts: readonly {
    readonly status: "firing" | "resolved";
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  }[];
}

/** What came for the services themselves: Slack's messages and PagerDuty's events, as Alertmanager writes them. */
export interface Posted {
  readonly service: "slack" | "pagerduty";
  readonly body: unknown;
}

export interface Alertmanager extends AsyncDisposable {
  readonly url: string;
  /** Oldest first. */
  readonly notices: readonly Notice[];
  readonly posted: readonly Posted[];
  /** Resolves once this is so, looked at after each that comes. */
  heard(isSo: () => boolean): Promise<void>;
}

interface Config {
  global: Record<string, unknown>;
  route: { group_wait: string; group_interval: string };
  receivers: {
    name: string;
    email_configs?: unknown;
    pagerduty_configs?: { routing_key_file: string }[];
    slack_configs?: { api_url_file: string }[];
    webhook_configs?: unknown;
  }[];
}

/**
 * Debian's Alertmanager with the configuration that is shipped. Each receiver also tells this test, and those of Slack and
 * PagerDuty call it instead of them; the one of mail tells this test alone. `faster`: it waits so many times shorter.
 */
export async function startAlertmanager(faster: number): Promise<Alertmanager> {
  const receivers = await listen();
  const folder = temporaryFolder();
  writeFileSync(join(folder, "alertmanager.yml"), configFor(receivers.url, folder, faster));
  const port = await freePort();
  const child = launch([
    ...program(),
    `--config.file=${join(folder, "alertmanager.yml")}`,
    `--storage.path=${join(folder, "data")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--cluster.listen-address=",
  ]);
  await Promise.race([
    child.said("stderr", "Listening"),
    child.ended.then((ending) => {
      throw new Error(`Expected Alertmanager to run, got ${ending}:\n${child.output.stderr}`);
    }),
  ]);
  return {
    url: `http://127.0.0.1:${port}`,
    notices: receivers.notices,
    posted: receivers.posted,
    heard: receivers.heard,
    async [Symbol.asyncDispose]() {
      await child.end();
      await receivers[Symbol.asyncDispose]();
    },
  };
}

/** Debian's name, or its makers'. Debian's wants its templates where a package puts them, and ours is unpacked elsewhere. */
function program(): readonly string[] {
  const path = optionalToolPath("prometheus-alertmanager") ?? toolPath("alertmanager");
  const share = resolve(path, "../../share/prometheus");
  if (share === TEMPLATES || !existsSync(share)) return [path];
  const there = ["--tmpfs", "/usr/share", "--ro-bind", share, TEMPLATES];
  return [toolPath("bwrap"), "--die-with-parent", "--dev-bind", "/", "/", ...there, path];
}

function configFor(url: string, folder: string, faster: number): string {
  const config = parse(readFileSync(SHIPPED, "utf8")) as Config;
  const secrets = join(folder, "secrets");
  mkdirSync(secrets);
  const secret = (name: string, value: string) => {
    writeFileSync(join(secrets, name), value);
    return join(secrets, name);
  };
  config.global = {
    ...config.global,
    smtp_auth_password_file: secret("smtp_password", "none"),
    pagerduty_url: `${url}/service/pagerduty`,
  };
  const shorter = (duration: string) => `${Math.ceil(milliseconds(duration) / faster)}ms`;
  config.route.group_wait = shorter(config.route.group_wait);
  config.route.group_interval = shorter(config.route.group_interval);
  for (const receiver of config.receivers) {
    delete receiver.email_configs;
    for (const one of receiver.pagerduty_configs ?? [])
      one.routing_key_file = secret("pagerduty_routing_key", "0123456789abcdef0123456789abcdef");
    for (const one of receiver.slack_configs ?? [])
      one.api_url_file = secret("slack_webhook_url", `${url}/service/slack`);
    receiver.webhook_configs = [{ url: `${url}/receiver`, send_resolved: true }];
  }
  return stringify(config);
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** As Prometheus and Alertmanager write it. */
export function milliseconds(duration = "0s"): number {
  const [, count = "", unit = ""] = /^(\d+)(ms|[smh])$/.exec(duration) ?? [];
  return Number(count) * (UNITS_MS[unit] ?? Number.NaN);
}

async function listen() {
  const notices: Notice[] = [];
  const posted: Posted[] = [];
  const watchers = new Set<() => void>();
  const server = createServer((request, response) => {
    void request.toArray().then((chunks: Buffer[]) => {
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString("utf8"));
      if (request.url === "/receiver") notices.push(body as Notice);
      else posted.push({ service: request.url === "/service/slack" ? "slack" : "pagerduty", body });
      // PagerDuty's own answer to what it takes.
      response.writeHead(request.url === "/service/pagerduty" ? 202 : 200).end("ok");
      for (const watcher of watchers) watcher();
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    notices,
    posted,
    heard: (isSo: () => boolean) =>
      new Promise<void>((done) => {
        const look = () => {
          if (!isSo()) return;
          watchers.delete(look);
          done();
        };
        watchers.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
