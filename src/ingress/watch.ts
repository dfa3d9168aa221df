import { createServer, type IncomingMessage, type Server } from "node:http";
import { BlockList, isIPv6 } from "node:net";
import { textMatches } from "../shared/hmac.ts";
import type { Secret } from "../shared/secret.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { compressed } from "./compress.ts";
import type { Guesses } from "./guesses.ts";
import type { Health } from "./health.ts";
import { hasTwoHosts } from "./hosts.ts";
import { cameThroughProxy, peerOf } from "./request.ts";
import { errorAnswer, type HttpResponse, jsonAnswer, send, tooManyGuesses } from "./response.ts";

/** What is for operators alone, by path: it names agents, models and what they cost. */
export type Watched = ReadonlyMap<string, () => Promise<HttpResponse>>;

export function watched({
  health,
  metrics,
}: {
  readonly health: Health;
  readonly metrics: Metrics;
}): Watched {
  return new Map([
    [
      "/metrics",
      async () => ({
        status: 200,
        headers: { "content-type": metrics.registry.contentType },
        body: await metrics.scrape(),
      }),
    ],
    [
      "/internal/worker/heartbeat",
      async () => {
        const beat = health.heartbeat();
        return jsonAnswer(beat.status === "stalled" ? 503 : 200, beat);
      },
    ],
  ]);
}

export interface WatchRules {
  /** Whoever has one of these may watch from anywhere. */
  readonly tokens: readonly Secret[];
  /** Nobody may without one of them. */
  readonly needsToken: boolean;
}

/** Refuses whoever may not watch; undefined for whoever may. */
export function createWatchGuard({
  rules,
  guesses,
  requestIdOf,
}: Pick<WatchServerDeps, "rules" | "guesses" | "requestIdOf">): (
  incoming: IncomingMessage,
) => HttpResponse | undefined {
  return (incoming) => {
    const { authorization } = incoming.headers;
    const given = /^Bearer ([!-~]+)$/i.exec(authorization ?? "")?.[1];
    if (given !== undefined && textMatches(rules.tokens, given)) return undefined;
    if (!rules.needsToken && isInside(incoming)) return undefined;
    // Without a token nobody guesses one: whoever is outside is merely told so.
    const waitSeconds =
      rules.needsToken || authorization !== undefined
        ? guesses.refuse("metrics", {
            requestId: requestIdOf(incoming),
            peer: peerOf(incoming) ?? null,
            isGiven: authorization !== undefined,
          })
        : null;
    if (waitSeconds !== null) return tooManyGuesses(waitSeconds);
    return rules.needsToken
      ? errorAnswer(401, NEEDS_TOKEN, { "www-authenticate": "Bearer" })
      : errorAnswer(403, FOR_INSIDE);
  };
}

const NEEDS_TOKEN = "Expected authorization: Bearer and PARLEY_METRICS_TOKEN, got none or another";
const FOR_INSIDE =
  "Expected a caller on this machine or a private network that did not come through a proxy. Set PARLEY_METRICS_PORT" +
  " to serve this on a port of its own, or PARLEY_METRICS_TOKEN to ask for it with a token";

/** On this machine or a private network, and not through a proxy that says so. */
export function isInside(incoming: IncomingMessage): boolean {
  const address = incoming.socket.remoteAddress ?? "";
  return PRIVATE.check(address, isIPv6(address) ? "ipv6" : "ipv4") && !cameThroughProxy(incoming);
}

/** Networks that nobody outside can send from. 100.64.0.0/10 is shared by the pods of some clusters. */
const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ["127.0.0.0", 8],
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["169.254.0.0", 16],
  ["100.64.0.0", 10],
] as const)
  PRIVATE.addSubnet(network, prefix, "ipv4");
PRIVATE.addAddress("::1", "ipv6");
PRIVATE.addSubnet("fc00::", 7, "ipv6");
PRIVATE.addSubnet("fe80::", 10, "ipv6");

export interface WatchServerDeps {
  readonly paths: Watched;
  readonly rules: WatchRules;
  readonly guesses: Pick<Guesses, "refuse">;
  readonly isOurHost: (host: string | undefined) => boolean;
  readonly requestIdOf: (incoming: IncomingMessage) => string;
  readonly broken: (error: unknown, requestId: string) => HttpResponse;
}

/** The port of `PARLEY_METRICS_PORT`: nothing else is on it, so whoever reaches it may watch, unless there is a token. */
export function createWatchServer(deps: WatchServerDeps): Server {
  const { paths, rules, isOurHost, requestIdOf, broken } = deps;
  const guard = createWatchGuard(deps);
  async function answerTo(incoming: IncomingMessage): Promise<HttpResponse> {
    if (hasTwoHosts(incoming)) return TWO_HOSTS;
    if (!isOurHost(incoming.headers.host)) return NOT_US;
    const answer = paths.get(incoming.url?.split("?", 1)[0] ?? "");
    if (answer === undefined || incoming.method !== "GET")
      return errorAnswer(404, `No such route; GET ${[...paths.keys()].join(" and ")} are here`);
    const refusal = rules.needsToken ? guard(incoming) : undefined;
    return refusal ?? (await compressed(await answer(), incoming.headers["accept-encoding"]?.toString()));
  }
  return createServer({ maxHeaderSize: 16 * 1024 }, (incoming, outgoing) => {
    const requestId = requestIdOf(incoming);
    void answerTo(incoming)
      .catch((error: unknown) => broken(error, requestId))
      .then((answer) => send(answer, requestId, outgoing));
  });
}

export const TWO_HOSTS: HttpResponse = errorAnswer(400, "Expected one Host header, got two");
export const NOT_US: HttpResponse = errorAnswer(
  403,
  "Expected a Host of this gateway, got another; PARLEY_PUBLIC_URL and PARLEY_ALLOWED_HOSTS say which it has",
);
