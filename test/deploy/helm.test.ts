import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IDeployment } from "kubernetes-models/apps/v1";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { load, problemsOf } from "../config/helpers.ts";
import { toolPath } from "../support/tools.ts";
import { Cluster, type Resource, resourcesIn } from "./cluster.ts";
import { danglingReferences } from "./cluster-references.ts";
import { unsafeThings } from "./cluster-safety.ts";
import { FORMS, kustomizedForm, SECRETS } from "./rendered.ts";
import { ROOT } from "./rule-files.ts";
import { typeFaults } from "./typed.ts";

const CHART = join(ROOT, "deploy/helm/parley");
const VALUES = readFileSync(join(CHART, "values.yaml"), "utf8");

/** What Helm says, and its exit code. */
function helm(...args: string[]): { code: number; said: string } {
  try {
    const said = execFileSync(toolPath("helm"), args, {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    return { code: 0, said };
  } catch (error) {
    const { status, stdout, stderr } = error as { status: number; stdout: string; stderr: string };
    return { code: status, said: stdout + stderr };
  }
}

function template(values: unknown): { code: number; said: string } {
  const folder = mkdtempSync(join(tmpdir(), "parley-chart-"));
  const file = join(folder, "values.yaml");
  writeFileSync(file, stringify(values));
  const made = helm("template", "parley", CHART, "--namespace", "parley", "--values", file);
  rmSync(folder, { recursive: true });
  return made;
}

function rendered(values: unknown): Cluster {
  const { code, said } = template(values);
  if (code !== 0) throw new Error(said);
  return new Cluster(resourcesIn(said), SECRETS);
}

/** What both ways must agree on: all but who has made it, and the order. */
function essence({ resources }: Cluster): readonly unknown[] {
  const byName = (a: string, b: string) => (a < b ? -1 : 1);
  return structuredClone(resources)
    .map((resource) => {
      // The order of variables says nothing.
      const { template } = (resource as Resource & IDeployment).spec ?? {};
      for (const { env = [] } of template?.spec?.containers ?? []) env.sort((a, b) => byName(a.name, b.name));
      const { labels = {}, ...metadata } = resource.metadata as Resource["metadata"];
      const own = Object.entries(labels).filter(([name]) => !/helm|managed-by|part-of/.test(name));
      const data = (resource as { data?: Record<string, string> }).data;
      return {
        ...resource,
        metadata: { ...metadata, labels: Object.fromEntries(own) },
        ...(data && {
          data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, parse(text)])),
        }),
      };
    })
    .sort((a, b) => byName(a.kind + a.metadata.name, b.kind + b.metadata.name));
}

it("the chart is one that Helm finds nothing wrong with", () => {
  expect(helm("lint", "--strict", CHART)).toMatchObject({ code: 0 });
});

describe.each(FORMS)("the chart's form %s", (form) => {
  it("makes the same objects as Kustomize", () => {
    const made = rendered({ form, namespace: { create: true } });
    expect(essence(made)).toEqual(essence(kustomizedForm(form)));
  });

  it("names nothing that is not there, and is safe to run, with values of one's own too", () => {
    const values = {
      form,
      host: "chat.example.org",
      image: { repository: "registry.example:5000/parley", tag: "1.2.3" },
      imagePullSecrets: [{ name: "registry" }],
      scaling: { min: 2, max: 7 },
      persistence: { size: "2Gi", storageClass: "fast" },
      ingress: { platforms: ["slack"], annotations: { "example.org/a": "b" } },
      networkPolicy: { extraEgress: [{ to: [{ ipBlock: { cidr: "10.0.0.7/32" } }] }] },
    };
    const made = rendered(values);
    expect(danglingReferences(made)).toEqual([]);
    expect(unsafeThings(made)).toEqual([]);
    for (const value of ["chat.example.org", "registry.example:5000/parley:1.2.3", '"fast"', "10.0.0.7/32"])
      expect(JSON.stringify(made.resources)).toContain(value);
  });

  it("goes without what a cluster has not", () => {
    const off = { enabled: false };
    const made = rendered({
      form,
      monitoring: off,
      quota: off,
      networkPolicy: off,
      ingress: off,
      redis: { create: false },
    });
    const kinds = new Set(made.resources.map(({ kind }) => kind));
    for (const kind of [
      "ServiceMonitor",
      "PrometheusRule",
      "ResourceQuota",
      "NetworkPolicy",
      "Ingress",
      "Namespace",
    ])
      expect(kinds).not.toContain(kind);
    expect(made.has("StatefulSet", "parley-redis")).toBe(false);
    expect(danglingReferences(made)).toEqual([]);
  });
});

it("all that it makes are resources of Kubernetes, in every name", { timeout: 120_000 }, async () => {
  const made = FORMS.flatMap((form) => rendered({ form, namespace: { create: true } }).resources);
  expect(await typeFaults(made)).toBe("");
});

it("agents and gateway are what Parley takes, with whatever text they hold", () => {
  const prompt = 'Say "yes": {{ no }} # nothing\n  else, $(PORT) $1\nend';
  const agents = [
    {
      metadata: { name: "assistant" },
      spec: { model: { provider: "demo", model: "demo" }, system_prompt: prompt },
    },
  ];
  const { resources } = rendered({ agents, gateway: { kill_switch: true } });
  const { data } = resources.find(({ kind }) => kind === "ConfigMap") as Resource & {
    data: Record<string, string>;
  };
  const loaded = load({
    "gateway.yaml": data["gateway.yaml"] ?? "",
    "agents/agents.yaml": data["agents.yaml"] ?? "",
  });
  expect(problemsOf(loaded)).toEqual([]);
  expect(parse(data["agents.yaml"] ?? "").items[0].spec.system_prompt).toBe(prompt);
});

describe("a value that is none", () => {
  it.each([
    [{ form: "cluster" }, "form"],
    [{ replicas: 3 }, "replicas"],
    [{ image: { tag: "latest" } }, "tag"],
    [{ redis: { image: "redis:latest" } }, "image"],
    [{ host: "https://parley.example" }, "host"],
    [{ resources: { limits: { cpu: "lots", memory: "1Gi" } } }, "cpu"],
    [{ ingress: { platforms: ["test"] } }, "platforms"],
    [{ agents: [] }, "agents"],
    [{ scaling: { min: 0 } }, "min"],
  ])("%j is refused, by name", (values, name) => {
    const { code, said } = template(values);
    expect(code).not.toBe(0);
    expect(said).toContain(name);
  });
});

it("the page has every value, and the schema no other", () => {
  const page = readFileSync(join(CHART, "README.md"), "utf8");
  const schema = JSON.parse(readFileSync(join(CHART, "values.schema.json"), "utf8"));
  const values = parse(VALUES) as Record<string, Record<string, unknown> | string>;
  const free = ["gateway", "resources"];
  for (const [name, value] of Object.entries(values)) {
    const isGroup = typeof value === "object" && !Array.isArray(value) && !free.includes(name);
    const paths = isGroup ? Object.keys(value).map((key) => `${name}.${key}`) : [name];
    for (const path of paths) expect([path, page.includes(`\`${path}\``)]).toEqual([path, true]);
    if (isGroup)
      expect(Object.keys(schema.properties[name].properties).sort()).toEqual(Object.keys(value).sort());
  }
  expect(Object.keys(schema.properties).sort()).toEqual(Object.keys(values).sort());
});
