import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { errnoOf } from "../shared/fault.ts";
import type { Environment } from "./environment.ts";
import type { Path, Problem } from "./problems.ts";
import type { YamlFile } from "./read-yaml.ts";
import type { GatewaySpec } from "./schema.ts";
import type { StoreSpec } from "./store-schema.ts";

const FILES = ["ca_file", "cert_file", "key_file"] as const;

/** What each option of the store may be, but not together, and files that are not there. */
export function storeProblems(
  { store }: GatewaySpec,
  { environment, yaml, cwd }: { environment: Environment; yaml: YamlFile; cwd: string },
): Problem[] {
  const problem = (path: Path, message: string) => yaml.problem(["spec", "store", "redis", ...path], message);
  return [
    ...placementProblems(store.redis, problem),
    ...fileProblems(store.redis, cwd, problem),
    ...tlsProblems(store.redis, environment, problem),
    ...databaseProblems(store.redis, environment),
  ];
}

type Complain = (path: Path, message: string) => Problem;

function placementProblems({ cluster, sentinel, wait_replicas }: StoreSpec["redis"], problem: Complain) {
  const problems: Problem[] = [];
  if (!cluster) return problems;
  if (sentinel !== "off") {
    const why = "a Cluster moves its masters by itself, and Sentinels know nothing of it";
    problems.push(problem(["cluster"], `expected false beside sentinel, got true; ${why}`));
  }
  if (wait_replicas > 0) {
    const why = "which node of a Cluster holds our keys may change between a write and the wait for it";
    problems.push(problem(["wait_replicas"], `expected 0 with cluster, got ${wait_replicas}; ${why}`));
  }
  return problems;
}

function fileProblems({ tls }: StoreSpec["redis"], cwd: string, problem: Complain): Problem[] {
  return FILES.flatMap((name) => {
    const path = tls[name];
    const reason = path === undefined ? null : whyUnreadable(resolve(cwd, path));
    if (reason === null) return [];
    return [problem(["tls", name], `expected a file that can be read, got ${reason} for ${path}`)];
  });
}

function tlsProblems({ tls }: StoreSpec["redis"], { redisUrl }: Environment, problem: Complain): Problem[] {
  const problems: Problem[] = [];
  if ((tls.cert_file === undefined) !== (tls.key_file === undefined)) {
    const [given, missing] =
      tls.key_file === undefined ? ["cert_file", "key_file"] : ["key_file", "cert_file"];
    problems.push(problem(["tls", given], `expected ${missing} beside ${given}, got nothing`));
  }
  const isPlain = redisUrl?.reveal().startsWith("redis://") === true;
  if (isPlain && (!tls.verify || tls.servername !== undefined || FILES.some((name) => tls[name])))
    problems.push(
      problem(["tls"], "expected nothing here beside a redis:// address; rediss:// is the one with TLS"),
    );
  return problems;
}

function databaseProblems({ cluster }: StoreSpec["redis"], { redisUrl }: Environment): Problem[] {
  if (!cluster || redisUrl === null) return [];
  const database = /^\/(\d+)/.exec(URL.parse(redisUrl.reveal())?.pathname ?? "")?.[1] ?? "0";
  if (Number(database) === 0) return [];
  const message = `expected database 0, the only one of a Cluster, got ${database}; a prefix keeps installations apart`;
  return [{ file: "environment", line: null, column: null, path: "REDIS_URL", message }];
}

/** File names as the gateway opens them, wherever it is started. */
export function withAbsoluteFiles(spec: GatewaySpec, cwd: string): GatewaySpec {
  const { tls } = spec.store.redis;
  const named = FILES.flatMap((name) => {
    const path = tls[name];
    return path === undefined ? [] : [[name, resolve(cwd, path)] as const];
  });
  if (named.length === 0) return spec;
  const redis = { ...spec.store.redis, tls: { ...tls, ...Object.fromEntries(named) } };
  return { ...spec, store: { ...spec.store, redis } };
}

/** A store that is described and not used: nobody means to find that out after a week. */
export function storeNotes({ store }: GatewaySpec, { redisUrl }: Environment): string[] {
  const { cluster, sentinel } = store.redis;
  return redisUrl === null && (cluster || sentinel !== "off")
    ? ["store.redis is described, but REDIS_URL is not set: events are kept in the SQLite file"]
    : [];
}

function whyUnreadable(path: string): string | null {
  try {
    readFileSync(path);
    return null;
  } catch (error) {
    return errnoOf(error);
  }
}
