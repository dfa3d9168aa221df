import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";

export const ROOT = resolve(import.meta.dirname, "../..");
const FOLDER = join(ROOT, "deploy/prometheus");

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

export const RULE_FILES = readdirSync(FOLDER)
  .filter((name) => name.endsWith(".rules.yml"))
  .map((name) => join(FOLDER, name));

export function groupsIn(files: readonly string[]): RuleFile["groups"] {
  return files.flatMap((file) => (parse(readFileSync(file, "utf8")) as RuleFile).groups);
}

export const RULES: readonly Rule[] = groupsIn(RULE_FILES).flatMap(({ rules }) => rules);

export const ALERTS = RULES.filter((rule): rule is Rule & { alert: string } => rule.alert !== undefined);
