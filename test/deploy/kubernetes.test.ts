import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { load, problemsOf } from "../config/helpers.ts";
import { Cluster, type Resource } from "./cluster.ts";
import { danglingReferences } from "./cluster-references.ts";
import { unsafeThings } from "./cluster-safety.ts";
import { FORMS, kustomizedForm, SECRETS } from "./rendered.ts";
import { ROOT } from "./rule-files.ts";
import { ruleResources } from "./rules-resource.ts";
import { schemaFaults, typeFaults } from "./typed.ts";

const RENDERED = new Map(FORMS.map((form) => [form, kustomizedForm(form)]));
const of = (form: (typeof FORMS)[number]) => RENDERED.get(form) ?? new Cluster([], SECRETS);
const every = [...RENDERED.values()].flatMap(({ resources }) => resources);

describe("what Kustomize makes", () => {
  it.each(FORMS)("of %s names nothing that is not there", (form) => {
    expect(danglingReferences(of(form))).toEqual([]);
  });

  it.each(FORMS)("of %s is safe to run", (form) => {
    expect(unsafeThings(of(form))).toEqual([]);
  });

  it("are resources of Kubernetes, in every value", async () => {
    expect(await schemaFaults(every)).toEqual([]);
    const wrong = JSON.parse(JSON.stringify(of("single").resources).replaceAll('"ClusterIP"', "7"));
    expect((await schemaFaults(wrong)).join()).toContain("must be string");
  });

  it("are resources of Kubernetes, in every name", { timeout: 120_000 }, async () => {
    expect(await typeFaults(every)).toBe("");
    const wrong = JSON.parse(
      JSON.stringify(of("single").resources).replaceAll("readOnlyRootFilesystem", "readOnly"),
    );
    expect(await typeFaults(wrong)).toContain("'\"readOnly\"' does not exist");
  });

  it("gives each form what it is for", () => {
    const shape = (form: (typeof FORMS)[number]) =>
      of(form).workloads.map(({ name, replicasMax, scalers }) => [name, replicasMax, ...scalers]);
    expect(shape("single")).toEqual([["StatefulSet parley", 1]]);
    expect(shape("replicas")).toEqual([
      ["StatefulSet parley", 20, "HorizontalPodAutoscaler"],
      ["StatefulSet parley-redis", 1],
    ]);
    expect(shape("split")).toEqual([
      ["StatefulSet parley", 3],
      ["StatefulSet parley-redis", 1],
      ["Deployment parley-worker", 20, "ScaledObject"],
    ]);
    const env = of("split").workloads.map(
      ({ containers }) => containers[0]?.env?.find(({ name }) => name === "PARLEY_ROLE")?.value,
    );
    expect(env).toEqual(["ingress", undefined, "worker"]);
  });

  it("asks for webhooks who takes them, and for the store who works", () => {
    const ready = of("split").workloads.map(({ containers }) => containers[0]?.readinessProbe?.httpGet?.path);
    expect(ready).toEqual(["/ready/webhooks", undefined, "/ready"]);
    const [gateway] = of("single").workloads;
    expect(gateway?.containers[0]?.livenessProbe?.httpGet?.path).toBe("/health");
  });

  it("keeps Redis from losing what was acknowledged", () => {
    const redis = of("replicas").workloads.find(({ name }) => name.endsWith("parley-redis"));
    const args = redis?.containers[0]?.args?.join(" ") ?? "";
    for (const option of ["--appendonly yes", "--appendfsync always", "--maxmemory-policy noeviction"])
      expect(args).toContain(option);
  });

  it("counts each event that waits once, however many replicas say so", () => {
    const [scaled] = of("split").of("ScaledObject");
    expect(JSON.stringify(scaled)).toContain("sum(max by (state) (parley_queue_events{");
  });

  it("has a variable of every platform among its secrets, each one that there is", () => {
    const table = readFileSync(join(ROOT, "docs/configuration.md"), "utf8");
    const known = [...table.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name);
    const names = SECRETS.get("parley-secrets") ?? [];
    expect(names.filter((name) => !known.includes(name))).toEqual([]);
    const needed = [...table.matchAll(/^\| `([A-Z_]+)` \|.*\*\*(?:needed|enough by itself)\*\*/gm)];
    expect(needed.length).toBeGreaterThan(6);
    for (const [, name] of needed) expect(names).toContain(name);
  });
});

it("the configuration of the manifests is one that Parley takes, in the folder that they make of it", () => {
  const shipped = (name: string) => readFileSync(join(ROOT, "deploy/k8s/base/config", name), "utf8");
  const loaded = load({
    "gateway.yaml": shipped("gateway.yaml"),
    "agents/agents.yaml": shipped("agents.yaml"),
  });
  expect(problemsOf(loaded)).toEqual([]);
  const [gateway] = of("single").workloads;
  const items = gateway?.pod.volumes?.find(({ name }) => name === "config")?.configMap?.items;
  expect(items?.map(({ path }) => path)).toEqual(["gateway.yaml", "agents/agents.yaml"]);
});

it.each([...ruleResources()])("%s is made from the rules as they are", (file, text) => {
  expect(readFileSync(join(ROOT, file), "utf8")).toBe(text);
});

/** One thing wrong at a time, in the text of all resources, and what must be said of it. */
const MISTAKES: readonly (readonly [string, string, string])[] = [
  [
    '"name":"parley-worker","namespace":"parley"},"spec":{"clusterIP":"None","ports":[{"name":"metrics"',
    '"name":"parley-worker","namespace":"parley"},"spec":{"clusterIP":"None","ports":[{"name":"other"',
    "a Service has no port metrics",
  ],
  ['"values":["gateway","worker"]', '"values":["gateway"]', "does not scrape Deployment parley-worker"],
  ['"secretRef":{"name":"parley-secrets"', '"secretRef":{"name":"parley-secret"', "no Secret parley-secret"],
  ['"key":"url"', '"key":"uri"', "no uri in Secret parley-redis"],
  ['"key":"agents.yaml"', '"key":"agents.yml"', "no agents.yml in ConfigMap"],
  ['"serviceAccountName":"parley"', '"serviceAccountName":"parlay"', "no ServiceAccount parlay"],
  ['"targetPort":"metrics"', '"targetPort":"metric"', "no port metric"],
  ['"port":{"name":"http"}', '"port":{"name":"https"}', "leads to no port"],
  ['"mountPath":"/tmp","name":"tmp"', '"mountPath":"/tmp","name":"temp"', "no volume temp"],
  [":0.1.0", ":latest", "may change"],
  ['"runAsNonRoot":true', '"runAsNonRoot":false', "may run as root"],
  ['"enableServiceLinks":false', '"enableServiceLinks":true', "PARLEY_PORT"],
  ['"requests":{"cpu":"500m","memory":"512Mi"}', '"requests":{"cpu":"500m"}', "lacks requests"],
  ['"drop":["ALL"]', '"drop":[]', "keeps capabilities"],
  ['"pods":"50"', '"pods":"20"', "pods is 20"],
  ['{"port":53,"protocol":"TCP"}', '{"port":54,"protocol":"TCP"}', "cannot ask DNS"],
  ['"192.168.0.0/16"', '"192.0.2.0/24"', "reaches private addresses"],
  ['"path":"/webhooks/slack"', '"path":"/webhooks/test"', "more than webhooks"],
  ['"ingressClassName":"nginx",', "", "has no class"],
  [
    '"emptyDir":{"sizeLimit":"1Gi"},"name":"data"',
    '"persistentVolumeClaim":{"claimName":"d"},"name":"data"',
    "shares a claim",
  ],
  [
    '"acme.cert-manager.io/http01-solver":"true"',
    '"acme.cert-manager.io/other":"true"',
    "gets no certificate",
  ],
  ['"maxUnavailable":1', '"maxUnavailable":3', "no PodDisruptionBudget"],
  ['"terminationGracePeriodSeconds":40', '"terminationGracePeriodSeconds":30', "before it has drained"],
];

describe("what a mistake would be told as", () => {
  it.each(MISTAKES)("%s → %s", (from, to, told) => {
    const text = JSON.stringify(of("split").resources);
    expect(text.includes(from)).toBe(true);
    const cluster = new Cluster(JSON.parse(text.replaceAll(from, to)) as Resource[], SECRETS);
    expect([...danglingReferences(cluster), ...unsafeThings(cluster)].join("\n")).toContain(told);
  });

  it("two that scale one thing", () => {
    const { resources } = of("split");
    const scaler = {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "second", namespace: "parley" },
      spec: { scaleTargetRef: { kind: "Deployment", name: "parley-worker" }, maxReplicas: 5 },
    };
    expect(unsafeThings(new Cluster([...resources, scaler], SECRETS)).join()).toContain("who fight");
  });
});
