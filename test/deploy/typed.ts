import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { toolCommand } from "../tool.mjs";
import type { Resource } from "./cluster.ts";
import { ROOT } from "./rule-files.ts";

/** Where each kind has its type; those of the core have no group. */
function moduleOf({ apiVersion }: Resource): string {
  if (apiVersion.startsWith("monitoring.coreos.com/"))
    return `@kubernetes-models/prometheus-operator/${apiVersion}`;
  if (apiVersion.startsWith("external-secrets.io/"))
    return `@kubernetes-models/external-secrets/${apiVersion}`;
  if (apiVersion.startsWith("keda.sh/")) return `@kubernetes-models/keda/${apiVersion}`;
  return `kubernetes-models/${apiVersion}`;
}

/** What the models' own schemas find wrong: values. */
export async function schemaFaults(resources: readonly Resource[]): Promise<readonly string[]> {
  const found = resources.map(async (resource) => {
    const models = await import(moduleOf(resource));
    try {
      new models[resource.kind](resource).validate();
      return [];
    } catch (error) {
      return [`${resource.kind} ${resource.metadata.name}: ${String(error)}`];
    }
  });
  return (await Promise.all(found)).flat();
}

/** What the compiler finds wrong with them as literals of the models' types: names that there are not. */
export async function typeFaults(resources: readonly Resource[]): Promise<string> {
  // Below the repository, so that the modules are found.
  const folder = mkdtempSync(join(ROOT, "node_modules/.cache/parley-typed-"));
  const lines = resources.map((resource, index) => {
    const type = `import("${moduleOf(resource)}").I${resource.kind}`;
    return `export const resource${index}: ${type} = ${JSON.stringify(resource)};`;
  });
  writeFileSync(join(folder, "resources.ts"), lines.join("\n"));
  const [node, ...tsc] = toolCommand("tsc");
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext", "--target", "esnext"];
  try {
    await promisify(execFile)(node, [...tsc, ...options, "--ignoreConfig", join(folder, "resources.ts")], {
      cwd: folder,
    });
    return "";
  } catch (error) {
    return String((error as { stdout?: string }).stdout ?? error);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
