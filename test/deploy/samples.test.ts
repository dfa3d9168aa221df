import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { MODULES } from "../../adapters/index.ts";
import { variablesOf } from "../../src/config/variables.ts";
import { toolPath } from "../support/tools.ts";
import type { Resource } from "./cluster.ts";
import { ROOT } from "./rule-files.ts";
import { schemaFaults, typeFaults } from "./typed.ts";

const FIREWALL = join(ROOT, "deploy/firewall/parley.nft");

describe("the firewall", () => {
  /** In a network of its own, whose rules are nobody's: there it is loaded in earnest, as often as one may. */
  const rules = execFileSync(
    "unshare",
    [
      "-rn",
      "sh",
      "-c",
      `"$1" add table ip docker && "$1" -f "$2" && "$1" -f "$2" && "$1" list ruleset`,
      "sh",
    ].concat(toolPath("nft"), FIREWALL),
    { encoding: "utf8" },
  );
  const input = /chain input \{(.*?)\n\t\}/s.exec(rules)?.[1] ?? "";

  it("drops what comes in, and keeps loopback, answers and IPv6", () => {
    expect(input).toContain("policy drop;");
    expect(input).toContain('iifname "lo" accept');
    expect(input).toContain("ct state established,related accept");
    for (const type of ["nd-neighbor-solicit", "nd-neighbor-advert", "nd-router-advert", "packet-too-big"])
      expect(input).toMatch(new RegExp(`icmpv6 type \\{[^}]*${type}[^}]*\\} accept`));
  });

  it("leaves the tables of others, and is there once, however often it is loaded", () => {
    expect(rules).toContain("table ip docker");
    expect(rules.match(/table inet parley/g)).toHaveLength(1);
    expect(readFileSync(FIREWALL, "utf8")).not.toMatch(/^\s*flush ruleset/m);
  });

  it("opens the proxy's ports to all, and no other port to anybody who is not named", () => {
    const open = input.split("\n").filter((line) => line.includes("tcp dport"));
    expect(
      open.filter((line) => !line.includes("saddr")).map((line) => /dport (.*?) accept/.exec(line)?.[1]),
    ).toEqual(["{ 80, 443 }"]);
    expect(open.filter((line) => line.includes("saddr"))).toHaveLength(4);
    // What Docker publishes does not come by `input`.
    for (const port of [6379, 8080, 9090])
      expect(rules).toContain(`ct status dnat ct original proto-dst ${port} drop`);
  });
});

describe("the samples for vaults", () => {
  const secrets = variablesOf(MODULES).filter(({ secret }) => secret);
  const resources = parseAllDocuments(
    readFileSync(join(ROOT, "deploy/k8s/secrets/external-secrets.yaml"), "utf8"),
  ).map((one) => one.toJS() as Resource);

  it("are resources of the External Secrets operator, in every name and value", {
    timeout: 120_000,
  }, async () => {
    expect(await schemaFaults(resources)).toEqual([]);
    expect(await typeFaults(resources)).toBe("");
    const wrong = JSON.parse(JSON.stringify(resources).replaceAll("deletionPolicy", "deletePolicy"));
    expect(await typeFaults(wrong)).toContain("deletePolicy");
  });

  it("make the Secrets that the pods are given", () => {
    const made = resources
      .filter(({ kind }) => kind === "ExternalSecret")
      .map(({ metadata }) => metadata.name);
    const pods = readFileSync(join(ROOT, "deploy/k8s/base/gateway.yaml"), "utf8");
    expect(made).toEqual(["parley-secrets", "parley-redis"]);
    expect(pods).toContain("name: parley-secrets");
  });

  it("read what the policy lets the gateway's role read, which is no more than that", () => {
    const policy = readFileSync(join(ROOT, "deploy/vault/policy.hcl"), "utf8").replaceAll(/^#.*\n/gm, "");
    const rules = [...policy.matchAll(/^path "([^"\n]+)" \{\n {2}capabilities = \[([^\]\n]*)\]\n\}\n/gm)];
    // All of it is such rules: what Vault would refuse, or read otherwise, is not among them.
    expect(
      rules
        .map(([rule]) => rule)
        .join("")
        .trim(),
    ).toBe(policy.trim());
    expect(rules.map(([, , capabilities]) => capabilities)).toEqual(rules.map(() => '"read"'));

    const agent = readFileSync(join(ROOT, "deploy/vault/agent.hcl"), "utf8");
    const byAgent = [...agent.matchAll(/secret \\"([^"\\]+)\\"/g)].map(([, path = ""]) => path);
    const text = readFileSync(join(ROOT, "deploy/k8s/secrets/external-secrets.yaml"), "utf8");
    const [, mount] = /^ {6}path: (\S+)\n {6}version: v2$/m.exec(text) ?? [];
    // The second version of that engine has what is read under `data`.
    const byCluster = [...text.matchAll(/^ {8}key: (\S+)$/gm)].map(([, key]) => `${mount}/data/${key}`);
    const read = [...byAgent, ...byCluster];
    expect(byAgent.length * byCluster.length).toBeGreaterThan(0);
    // A star stands for the rest of a path, at its end alone.
    const allows = (rule: string, path: string) =>
      rule.endsWith("*") ? path.startsWith(rule.slice(0, -1)) : path === rule;
    expect(read.filter((path) => !rules.some(([, rule = ""]) => allows(rule, path)))).toEqual([]);
    expect(rules.filter(([, rule = ""]) => !read.some((path) => allows(rule, path)))).toEqual([]);
    for (const [, rule] of rules) expect(rule).toMatch(/^secret\/data\/parley\//);
  });

  it("write files that are named as the variables are, for the gateway's user, and none from an empty answer", () => {
    const templates = readFileSync(join(ROOT, "deploy/vault/agent.hcl"), "utf8")
      .split(/^template \{$/m)
      .slice(1);
    expect(templates.length).toBeGreaterThan(1);
    for (const template of templates) {
      const name = /destination += "\/run\/parley\/secrets\/(\w+)"/.exec(template)?.[1]?.toUpperCase();
      expect(secrets.map((one) => one.name)).toContain(name);
      expect(template).toMatch(/perms += "0600"/);
      expect(template).toMatch(/user += "parley"/);
      expect(template).toMatch(/error_on_missing_key += true/);
    }
  });
});

it("the sample of gateway.env names variables that there are", () => {
  const text = readFileSync(join(ROOT, "deploy/gateway.env.example"), "utf8");
  const named = [...text.matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name);
  const known = new Set(variablesOf(MODULES).map(({ name }) => name));
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => name === undefined || !known.has(name))).toEqual([]);
});

it("Fluent Bit reads the lines with the parser that lies beside its configuration", () => {
  const read = (name: string) => readFileSync(join(ROOT, "deploy/logs", name), "utf8");
  const wanted = [...read("fluent-bit.conf").matchAll(/^ +Parser +(\S+)$/gm)].map(([, name]) => name);
  const there = [...read("parsers.conf").matchAll(/^ +Name +(\S+)$/gm)].map(([, name]) => name);
  expect(wanted.length).toBe(1);
  expect(there).toEqual(expect.arrayContaining(wanted));
});
