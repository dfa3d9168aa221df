import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import { getRequestListener, type HttpBindings } from "@hono/node-server";
import {
  BODY_TIMEOUT_MS,
  CONNECTIONS_MAX,
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_TIMEOUT_MS,
  LARGEST_BODY_BYTES_MAX,
  SMALL_BODY_BYTES,
  UNVERIFIED_BYTES_MAX,
  USED_UP_BYTES_MAX,
} from "../domain/bounds.ts";
import type { Page } from "../ports/pages.ts";
import { UsedUp } from "../telemetry/heap.ts";
import { BodyRoom } from "./body-room.ts";
import { compressedResponse } from "./compress.ts";
import { type Count, createRequestCounter } from "./count.ts";
import { Drain } from "./drain.ts";
import { createHostCheck, type HostRules, hasTwoHosts } from "./hosts.ts";
import type { WebhookSource } from "./reception.ts";
import { peerOf, requestIdOf } from "./request.ts";
import { closeWhenRead, errorAnswer, type HttpResponse, send } from "./response.ts";
import { createRouter, type RouterDeps, WEBHOOK } from "./router.ts";
import { wrongPath } from "./target.ts";
import { createUpgrade, LIVE_PATH, type Live, wantsLive } from "./upgrades.ts";
import {
  createWatchGuard,
  createWatchServer,
  NOT_US,
  TWO_HOSTS,
  type Watched,
  type WatchRules,
  watched,
} from "./watch.ts";
import { createWebhook, type Webhook, type WebhookDeps } from "./webhooks.ts";

export interface ServerDeps
  extends Omit<WebhookDeps, "bodies">,
    Pick<RouterDeps, "takesWebhooks" | "console" | "health" | "admin"> {
  readonly hosts: HostRules;
  readonly watch: WatchRules & {
    /** Whether what is for operators alone has a port of its own, and is not on this one. */
    readonly isApart: boolean;
  };
  /** Of the platforms that are on, where webhooks are taken. */
  readonly pages: readonly Page[];
  /** Of the platforms that are on. The others are 404. */
  readonly sources: readonly WebhookSource[];
  readonly newRequestId: () => string;
  /** Absent: nothing goes over to WebSocket. */
  readonly live?: Live;
}

const API = "/api/";
const ROOM = { max: UNVERIFIED_BYTES_MAX, block: SMALL_BODY_BYTES, bodyMax: LARGEST_BODY_BYTES_MAX };

/** The HTTP surface. Nothing a client sends is a 500. `watch` is there where metrics have a port of their own. */
export function createServers(deps: ServerDeps): { readonly server: Server; readonly watch: Server | null } {
  const { metrics, log } = deps;
  const newRequestId = (incoming: IncomingMessage) => requestIdOf(incoming, deps.newRequestId);
  const broken = (error: unknown, requestId: string) => {
    log.error({ request_id: requestId, err: error }, "http.failed");
    return errorAnswer(500, "Something broke here; it has been logged");
  };
  const usedUp = new UsedUp(USED_UP_BYTES_MAX);
  const bodies = { room: new BodyRoom(ROOM), drain: new Drain(usedUp), usedUp };
  const webhooks = webhooksOf({ ...deps, bodies });
  const paths = watched(deps);
  const isOurHost = createHostCheck(deps.hosts);
  const router = createRouter({
    ...deps,
    webhooks,
    pages: deps.takesWebhooks ? deps.pages : [],
    isLive: deps.live !== undefined,
    watched: deps.watch.isApart ? elsewhere(paths) : paths,
    watchGuard: deps.watch.isApart
      ? () => undefined
      : createWatchGuard({ rules: deps.watch, guesses: deps.guesses, requestIdOf: newRequestId }),
    requestIdOf: newRequestId,
    broken,
  });
  const routes = new Set(router.routes.map((route) => route.path));
  const countOf = createRequestCounter(routes, metrics, (path) => deps.admin?.routeOf(path));

  const routed = getRequestListener(
    async (request, bindings) => {
      const { incoming, outgoing } = bindings as HttpBindings;
      const startedAt = performance.now();
      const answered = await router.fetch(request, { incoming, outgoing });
      const path = pathOf(incoming);
      const isForOperators = path.startsWith(API) || paths.has(path);
      const response = isForOperators
        ? await compressedResponse(answered, incoming.headers["accept-encoding"]?.toString())
        : answered;
      countOf(incoming.method, path)(response.status, startedAt);
      return response;
    },
    // HTTP/1.0 needs no Host, and load balancers ask so whether we are there.
    { hostname: "localhost" },
  );

  /** For every request but nearly all webhooks, which are found by their exact path and mean nobody else. */
  function refusalOf(incoming: IncomingMessage): HttpResponse | undefined {
    const path = pathOf(incoming);
    const wrong = wrongPath(path);
    if (wrong !== undefined) return errorAnswer(400, wrong);
    const isForAll =
      path === "/health" || (path === "/" && incoming.method === "OPTIONS") || WEBHOOK.test(path);
    return isForAll || isOurHost(incoming.headers.host) ? undefined : NOT_US;
  }

  function refuse(answer: HttpResponse, incoming: IncomingMessage, outgoing: ServerResponse): void {
    const startedAt = performance.now();
    send(answer, newRequestId(incoming), outgoing);
    countOf(incoming.method, "")(answer.status, startedAt);
  }

  async function serve(webhook: Webhook, count: Count, incoming: IncomingMessage, outgoing: ServerResponse) {
    const startedAt = performance.now();
    const requestId = newRequestId(incoming);
    let answer: HttpResponse;
    try {
      answer = await webhook(incoming, outgoing, requestId, startedAt);
    } catch (error) {
      answer = broken(error, requestId);
    }
    send(answer, requestId, outgoing);
    count(answer.status, startedAt);
  }

  const posted = new Map(
    [...webhooks].map(([path, { answer }]) => [path, { answer, count: countOf("POST", path) }]),
  );
  const { live } = deps;
  const shouldUpgradeCallback = (incoming: IncomingMessage) => live !== undefined && wantsLive(incoming);
  const server = createHttpServer({ ...TIMEOUTS, shouldUpgradeCallback }, (incoming, outgoing) => {
    // Nearly all requests are webhooks, and their path is all that they need of a router.
    const webhook = incoming.method === "POST" ? posted.get(pathOf(incoming)) : undefined;
    const refusal = hasTwoHosts(incoming)
      ? TWO_HOSTS
      : webhook === undefined
        ? refusalOf(incoming)
        : undefined;
    if (refusal !== undefined) return refuse(refusal, incoming, outgoing);
    if (webhook === undefined) {
      closeWhenRead(outgoing);
      void routed(incoming, outgoing);
      return;
    }
    serve(webhook.answer, webhook.count, incoming, outgoing).catch((error: unknown) => {
      log.error({ err: error }, "http.failed");
      outgoing.destroy();
    });
  });
  if (live !== undefined) {
    const upgrade = createUpgrade({
      ...{ live, peerOf, broken, requestIdOf: newRequestId, count: countOf("GET", LIVE_PATH) },
      refusalOf: (incoming) => (hasTwoHosts(incoming) ? TWO_HOSTS : refusalOf(incoming)),
    });
    server.on("upgrade", (incoming, socket, head) => void upgrade(incoming, socket, head));
  }
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  server.maxConnections = CONNECTIONS_MAX;
  const watch = deps.watch.isApart
    ? createWatchServer({
        paths,
        rules: deps.watch,
        guesses: deps.guesses,
        isOurHost,
        requestIdOf: newRequestId,
        broken,
      })
    : null;
  return { server, watch };
}

/** Where they were, they say where they are. */
function elsewhere(paths: Watched): Watched {
  const gone = errorAnswer(404, "This is on the port of PARLEY_METRICS_PORT");
  return new Map([...paths.keys()].map((path) => [path, async () => gone]));
}

const TIMEOUTS = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: HEADERS_TIMEOUT_MS + BODY_TIMEOUT_MS,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16 * 1024,
};

/** By path, for each platform that is on. */
function webhooksOf(
  deps: ServerDeps & WebhookDeps,
): Map<string, { answer: Webhook; methods: readonly string[] }> {
  const sources = deps.takesWebhooks ? deps.sources : [];
  const entries = sources.flatMap((source) => {
    const { methods } = source.webhook;
    const answer = createWebhook(source, deps);
    return pathsOf(source).map((path) => [path, { answer, methods }] as const);
  });
  return new Map(entries);
}

function pathOf({ url = "" }: IncomingMessage): string {
  const end = url.indexOf("?");
  return end === -1 ? url : url.slice(0, end);
}

function pathsOf({ platform, webhook }: WebhookSource): string[] {
  const bases = [`/webhooks/${platform}`, `/webhook/${platform}`];
  return bases.flatMap((base) => webhook.paths.map((path) => base + path));
}
