import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toolPath } from "../support/tools.ts";
import { Cluster, type Resource, resourcesIn } from "./cluster.ts";
import { ROOT } from "./rule-files.ts";

const K8S = join(ROOT, "deploy/k8s");
export const FORMS = ["single", "replicas", "split"] as const;
export type Form = (typeof FORMS)[number];

export function kustomized(folder: string): readonly Resource[] {
  return resourcesIn(execFileSync(toolPath("kubectl"), ["kustomize", folder], { encoding: "utf8" }));
}

/** The Secrets that are made beside a form, from the examples as they are. */
export function shippedSecrets(): readonly Resource[] {
  const folder = mkdtempSync(join(tmpdir(), "parley-secrets-"));
  try {
    cpSync(join(K8S, "secrets"), folder, { recursive: true });
    for (const name of readdirSync(folder).filter((one) => one.endsWith(".example")))
      renameSync(join(folder, name), join(folder, name.replace(/\.example$/, "")));
    return kustomized(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const SECRETS: ReadonlyMap<string, readonly string[]> = new Map(
  shippedSecrets().map((secret) => [
    secret.metadata.name,
    Object.keys((secret as Resource & { data?: Record<string, string> }).data ?? {}),
  ]),
);

export function kustomizedForm(form: Form): Cluster {
  return new Cluster(kustomized(join(K8S, "overlays", form)), SECRETS);
}
