import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { load, problemsOf } from "../config/helpers.ts";
import { launch } from "../support/child.ts";
import { freePort } from "../support/ports.ts";
import { checkProxy } from "../support/proxies.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { toolPath } from "../support/tools.ts";
import { composed, type Service } from "./composed.ts";
import { COMPOSE_EDGE, composeEdge } from "./haproxy-compose.ts";
import { ROOT } from "./rule-files.ts";

const DEPLOY = join(ROOT, "deploy");
const FILES = readdirSync(DEPLOY).filter((name) => /^compose\b.*\.yaml$/.test(name));
const BASE = "compose.yaml";
const REDIS = "compose.redis.yaml";
const PROD = [BASE, REDIS, "compose.prod.yaml"];
/** As the pages and the files themselves say that they are put together. */
const FORMS: readonly (readonly string[])[] = [
  [BASE],
  [BASE, "compose.dev.yaml"],
  [BASE, "compose.monitoring.yaml"],
  [BASE, REDIS],
  [BASE, REDIS, "compose.sentinel.yaml"],
  [BASE, REDIS, "compose.cluster.yaml"],
  PROD,
  [...PROD, "compose.scale.yaml"],
  [...PROD, "compose.scale.yaml", "compose.sentinel.yaml", "compose.monitoring.yaml"],
];

/** Style is the formatter's; the image is built under the name that others run; the proxy is what is to be reached. */
const OFF = [
  "no-build-and-image",
  "no-unbound-port-interfaces",
  "require-project-name-field",
  "require-quotes-in-ports",
  "service-keys-order",
  "services-alphabetical-order",
].flatMap((rule) => ["--disable-rule", rule]);

function lint(file: string) {
  const bin = join(ROOT, "node_modules/dclint/bin/dclint.cjs");
  return spawnSync(process.execPath, [bin, file, "--color=false", "--max-warnings=0", ...OFF], {
    encoding: "utf8",
  });
}

describe.each(FILES)("%s", (name) => {
  const file = join(DEPLOY, name);

  it("is what the Compose specification allows", () => {
    const { status, stdout } = lint(file);
    expect([status, stdout.trim()]).toEqual([0, ""]);
  });

  it("says how it is put together with others, and that is tried here", () => {
    const text = readFileSync(file, "utf8");
    const [, files = ""] = /^#\s+docker compose((?: -f \S+)+)/m.exec(text) ?? [];
    const names = [...files.matchAll(/-f deploy\/(\S+)/g)].map(([, one = ""]) => one);
    expect(names).toContain(name);
    expect(FORMS.some((form) => form.join() === names.join())).toBe(true);
  });
});

it("a key that Compose does not know would be told", () => {
  const folder = mkdtempSync(join(tmpdir(), "parley-compose-"));
  const file = join(folder, "compose.yaml");
  writeFileSync(file, readFileSync(join(DEPLOY, BASE), "utf8").replace("cap_drop:", "capdrop:"));
  expect(lint(file).status).not.toBe(0);
  rmSync(folder, { recursive: true });
});

describe.each(FORMS.map((form) => [form.join(" + "), composed(...form)] as const))("%s", (_, services) => {
  const all = Object.entries(services);

  it("shuts every service in, keeps its log short, and starts it again", () => {
    for (const [name, service] of all) {
      const { restart, cap_drop, security_opt, logging, image = "" } = service;
      expect([name, restart, cap_drop, security_opt]).toEqual([
        name,
        "unless-stopped",
        ["ALL"],
        ["no-new-privileges:true"],
      ]);
      expect([name, logging?.options]).toEqual([name, { "max-size": "100m", "max-file": "5" }]);
      expect(image).toMatch(/:v?\d+\.\d+\.\d+/);
    }
  });

  it("publishes nothing but the proxy to the outside, and nothing of what there are several", () => {
    for (const [name, { ports = [], deploy, container_name }] of all) {
      const outside = ports.filter((port) => !port.startsWith("127.0.0.1:"));
      expect([name, outside]).toEqual([name, name === "proxy" ? ["80:80", "443:443"] : []]);
      if ((deploy?.replicas ?? 1) > 1) expect([name, ports]).toEqual([name, []]);
      expect(container_name).toBeUndefined();
    }
    const taken = all.flatMap(([, { ports = [] }]) => ports);
    expect(new Set(taken).size).toBe(taken.length);
  });

  it("mounts files that are there, or that its page says how to make", () => {
    const mounted = all.flatMap(([, { volumes = [] }]) =>
      volumes.map((volume) => volume.split(":")[0] ?? ""),
    );
    const missing = mounted
      .filter((path) => path.startsWith("."))
      .filter((path) => !existsSync(join(DEPLOY, path)))
      .filter((path) => !/^\.\/(tls|secrets)(\/|$)/.test(path));
    expect(missing).toEqual([]);
  });

  it("keeps every Redis durable, and never evicting", () => {
    for (const [name, { command = [] }] of all.filter(([one]) => one.startsWith("redis")))
      for (const option of ["--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction"])
        expect([name, command.join(" ")]).toEqual([name, expect.stringContaining(option)]);
  });
});

describe("in production", () => {
  const services = composed(...PROD);

  it("each service has its limits, at most 4 CPUs and 8 GiB, and there are two of those that work", () => {
    for (const [name, { deploy }] of Object.entries(services)) {
      const { cpus = "", memory = "" } = deploy?.resources?.limits ?? {};
      expect([name, Number(cpus) <= 4, /^(\d+M|[1-8]G)$/.test(memory)]).toEqual([name, true, true]);
    }
    const replicas = (service: Service | undefined) => service?.deploy?.replicas;
    expect([replicas(services.gateway), replicas(services.worker)]).toEqual([2, 2]);
    const scaled = composed(...PROD, "compose.scale.yaml");
    expect([replicas(scaled.gateway), replicas(scaled.worker)]).toEqual([3, 5]);
  });

  it("HAProxy has the configuration of hosts, and finds Compose's gateways; it finds nothing wrong with that", async () => {
    const shipped = readFileSync(COMPOSE_EDGE, "utf8");
    expect(shipped).toBe(composeEdge());
    expect(shipped).toContain("gateway:8080 resolvers docker");
    const { ending, said } = await checkProxy("haproxy", (folder) => {
      const tls = join(ROOT, "test/fixtures/tls");
      const pem = ["server.pem", "server-key.pem"]
        .map((file) => readFileSync(join(tls, file), "utf8"))
        .join("");
      writeFileSync(join(folder, "parley.pem"), pem);
      return shipped.replaceAll("/etc/ssl/parley/parley.pem", join(folder, "parley.pem"));
    });
    expect([ending, said]).toEqual([0, expect.stringContaining("Configuration file is valid")]);
  });
});

describe("with Sentinels", () => {
  it("they take their configuration, and two of them must agree", async () => {
    const folder = mkdtempSync(join(tmpdir(), "parley-sentinel-"));
    const port = await freePort();
    const shipped = readFileSync(join(DEPLOY, "redis/sentinel.conf"), "utf8");
    // Its master is not there: what it is told of it is what is looked at.
    const here = shipped.replace(
      "monitor mymaster redis 6379",
      `monitor mymaster localhost ${await freePort()}`,
    );
    const file = join(folder, "sentinel.conf");
    writeFileSync(file, `port ${port}\nbind 127.0.0.1\ndir ${folder}\n${here}`);
    const sentinel = launch([toolPath("redis-server"), file, "--sentinel"], { cwd: folder });
    await sentinel.said("stdout", /monitor master mymaster/);
    const redis = new Redis(port, "127.0.0.1");
    const told = (await redis.call("SENTINEL", "MASTER", "mymaster")) as string[];
    redis.disconnect();
    await sentinel.end();
    rmSync(folder, { recursive: true });
    const setting = (name: string) => told[told.indexOf(name) + 1];
    expect(["quorum", "down-after-milliseconds", "failover-timeout"].map(setting)).toEqual([
      "2",
      "5000",
      "10000",
    ]);
  });

  it("Parley takes the lines that the page has for it", () => {
    const page = readFileSync(join(ROOT, "docs/deploy/compose.md"), "utf8");
    const [, lines = ""] = /```yaml\n(# config\/gateway\.yaml\n[^`]*)```/.exec(page) ?? [];
    const loaded = load(
      { "gateway.yaml": `apiVersion: parley/v1\nkind: Gateway\n${lines}` },
      { env: { REDIS_URL: "redis://redis:6379" } },
    );
    expect(problemsOf(loaded)).toEqual([]);
    const services = composed(BASE, REDIS, "compose.sentinel.yaml");
    const sentinel = loaded.ok ? loaded.config.gateway.store.redis.sentinel : "off";
    const nodes = sentinel === "off" ? [] : sentinel.nodes.map((node) => node.split(":")[0]);
    expect(nodes).toHaveLength(3);
    expect(Object.keys(services)).toEqual(expect.arrayContaining(nodes));
  });
});

describe("as a Cluster", () => {
  const services = composed(BASE, REDIS, "compose.cluster.yaml");
  const addressOf = (name: string) => Object.values(services[name]?.networks ?? {})[0]?.ipv4_address;

  it("its six nodes keep the addresses by which they are put together, and whoever uses it can reach them and waits for it", () => {
    const nodes = Object.keys(services).filter((name) => name.startsWith("redis"));
    expect(nodes).toHaveLength(6);
    expect(services.cluster?.command?.slice(2)).toEqual(nodes.map((name) => `${addressOf(name)}:6379`));
    for (const name of nodes) expect(services[name]?.command?.join(" ")).toContain("--cluster-enabled yes");
    for (const name of ["gateway", "worker"]) {
      expect(services[name]?.networks).toEqual(["default", "cluster"]);
      expect(services[name]?.depends_on).toMatchObject({ cluster: { condition: "service_healthy" } });
    }
    expect(new Set(nodes.map(addressOf)).size).toBe(6);
  });

  it("its script makes it of real nodes, once, each master with a replica", async () => {
    const script = join(DEPLOY, "redis/cluster.sh");
    execFileSync(toolPath("shellcheck"), [script]);
    await using servers = new AsyncDisposableStack();
    const nodes: (RedisServer & { readonly bus: number })[] = [];
    for (let n = 0; n < 6; n++) {
      const bus = await freePort();
      const args = [
        "--cluster-enabled",
        "yes",
        "--cluster-port",
        String(bus),
        "--cluster-node-timeout",
        "2000",
      ];
      nodes.push({ ...servers.use(await startRedis({ args })), bus });
    }
    const [first] = nodes;
    const PATH = `${dirname(toolPath("redis-cli"))}:${process.env.PATH}`;
    const make = () =>
      launch(["sh", script, ...nodes.map(({ port, bus }) => `127.0.0.1:${port}@${bus}`)], {
        cwd: ROOT,
        env: { PATH, LD_LIBRARY_PATH: join(dirname(toolPath("redis-cli")), "../lib/x86_64-linux-gnu") },
      });
    for (let time = 0; time < 2; time++) {
      const made = make();
      await made.said("stdout", "the Cluster is whole");
      expect(made.output.stdout.includes("All 16384 slots covered")).toBe(time === 0);
      await made.end();
    }
    const table = String(await first?.cli("CLUSTER", "NODES"));
    const masters = [...table.matchAll(/^(\w+) \S+ \S*master /gm)].map(([, id = ""]) => id);
    const followed = [...table.matchAll(/slave (\w+) /g)].map(([, id = ""]) => id);
    expect(masters).toHaveLength(3);
    expect(new Set(followed)).toEqual(new Set(masters));
    expect(followed).toHaveLength(3);
  });

  it("Parley takes the lines that the page has for it", () => {
    const page = readFileSync(join(ROOT, "docs/deploy/compose.md"), "utf8");
    const lines = [...page.matchAll(/```yaml\n(# config\/gateway\.yaml\n[^`]*)```/g)].map(([, one]) => one);
    const loaded = load(
      { "gateway.yaml": `apiVersion: parley/v1\nkind: Gateway\n${lines[1]}` },
      { env: { REDIS_URL: "redis://redis:6379" } },
    );
    expect(problemsOf(loaded)).toEqual([]);
    expect(loaded.ok && loaded.config.gateway.store.redis.cluster).toBe(true);
  });
});

describe("with monitoring", () => {
  const services = composed(...PROD, "compose.monitoring.yaml");

  it("Prometheus looks for services that there are, at the port where their metrics are, and keeps 30 days", () => {
    const config = parse(readFileSync(join(DEPLOY, "prometheus/prometheus.yml"), "utf8"));
    const { names, port } = config.scrape_configs[0].dns_sd_configs[0];
    for (const name of names)
      expect([name, services[name]?.environment?.PARLEY_METRICS_PORT]).toEqual([name, String(port)]);
    expect(services.prometheus?.command).toContain("--storage.tsdb.retention.time=30d");
    expect(config.alerting.alertmanagers[0].static_configs[0].targets).toEqual(["alertmanager:9093"]);
    expect(services.prometheus?.volumes).toContain("./prometheus:/etc/prometheus:ro");
  });

  it("Grafana finds Prometheus and the dashboards", () => {
    const provisioning = join(DEPLOY, "grafana/provisioning");
    const source = parse(readFileSync(join(provisioning, "datasources/parley.yaml"), "utf8"));
    expect(source.datasources[0]).toMatchObject({ type: "prometheus", url: "http://prometheus:9090" });
    const { path } = parse(readFileSync(join(provisioning, "dashboards/parley.yaml"), "utf8")).providers[0]
      .options;
    expect(services.grafana?.volumes).toContain(`./grafana:${path}:ro`);
  });
});
