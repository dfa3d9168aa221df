import { createHash } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import type { Variable } from "../shared/variable.ts";
import { type Env, type References, readSecretFile } from "./env-reader.ts";
import { FILES_MAX, type Folder, isYaml } from "./files.ts";
import { isRenewable, type Live } from "./renewal.ts";
import { type GatewaySpec, PLATFORM_DEFAULTS } from "./schema.ts";

/** Which configuration it is: replicas with the same files have the same. */
export function digestOf({ gateway, agents }: Pick<Folder, "gateway" | "agents">): string {
  const texts = [gateway?.text ?? null, ...agents.map(({ file, text }) => [basename(file), text])];
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex").slice(0, DIGEST_CHARS);
}

const DIGEST_CHARS = 12;

/**
 * Changes when a file of the folder, or one of the others, may have changed: also one that was renamed into its place, as editors do, or a link
 * that leads elsewhere now, as in a mounted ConfigMap. Cheap, and reads no file. Never rejects.
 */
export async function fingerprintOf(folder: string, others: readonly string[] = []): Promise<string> {
  const agents = join(folder, "agents");
  const [top, inAgents] = await Promise.all([namesIn(folder), namesIn(agents)]);
  const paths = [
    folder,
    agents,
    ...top.map((name) => join(folder, name)),
    ...inAgents.map((name) => join(agents, name)),
    ...others,
  ];
  const looks = await Promise.all(paths.map(lookAt));
  return looks.join("\n");
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  return names
    .filter(isYaml)
    .sort()
    .slice(0, FILES_MAX + 1);
}

async function lookAt(path: string): Promise<string> {
  const found = await stat(path).catch(() => null);
  if (found === null) return `${path} -`;
  // Of a folder only that it is there, and is the same: whoever writes beside the files changes its times.
  const { ino, dev, size, mtimeMs, ctimeMs } = found;
  return [path, dev, ino, ...(found.isDirectory() ? [] : [size, mtimeMs, ctimeMs])].join(" ");
}

/** A secret that comes from a file. */
export interface SecretFile {
  /** Absolute. */
  readonly path: string;
  /** Tells which it is, and not what it is. */
  readonly look: string;
}

/** By variable, each secret that comes from a file: ours, and those that files of the configuration refer to. */
export function secretFilesOf(
  { env, cwd }: { readonly env: Env; readonly cwd: string },
  variables: readonly Variable[],
  references: References,
): ReadonlyMap<string, SecretFile> {
  const ours = variables.flatMap(({ name, secret }) => {
    const file = secret ? (env[`${name}_FILE`]?.trim() ?? "") : "";
    return file === "" ? [] : [[name, resolve(cwd, file)] as const];
  });
  const files = [...ours, ...references.files].flatMap(([name, path]) => {
    const read = readSecretFile(path);
    if (!read.ok) return [];
    const look = createHash("sha256").update(read.text).digest("hex");
    return [[name, { path, look }] as const];
  });
  return new Map(files);
}

type Settings = Pick<Live, "secrets"> & { readonly gateway: GatewaySpec };

/** Settings that differ and that only a start applies, by their names. All others hold from the next message on. */
export function needsStart(running: Settings, next: Settings): readonly string[] {
  const secrets = [...running.secrets.keys()].filter((name) => !isRenewable(name, running, next));
  return [
    ...differing(fixedIn(running.gateway), fixedIn(next.gateway)).map((path) => path.join(".")),
    ...secrets.map((name) => `${name}_FILE`),
  ];
}

/** What the store and the platforms are opened with. */
function fixedIn({ store, queue, platforms, retention, media, inbound }: GatewaySpec) {
  const { waiting, waiting_per_conversation } = queue;
  const own = Object.entries(platforms).map(([name, options]) => [
    name,
    Object.fromEntries(
      Object.entries(options).filter(([key]) => key === "enabled" || !(key in PLATFORM_DEFAULTS)),
    ),
  ]);
  return {
    ...{ store, queue: { waiting, waiting_per_conversation } },
    media: { dir: media.dir, total_bytes: media.total_bytes, redis: media.redis },
    // Which are served; all else of them holds at once.
    inbound: inbound.map(({ name }) => name),
    ...{ platforms: Object.fromEntries(own), retention: { refusals: retention.refusals } },
  };
}

function differing(a: unknown, b: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (!isMapping(a) || !isMapping(b)) return JSON.stringify(a) === JSON.stringify(b) ? [] : [path];
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].flatMap((key) => differing(a[key], b[key], [...path, key]));
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
