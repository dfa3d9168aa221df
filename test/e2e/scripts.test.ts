import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { type PrometheusProcess, startPrometheus } from "../support/prometheus.ts";
import { ask } from "./ask.ts";
import { type GatewayProcess, ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";
import { nobody, runScript as script } from "./run-script.ts";

const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
describe("a gateway that is well", () => {
  let gateway: GatewayProcess;
  let prometheus: PrometheusProcess;
  beforeAll(async () => {
    gateway = await startGateway({ dataDir: temporaryFolder() });
    prometheus = await startPrometheus([gateway.url]);
  });
  afterAll(async () => {
    await prometheus[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });

  it("passes the smoke test", async () => {
    const { code, said } = await script("smoke", ["--url", gateway.url]);
    expect([code, said]).toEqual([0, expect.stringContaining("it answers: You said: hello")]);
  });

  it("is verified, with its version", async () => {
    const { code, said } = await script("verify-deployment", ["--version", version, "--strict", gateway.url]);
    expect([code, said]).toEqual([0, expect.stringContaining(`runs ${version}`)]);
  });

  it("is not taken for another version, and a replica that is away is told", async () => {
    const other = await script("verify-deployment", ["--version", "9.9.9", gateway.url]);
    expect(other).toEqual({
      code: 1,
      said: expect.stringContaining(`expected version 9.9.9, got ${version}`),
    });
    const away = await nobody();
    const half = await script("verify-deployment", ["--wait", "0", gateway.url, away]);
    expect(half).toEqual({ code: 1, said: expect.stringContaining(`FAILED  ${away}: expected a gateway`) });
    expect((await script("verify-deployment", ["--wait", "0", away])).code).toBe(69);
    expect((await script("smoke", [], { PARLEY_URL: away })).code).toBe(69);
  });

  it("is found to do its work, and to keep its objectives", async () => {
    for (let n = 0; n < 5; n++) await ask(gateway.url, { message: "hello", conversation: `c${n}`, wait: 10 });
    await eventually(async () => {
      await ask(gateway.url, { message: "again", conversation: "c", wait: 10 });
      const metrics = await script("check-deployment-metrics", ["--prometheus", prometheus.url]);
      expect(metrics).toEqual({
        code: 0,
        said: expect.stringContaining("ok      share of runs that fail : 0,"),
      });
      const slos = await script("verify-slos", ["--prometheus", prometheus.url, "--window", "5m"]);
      expect(slos).toEqual({ code: 0, said: expect.stringContaining("ok      agents: 0.000 % failed") });
    }, 60_000);
  });

  it("is kept as it is now, for its owner alone", async () => {
    const into = temporaryFolder();
    const { code, said } = await script("metrics-snapshot", ["--url", gateway.url, "--into", into]);
    expect([code, said.trim()]).toEqual([0, expect.stringContaining(join(into, "parley-"))]);
    expect(readdirSync(into)).toHaveLength(1);
    const files = readdirSync(said.trim());
    expect(files.sort()).toEqual(["metrics.txt", "ready.json"]);
    for (const file of files) expect(statSync(join(said.trim(), file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(join(said.trim(), "ready.json"), "utf8"))).toMatchObject({
      status: "ready",
    });
    expect(readFileSync(join(said.trim(), "metrics.txt"), "utf8")).toContain("parley_build_info");
  });
});

describe("a gateway that is not", () => {
  it("is degraded while it is paused, which is a failure if asked so, and fails the smoke test", async () => {
    await using gateway = await startGateway({
      dataDir: temporaryFolder(),
      env: { PARLEY_KILL_SWITCH: "true" },
    });
    const lenient = await script("verify-deployment", [gateway.url]);
    expect(lenient).toEqual({ code: 0, said: expect.stringContaining("kill_switch is degraded") });
    expect((await script("verify-deployment", ["--strict", gateway.url])).code).toBe(1);
    // It says that it is paused, which is no answer.
    const smoke = await script("smoke", ["--url", gateway.url]);
    expect(smoke).toEqual({ code: 1, said: expect.stringContaining('"status":"refused"') });
  });

  it("takes no message without its key, and shows nothing without its token", async () => {
    const token = "metrics-token-of-at-least-32-characters";
    const env = {
      PARLEY_ENV: "production",
      PARLEY_DEV_KEY: "a-key-of-sixteen-or-more",
      PARLEY_METRICS_TOKEN: token,
    };
    await using gateway = await startGateway({ dataDir: temporaryFolder(), env });
    const shut = await script("smoke", ["--url", gateway.url]);
    expect(shut).toEqual({ code: 1, said: expect.stringContaining("got 401") });
    expect((await script("smoke", ["--url", gateway.url], env)).code).toBe(0);
    const snapshot = ["--url", gateway.url, "--into", temporaryFolder()];
    expect(await script("metrics-snapshot", snapshot)).toMatchObject({
      code: 1,
      said: expect.stringContaining("got 401"),
    });
    expect((await script("metrics-snapshot", snapshot, env)).code).toBe(0);
  });

  it("is found to fail, by its metrics and by its objectives", async () => {
    await using gateway = await startGateway({ dataDir: temporaryFolder() });
    await using prometheus = await startPrometheus([gateway.url, await nobody()]);
    await eventually(async () => {
      await ask(gateway.url, { message: "demo: dead", conversation: "c" });
      const metrics = await script("check-deployment-metrics", ["--prometheus", prometheus.url]);
      expect(metrics).toEqual({ code: 1, said: expect.stringContaining("FAILED  share of runs that fail") });
      expect(metrics.said).toMatch(/FAILED {2}127\.0\.0\.1:\d+ cannot be scraped/);
      const slos = await script("verify-slos", ["--prometheus", prometheus.url, "--window", "5m"]);
      expect(slos).toEqual({
        code: 1,
        said: expect.stringContaining("FAILED  agents: 100.000 % failed in 5m"),
      });
    }, 60_000);
    const elsewhere = ["--prometheus", prometheus.url, "--instance", 'no"such.one'];
    expect((await script("check-deployment-metrics", elsewhere)).code).toBe(69);
  });

  it("is not judged by a Prometheus that is away, or has no rules", async () => {
    const away = await nobody();
    for (const name of ["verify-slos", "check-deployment-metrics"]) {
      const ran = await script(name, ["--prometheus", away]);
      expect([name, ran]).toEqual([name, { code: 69, said: expect.stringContaining("PROMETHEUS_URL") }]);
    }
  });
});
