import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./rule-files.ts";

export const RUNBOOKS = join(ROOT, "docs/runbooks");

export interface Runbook {
  readonly name: string;
  readonly text: string;
}

export const PAGES: readonly Runbook[] = readdirSync(RUNBOOKS)
  .filter((name) => name.endsWith(".md") && name !== "README.md")
  .map((name) => ({ name, text: readFileSync(join(RUNBOOKS, name), "utf8") }));

/** Of operating it, whose commands are run as those of the runbooks are. */
export const OPERATING: readonly Runbook[] = [
  "backup.md",
  "disaster-recovery.md",
  "maintenance.md",
  "on-call.md",
  "production.md",
  "secrets.md",
  "slo.md",
  "upgrade.md",
].map(pageOf);

/** Its commands take minutes, and are tried with the load. */
export const CAPACITY = pageOf("capacity.md");

function pageOf(name: string): Runbook {
  return { name, text: readFileSync(join(ROOT, "docs", name), "utf8") };
}

/** Lines of its fenced blocks of this language, those within lists too; what goes on behind a backslash is one. */
export function linesIn(text: string, language: string): readonly string[] {
  const blocks = text.matchAll(new RegExp(`^( *)\`\`\`${language}\\n(.*?)^\\1\`\`\`$`, "gms"));
  return [...blocks].flatMap(([, indent = "", block = ""]) =>
    block
      .replaceAll(/\\\n */g, "")
      .split("\n")
      .map((line) => line.slice(indent.length))
      .filter((line) => line !== ""),
  );
}
