import type { IncomingMessage, Server } from "node:http";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import {
  BODY_TIMEOUT_MS,
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_TIMEOUT_MS,
  WAIT_SECONDS_MAX,
} from "../domain/bounds.ts";
import type { Platform } from "../domain/event.ts";
import { errorAnswer, jsonAnswer, SECURITY_HEADERS } from "./answer.ts";
import { createRequestCounter } from "./count.ts";
import type { Health } from "./health.ts";
import { requestIdOf } from "./request.ts";
import { answerTo, createWebhookHandler, type WebhookDeps } from "./webhooks.ts";

export interface ServerDeps extends WebhookDeps {
  /** Platforms that are on. The others are 404. */
  readonly platforms: readonly Platform[];
  /** False where other replicas do that. */
  readonly takesWebhooks: boolean;
  readonly health: Health;
  /** Answers everything below /api/v1; `headers` go with every answer. */
  readonly admin?: {
    fetch(
      request: Request,
      context: { readonly requestId: string; readonly headers: Readonly<Record<string, string>> },
    ): Response | Promise<Response>;
  };
  readonly newRequestId: () => string;
  /** Waits for the reply to an event of the test webhook; null when none came in time. */
  readonly waitForReply: (eventId: string, signal: AbortSignal) => Promise<string | null>;
}

type Env = { Bindings: HttpBindings };

const WEBHOOK = /^\/webhooks?\//;
const SLACK_ALIASES: readonly string[] = ["commands", "interactions"];

/** The HTTP surface. Errors are the table of docs/errors.md; nothing a client sends is a 500. */
export function createServer(deps: ServerDeps): Server {
  const app = new Hono<Env>();
  const newRequestId = (incoming: IncomingMessage) => requestIdOf(incoming, deps.newRequestId);

  for (const platform of deps.takesWebhooks ? deps.platforms : []) {
    const serve = createWebhookHandler(platform, deps);
    const handle = async (c: Context<Env>) => {
      const requestId = newRequestId(c.env.incoming);
      const result = await serve(c.env.incoming, requestId);
      if (result.kind === "answer") return result.response;
      return platform === "test"
        ? await answerDeveloper(c, result.reception, requestId, deps)
        : answerTo(result.reception, requestId);
    };
    for (const path of pathsOf(platform)) {
      app.post(path, handle);
      // Only WhatsApp's handshake is a GET.
      if (platform === "whatsapp") app.get(path, handle);
    }
  }

  const { health } = deps;
  const ready = async (c: Context<Env>) => {
    const report = await health.ready();
    return jsonAnswer(report.status === "ready" ? 200 : 503, report, newRequestId(c.env.incoming));
  };
  app.get("/health", (c) => jsonAnswer(200, health.alive(), newRequestId(c.env.incoming)));
  app.get("/ready", ready);
  app.get("/health/ready", ready);
  app.get("/internal/worker/heartbeat", (c) => {
    const beat = health.heartbeat();
    return jsonAnswer(beat.status === "stalled" ? 503 : 200, beat, newRequestId(c.env.incoming));
  });
  app.get("/metrics", async (c) => {
    return new Response(await deps.metrics.scrape(), {
      headers: {
        ...SECURITY_HEADERS,
        "x-request-id": newRequestId(c.env.incoming),
        "content-type": deps.metrics.registry.contentType,
      },
    });
  });

  const { admin } = deps;
  if (admin !== undefined) {
    app.all("/api/v1/*", (c) =>
      admin.fetch(c.req.raw, { requestId: newRequestId(c.env.incoming), headers: SECURITY_HEADERS }),
    );
  }

  app.notFound((c) => {
    const known = app.routes.filter((route) => route.path === c.req.path).map((route) => route.method);
    const message =
      known.length > 0
        ? `No route for ${c.req.method} here; this path takes ${[...new Set(known)].join(", ")}`
        : !deps.takesWebhooks && WEBHOOK.test(c.req.path)
          ? "This replica is a worker; webhooks go to those whose role is ingress or all"
          : "No such route, or the platform is not configured";
    const requestId = newRequestId(c.env.incoming);
    return errorAnswer(
      404,
      message,
      requestId,
      known.length > 0 ? { allow: [...new Set(known)].join(", ") } : {},
    );
  });
  app.onError((error, c) => {
    const requestId = newRequestId(c.env.incoming);
    deps.log.error({ request_id: requestId, err: error }, "http.failed");
    return errorAnswer(500, "Something broke here; it has been logged", requestId);
  });

  const count = createRequestCounter(new Set(app.routes.map((route) => route.path)), deps.metrics);
  const fetch = async (request: Request, bindings: HttpBindings) => {
    const startedAt = performance.now();
    const response = await app.fetch(request, bindings);
    count(bindings.incoming, response.status, startedAt);
    return response;
  };
  const server = createAdaptorServer({
    fetch: (request, bindings) => fetch(request, bindings as HttpBindings),
    serverOptions: TIMEOUTS,
  }) as Server;
  server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
  return server;
}

const TIMEOUTS = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: HEADERS_TIMEOUT_MS + BODY_TIMEOUT_MS,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16 * 1024,
};

function pathsOf(platform: Platform): string[] {
  const bases = [`/webhooks/${platform}`, `/webhook/${platform}`];
  return platform === "slack"
    ? bases.flatMap((base) => [base, ...SLACK_ALIASES.map((alias) => `${base}/${alias}`)])
    : bases;
}

/** The developer's webhook tells what happened, and waits for the reply when asked to. */
async function answerDeveloper(
  c: Context<Env>,
  reception: Parameters<typeof answerTo>[0],
  requestId: string,
  deps: ServerDeps,
): Promise<Response> {
  const { outcome, eventId, refusal } = reception;
  if (outcome === "refused" && refusal?.cause === "rate_limited") {
    const seconds = Math.max(1, Math.ceil((refusal.retryAfterMs ?? 1000) / 1000));
    return errorAnswer(429, `Over the ${refusal.detail} limit; try again in ${seconds} s`, requestId, {
      "retry-after": String(seconds),
    });
  }
  if (eventId === undefined) return answerTo(reception, requestId);
  if (outcome !== "accepted" && outcome !== "duplicate" && outcome !== "refused")
    return answerTo(reception, requestId);

  const status = { status: outcome, id: eventId };
  const waitSeconds = Number(c.req.query("wait") ?? 0);
  if (!(waitSeconds > 0)) return jsonAnswer(200, status, requestId);
  const signal = AbortSignal.any([
    AbortSignal.timeout(Math.ceil(Math.min(waitSeconds, WAIT_SECONDS_MAX) * 1000)),
    clientGone(c.env.outgoing),
  ]);
  const reply = await deps.waitForReply(eventId, signal);
  return jsonAnswer(200, reply === null ? status : { ...status, reply }, requestId);
}

function clientGone(outgoing: HttpBindings["outgoing"]): AbortSignal {
  const gone = new AbortController();
  outgoing.once("close", () => gone.abort());
  return gone.signal;
}
