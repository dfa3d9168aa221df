import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MODULES } from "../../adapters/index.ts";
import { loadConfig } from "../../src/config/load.ts";
import { AGENT, folderWith, problemsOf } from "./helpers.ts";

/** What is wrong with these lines under `spec.store.redis`, which begin on line 4. */
function load(lines: readonly string[], env: Record<string, string> = { REDIS_URL: "rediss://r:6379" }) {
  const text = ["spec:", "  store:", "    redis:", ...lines.map((line) => `      ${line}`)].join("\n");
  const files = {
    "config/gateway.yaml": text,
    "config/agents/a.yaml": AGENT,
    "ca.pem": "CA",
    "k.pem": "KEY",
  };
  const cwd = folderWith(files);
  return { cwd, loaded: loadConfig({ modules: MODULES, env, cwd }) };
}

const problems = (...args: Parameters<typeof load>) => problemsOf(load(...args).loaded);

describe("the store", () => {
  it("takes what each way to reach Redis needs", () => {
    expect(problems(["cluster: true"])).toEqual([]);
    expect(problems(['sentinel: { name: m, nodes: ["a:1", "[::1]:2"] }', "wait_replicas: 1"])).toEqual([]);
    expect(problems(["tls: { ca_file: ca.pem, cert_file: ca.pem, key_file: k.pem }"])).toEqual([]);
    expect(problems(["accept_loss: true"], { REDIS_URL: "redis://user:p%40ss@[::1]:6379/3" })).toEqual([]);
  });

  it("opens the files of TLS wherever the gateway is started", () => {
    const { cwd, loaded } = load(["tls: { ca_file: ca.pem }"]);
    if (!loaded.ok) expect.fail(problemsOf(loaded).join("\n"));
    expect(loaded.config.gateway.store.redis.tls).toEqual({ ca_file: join(cwd, "ca.pem"), verify: true });
  });

  it.each<[string, readonly string[], string]>([
    [
      "Sentinels for a Cluster",
      ["cluster: true", "sentinel: { name: m, nodes: [a:1] }"],
      "config/gateway.yaml:4:16 spec.store.redis.cluster: expected false beside sentinel, got true",
    ],
    [
      "waiting for replicas of a Cluster",
      ["cluster: true", "wait_replicas: 2"],
      "config/gateway.yaml:5:22 spec.store.redis.wait_replicas: expected 0 with cluster, got 2",
    ],
    [
      "a certificate without its key",
      ["tls: { cert_file: ca.pem }"],
      "config/gateway.yaml:4:25 spec.store.redis.tls.cert_file: expected key_file beside cert_file, got nothing",
    ],
    [
      "a key without its certificate",
      ["tls: { key_file: k.pem }"],
      "config/gateway.yaml:4:24 spec.store.redis.tls.key_file: expected cert_file beside key_file, got nothing",
    ],
    [
      "a file that is not there",
      ["tls: { ca_file: none.pem }"],
      "config/gateway.yaml:4:23 spec.store.redis.tls.ca_file: expected a file that can be read, got ENOENT for none.pem",
    ],
    [
      "a folder in place of a file",
      ["tls: { ca_file: config }"],
      "config/gateway.yaml:4:23 spec.store.redis.tls.ca_file: expected a file that can be read, got EISDIR for config",
    ],
    [
      "a Sentinel without a port",
      ["sentinel: { name: m, nodes: [a] }"],
      'config/gateway.yaml:4:36 spec.store.redis.sentinel.nodes[0]: expected host:port, such as 10.0.0.5:26379, got "a"',
    ],
    [
      "a prefix that would break the hash tag",
      ["prefix: 'a{b}'"],
      "config/gateway.yaml:4:15 spec.store.redis.prefix: expected 1 to 64 letters, digits, dots, dashes or underscores",
    ],
  ])("refuses %s, and says where", (_, lines, expected) => {
    const [first, ...others] = problems(lines);
    expect(first).toContain(expected);
    expect(others).toEqual([]);
  });

  it("refuses options of TLS beside an address without", () => {
    const env = { REDIS_URL: "redis://:hunter2@r:6379" };
    for (const option of ["verify: false", "servername: r", "ca_file: ca.pem"]) {
      const found = problems([`tls: { ${option} }`], env);
      expect(found).toEqual([
        "config/gateway.yaml:4:12 spec.store.redis.tls: expected nothing here beside a redis:// address; rediss:// is the one with TLS",
      ]);
    }
    expect(problems(["tls: { verify: true }"], env)).toEqual([]);
  });

  it("refuses a database of a Cluster, without showing the address", () => {
    const env = { REDIS_URL: "redis://:hunter2@r:6379/4" };
    expect(problems(["cluster: true"], env)).toEqual([
      "environment REDIS_URL: expected database 0, the only one of a Cluster, got 4; a prefix keeps installations apart",
    ]);
    expect(problems(["cluster: true"], { REDIS_URL: "redis://r:6379/0" })).toEqual([]);
  });

  it("that is described and not used is noted", () => {
    const { loaded } = load(["sentinel: { name: m, nodes: [a:1] }"], {});
    if (!loaded.ok) expect.fail(problemsOf(loaded).join("\n"));
    expect(loaded.config.notes).toEqual([
      "store.redis is described, but REDIS_URL is not set: events are kept in the SQLite file",
    ]);
  });
});
