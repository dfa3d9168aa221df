import { readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, relative, sep } from "node:path";
import { errnoOf } from "../shared/fault.ts";
import type { Problem } from "./problems.ts";

/** A system prompt may be long; a configuration file of more than this is a mistake. */
const FILE_BYTES_MAX = 1024 * 1024;
export const FILES_MAX = 500;

export interface SourceFile {
  readonly file: string;
  readonly text: string;
}

/** The files of a configuration folder. `gateway` is null when there is none. */
export interface Folder {
  readonly gateway: SourceFile | null;
  readonly agents: readonly SourceFile[];
  readonly problems: readonly Problem[];
  readonly notes: readonly string[];
}

/** Whether the folder is there: something else in its place counts, and `readFolder` will say so. */
export function folderExists(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false }) !== undefined;
}

/** Where the files are: `path` itself, or the folder of a gateway.yaml. A file of another name is one of agents, and all there is. */
export function configurationAt(path: string): string {
  return /^gateway\.ya?ml$/.test(basename(path)) && isFile(path) ? dirname(path) : path;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** Reads gateway.yaml and agents/*.yaml, or the one file of agents, and nothing else. Names in problems are relative to `cwd`. Never throws. */
export function readFolder(folder: string, cwd: string): Folder {
  const problems: Problem[] = [];
  const notes: string[] = [];
  const nameOf = (path: string) => relative(cwd, path) || ".";
  const complain = (path: string, message: string) => {
    problems.push({ file: nameOf(path), line: null, column: null, path: "", message });
  };

  function list(path: string): string[] {
    try {
      return readdirSync(path).sort();
    } catch (error) {
      complain(path, `expected a readable folder, got ${errnoOf(error)}`);
      return [];
    }
  }

  function read(path: string): SourceFile[] {
    try {
      // A link that leads out of the folder would let whoever may write here read any file of the machine.
      // Links inside it are how Kubernetes mounts a ConfigMap.
      if (path !== folder && !isInside(realpathSync(folder), realpathSync(path))) {
        complain(path, "expected a file in the configuration folder, got a link that leads out of it");
        return [];
      }
      const found = statSync(path);
      if (!found.isFile() || found.size > FILE_BYTES_MAX) {
        const what = found.isFile() ? `${found.size} bytes` : "something else";
        complain(path, `expected a file of at most ${FILE_BYTES_MAX} bytes, got ${what}`);
        return [];
      }
      const text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
      return [{ file: nameOf(path), text }];
    } catch (error) {
      const reason = error instanceof TypeError ? "other bytes" : errnoOf(error);
      complain(path, `expected a readable file in UTF-8, got ${reason}`);
      return [];
    }
  }

  if (isYaml(basename(folder)) && isFile(folder)) {
    const source = read(folder);
    return { gateway: null, agents: source, problems, notes };
  }
  const top = list(folder);
  const gateways = top.filter((name) => /^gateway\.ya?ml$/.test(name));
  if (gateways.length > 1) complain(folder, `expected one gateway.yaml, got ${gateways.join(" and ")}`);
  for (const name of top.filter((one) => isYaml(one) && !gateways.includes(one))) {
    notes.push(
      `${nameOf(join(folder, name))} is not read; agents belong into ${nameOf(join(folder, "agents"))}`,
    );
  }
  for (const name of top.filter((one) => isMeant(one) && !SCHEMAS.has(one)))
    notes.push(`${nameOf(join(folder, name))} is not read; ${ADVICE}`);
  const agentsFolder = join(folder, "agents");
  const inAgents = top.includes("agents") ? list(agentsFolder) : [];
  for (const name of inAgents.filter(
    (one) => isMeant(one) || (!isYaml(one) && isFolder(join(agentsFolder, one))),
  ))
    notes.push(`${nameOf(join(agentsFolder, name))} is not read; ${ADVICE}`);
  for (const name of top.filter((one) => MISNAMED.test(one) && isFolder(join(folder, one))))
    notes.push(`${nameOf(join(folder, name))} is not read; agents belong into ${nameOf(agentsFolder)}`);
  const agents = inAgents.filter(isYaml);
  if (agents.length > FILES_MAX)
    complain(agentsFolder, `expected at most ${FILES_MAX} files, got ${agents.length}`);

  return {
    gateway: gateways.flatMap((name) => read(join(folder, name)))[0] ?? null,
    agents: agents.slice(0, FILES_MAX).flatMap((name) => read(join(agentsFolder, name))),
    problems,
    notes,
  };
}

const ADVICE =
  "what is read is gateway.yaml, and agents/NAME.yaml without folders in between; .yml is as good";
/** They describe the files for editors. */
const SCHEMAS: ReadonlySet<string> = new Set(["schema.json", "agent.schema.json"]);
const MISNAMED = /^(agent|agent[-_]?configs?|Agents?)$/;

/** Written as configuration, by the look of it, but under a name that is not read. */
function isMeant(name: string): boolean {
  return /^[^.].*\.(json|json5|jsonc|toml|ya?ml)$/i.test(name) && !isYaml(name);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true && !basename(path).startsWith(".");
}

/** Hidden files are leftovers of editors, or Kubernetes' own links. */
export function isYaml(name: string): boolean {
  return /^[^.].*\.ya?ml$/.test(name);
}

function isInside(folder: string, path: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}
