// The alerts of deploy/prometheus as a resource of the Prometheus operator: `node test/deploy/rules-resource.ts` writes it
// for Kustomize, and its groups for the Helm chart.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { stringify } from "yaml";
import { groupsIn, ROOT, RULE_FILES } from "./rule-files.ts";

const MADE =
  "# Made from deploy/prometheus/*.rules.yml by `node test/deploy/rules-resource.ts`; a test keeps it current.\n";
const metadata = { name: "parley", labels: { "app.kubernetes.io/name": "parley" } };

/** Text by file. */
export function ruleResources(): ReadonlyMap<string, string> {
  const spec = { groups: groupsIn(RULE_FILES) };
  const resource = { apiVersion: "monitoring.coreos.com/v1", kind: "PrometheusRule", metadata, spec };
  return new Map([
    ["deploy/k8s/components/monitoring/rules.yaml", MADE + stringify(resource, { lineWidth: 0 })],
    ["deploy/helm/parley/files/rules.yaml", MADE + stringify(spec, { lineWidth: 0 })],
  ]);
}

if (process.argv[1] === import.meta.filename) {
  for (const [file, text] of ruleResources()) {
    mkdirSync(dirname(join(ROOT, file)), { recursive: true });
    writeFileSync(join(ROOT, file), text);
  }
}
