import { Cluster, Redis, type RedisOptions } from "ioredis";
import type { Secret } from "../../shared/secret.ts";

export interface RedisConnection {
  /** `redis://` or `rediss://`, with user, password and number of the database in it. */
  readonly url: Secret;
  /** The URL names one node of a Cluster. */
  readonly cluster: boolean;
  /** Nodes as `host:port`. The URL's host is then not used, but its user, password and database are. */
  readonly sentinel: {
    readonly name: string;
    readonly nodes: readonly string[];
    readonly password: Secret | null;
  } | null;
  /** PEM texts. Null with `rediss://`: the system's authorities. */
  readonly tls: {
    readonly ca: string | null;
    readonly cert: string | null;
    readonly key: string | null;
    readonly servername: string | null;
    readonly verify: boolean;
  } | null;
  /** How many replicas must have an accepted event before it is acknowledged; 0: none. */
  readonly waitReplicas: number;
}

export type Client = Redis | Cluster;

const CONNECT_MS = 3_000;
/** A connection that was closed by us and is still open after this is cut. */
const CLOSE_MS = 500;
const TIMER_MS_MAX = 2 ** 31 - 1;
const AGAIN_MS_MIN = 50;
const AGAIN_MS_MAX = 1_000;

export interface ClientOptions {
  /** A connection that is this long silent while something was asked is made anew. */
  readonly silentMs: number;
  /** Once it is there, who asks sees to that (see `cut`). */
  readonly isTimedByCaller: boolean;
  readonly random: () => number;
}

/**
 * One client. What cannot be sent now is rejected at once, and what was cut off is rejected and not sent again,
 * because only the caller knows whether it may be.
 */
export function createClient(connection: RedisConnection, options: ClientOptions): Client {
  const client = newClient(connection, options);
  const prepare = (one: Redis) => {
    outliveErrors(one);
    useLatest(one, connection);
    if (options.isTimedByCaller) timeHandshakeOnly(one, options.silentMs);
  };
  if (client instanceof Redis) prepare(client);
  else client.on("+node", prepare);
  return client;
}

/** The library reads them for each connection that it makes: a password that was changed meanwhile is taken then. */
function useLatest({ options }: Redis, { url, sentinel }: RedisConnection): void {
  const now = () => credentials(new URL(url.reveal()));
  Object.defineProperties(options, {
    username: { get: () => now().username, enumerable: true },
    password: { get: () => now().password, enumerable: true },
    ...(sentinel?.password && {
      sentinelPassword: { get: () => sentinel.password?.reveal(), enumerable: true },
    }),
  });
}

/**
 * A handshake that failed may tell of it twice. The client listens to the first error of a connection alone, and one
 * that nobody listens to would end the process.
 */
function outliveErrors(client: Redis): void {
  client.on("error", () => client.stream?.on("error", () => {}));
}

/**
 * Its own timer runs on while the process stands still, and would cut a connection to a server that is well. So it times
 * the handshake alone, and whoever asks times the rest.
 */
function timeHandshakeOnly(client: Redis, silentMs: number): void {
  client.on("ready", () => {
    client.options.socketTimeout = TIMER_MS_MAX;
  });
  client.on("close", () => {
    client.options.socketTimeout = silentMs;
  });
}

/** Cuts its connections, and it makes new ones; what was asked on them is rejected. */
export function cut(client: Client, why: string): void {
  for (const { stream } of client instanceof Redis ? [client] : client.nodes())
    stream?.destroy(new Error(why));
}

function newClient(connection: RedisConnection, { silentMs, random }: ClientOptions): Client {
  const url = new URL(connection.url.reveal());
  const again = (times: number): number =>
    Math.min(AGAIN_MS_MIN * 2 ** Math.min(times, 10), AGAIN_MS_MAX) * (0.5 + random() / 2);
  const common = {
    ...credentials(url),
    connectTimeout: CONNECT_MS,
    socketTimeout: silentMs,
    disconnectTimeout: CLOSE_MS,
    keepAlive: 10_000,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // With null, what was on its way when the connection was lost would never be rejected.
    maxRetriesPerRequest: 0,
    lazyConnect: true,
    retryStrategy: again,
    // A demoted server: look for the new one, and let the caller decide about the command.
    reconnectOnError: (error: Error) => (error.message.startsWith("READONLY") ? 1 : false),
    ...(url.protocol === "rediss:" || connection.tls !== null ? { tls: tlsOptions(connection.tls) } : {}),
  } satisfies RedisOptions;
  const { sentinel } = connection;
  if (sentinel !== null) {
    return new Redis({
      ...common,
      name: sentinel.name,
      sentinels: sentinel.nodes.map(hostAndPort),
      sentinelRetryStrategy: again,
      sentinelCommandTimeout: CONNECT_MS,
      // One that is ordered leaves the old master a master for ten seconds, and what it takes then is lost.
      failoverDetector: true,
      ...(sentinel.password !== null && { sentinelPassword: sentinel.password.reveal() }),
      ...("tls" in common && { enableTLSForSentinelMode: true }),
    });
  }
  const node = { host: hostOf(url), port: Number(url.port || 6379) };
  if (!connection.cluster) return new Redis({ ...common, ...node });
  const { retryStrategy, lazyConnect, enableOfflineQueue, ...redisOptions } = common;
  return new Cluster([node], {
    redisOptions,
    lazyConnect,
    enableOfflineQueue,
    clusterRetryStrategy: retryStrategy,
    slotsRefreshTimeout: CONNECT_MS,
    // A slot that moves, or a master that fails over: told to the caller soon, who may try again.
    maxRedirections: 4,
    // Else it would send again what was cut off, and a claim be made twice.
    retryDelayOnFailover: 0,
  });
}

function credentials(url: URL): Pick<RedisOptions, "username" | "password" | "db"> {
  return {
    ...(url.username !== "" && { username: decodeURIComponent(url.username) }),
    ...(url.password !== "" && { password: decodeURIComponent(url.password) }),
    ...(/^\/\d+$/.test(url.pathname) && { db: Number(url.pathname.slice(1)) }),
  };
}

/** An IPv6 address stands in brackets in a URL. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1") || "127.0.0.1";
}

function hostAndPort(node: string): { host: string; port: number } {
  const url = new URL(`redis://${node}`);
  return { host: hostOf(url), port: Number(url.port || 26_379) };
}

function tlsOptions(tls: RedisConnection["tls"]): NonNullable<RedisOptions["tls"]> {
  if (tls === null) return {};
  return {
    ...(tls.ca !== null && { ca: tls.ca }),
    ...(tls.cert !== null && { cert: tls.cert }),
    ...(tls.key !== null && { key: tls.key }),
    ...(tls.servername !== null && { servername: tls.servername }),
    rejectUnauthorized: tls.verify,
  };
}
