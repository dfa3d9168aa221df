import { Redis } from "ioredis";
import { GatewayError } from "../../domain/errors.ts";
import type { Durability } from "../../ports/store.ts";
import type { Client } from "./connect.ts";
import { asStoreError } from "./errors.ts";
import { unavailable } from "./link.ts";

/** Functions in scripts (`#!lua flags=`) came with it. Valkey says 7.2 for compatibility. */
const VERSION_MIN = 7;

export interface Inspection {
  readonly version: string;
  readonly evictionPolicy: string;
  readonly role: string;
  readonly isAppendOnly: boolean;
  /** Null when the server does not tell, as managed ones do not. */
  readonly fsync: "always" | "everysec" | "no" | null;
}

/** What each master says of itself. */
export async function inspect(client: Client): Promise<readonly Inspection[]> {
  return await Promise.all(mastersOf(client).map(inspectNode));
}

export function mastersOf(client: Client): readonly Redis[] {
  return client instanceof Redis ? [client] : client.nodes("master");
}

/** A script that may write and does not: it is refused for whatever an event would be. */
const IDLE_SCRIPT = "#!lua\nreturn 1";

/** Why a master takes no writes now, in its words; null: all do. */
export async function refusalOf(client: Client): Promise<string | null> {
  const answers = await Promise.all(
    mastersOf(client).map((node) =>
      node.eval(IDLE_SCRIPT, 0).then(
        () => null,
        (error: unknown) => asStoreError(error, "eval").message,
      ),
    ),
  );
  return answers.find((answer) => answer !== null) ?? null;
}

async function inspectNode(node: Redis): Promise<Inspection> {
  try {
    const info = await node.info();
    const read = (name: string) => new RegExp(`^${name}:(.*?)\r?$`, "m").exec(info)?.[1] ?? "";
    return {
      version: read("redis_version"),
      evictionPolicy: read("maxmemory_policy"),
      role: read("role"),
      isAppendOnly: read("aof_enabled") === "1",
      fsync: await fsyncOf(node),
    };
  } catch (error) {
    throw asStoreError(error, "info");
  }
}

async function fsyncOf(node: Redis): Promise<Inspection["fsync"]> {
  const answer = (await node.config("GET", "appendfsync").catch(() => [])) as unknown;
  const value = Array.isArray(answer) ? answer[1] : (answer as Record<string, unknown>).appendfsync;
  return value === "always" || value === "everysec" || value === "no" ? value : null;
}

/** Throws STORE_UNSAFE for a server on which acknowledged events could vanish; gives what one survives, and why. */
export function judge(
  nodes: readonly Inspection[],
  acceptLoss: boolean,
): { durability: Durability; report: string } {
  for (const node of nodes) refuseUnsafe(node, acceptLoss);
  const rank = (node: Inspection) => RANKS.indexOf(durabilityOf(node));
  const [weakest] = [...nodes].sort((a, b) => rank(a) - rank(b));
  if (weakest === undefined) throw unavailable("expected at least one master, got none");
  const durability = durabilityOf(weakest);
  const many = nodes.length > 1 ? ` Cluster of ${nodes.length} masters` : "";
  return {
    durability,
    report: `Redis ${weakest.version}${many}, ${LEVELS[durability](weakest.fsync)}`,
  };
}

function refuseUnsafe(
  { version, evictionPolicy, isAppendOnly, role }: Inspection,
  acceptLoss: boolean,
): void {
  if (Number.parseInt(version, 10) < VERSION_MIN)
    throw unsafe(`expected Redis ${VERSION_MIN}.0 or newer, got ${version}`);
  if (evictionPolicy !== "noeviction")
    throw unsafe(
      `expected maxmemory-policy noeviction, got ${evictionPolicy || "no answer"}: Redis would delete events that were ` +
        "acknowledged. Set it with CONFIG SET maxmemory-policy noeviction, and in redis.conf",
    );
  if (role === "slave") throw unavailable("expected a master, got a replica, which takes no writes");
  if (!isAppendOnly && !acceptLoss)
    throw unsafe(
      "expected appendonly yes, got no: acknowledged events would be lost when Redis crashes. Set it with CONFIG SET " +
        "appendonly yes and in redis.conf, or accept the loss with store.redis.accept_loss: true in gateway.yaml",
    );
}

const RANKS: readonly Durability[] = ["none", "process", "power"];

function durabilityOf({ isAppendOnly, fsync }: Inspection): Durability {
  if (!isAppendOnly) return "none";
  return fsync === "always" ? "power" : "process";
}

const LEVELS: Readonly<Record<Durability, (fsync: Inspection["fsync"]) => string>> = {
  power: () => "appendfsync always: what was acknowledged survives a power cut",
  process: (fsync) =>
    `appendfsync ${fsync ?? "unknown"}: what was acknowledged survives a crash of Redis, but a power cut may take ${
      fsync === "no" ? "what the system had not written" : "the last second"
    }`,
  none: () => "appendonly no: what was acknowledged is lost when Redis crashes, as was accepted",
};

function unsafe(why: string): GatewayError {
  return new GatewayError("STORE_UNSAFE", `Redis is not safe to keep events: ${why}`);
}
