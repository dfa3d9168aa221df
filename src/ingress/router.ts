import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import type { Page } from "../ports/pages.ts";
import type { Health, ReadyReport } from "./health.ts";
import { peerOf } from "./request.ts";
import { errorAnswer, type HttpResponse, jsonAnswer, SECURITY_HEADERS, toResponse } from "./response.ts";
import { LIVE_PATH, NEEDS_UPGRADE } from "./upgrades.ts";
import { isInside, type Watched } from "./watch.ts";
import type { Webhook } from "./webhooks.ts";

export interface RouterDeps {
  /** By path, with the methods that it takes. */
  readonly webhooks: ReadonlyMap<string, { readonly answer: Webhook; readonly methods: readonly string[] }>;
  /** False where other replicas do that. */
  readonly takesWebhooks: boolean;
  /** For people's browsers. */
  readonly pages: readonly Page[];
  /** The page for operators' browsers. */
  readonly console?: {
    /** Also for whoever comes from elsewhere. */
    readonly isForAll: boolean;
    answer(): Promise<HttpResponse>;
  };
  readonly health: Health;
  /** Answers everything below /api/v1; `headers` go with every answer. */
  readonly admin?: {
    /** As metrics name the route of a path. */
    routeOf(path: string): string | undefined;
    fetch(
      request: Request,
      context: {
        readonly requestId: string;
        readonly peer: string | null;
        readonly headers: Readonly<Record<string, string>>;
      },
    ): Response | Promise<Response>;
  };
  /** Whether there are live events to go over to. */
  readonly isLive: boolean;
  readonly watched: Watched;
  /** Refuses whoever may not see that. */
  readonly watchGuard: (incoming: IncomingMessage) => HttpResponse | undefined;
  readonly requestIdOf: (incoming: IncomingMessage) => string;
  /** What is told of an error of ours, which is logged. */
  readonly broken: (error: unknown, requestId: string) => HttpResponse;
}

type Env = { Bindings: HttpBindings };

const CONSOLE_IS_INSIDE = errorAnswer(
  403,
  "Expected a caller on this machine or a private network that did not come through a proxy. PARLEY_CONSOLE=on serves the" +
    " console to whoever reaches this port",
);

export const WEBHOOK = /^\/webhooks?\//;

/** Every route. Errors are the table of docs/errors.md. */
export function createRouter(deps: RouterDeps): Hono<Env> {
  const {
    webhooks,
    pages,
    console: page,
    health,
    admin,
    isLive,
    watched,
    watchGuard,
    requestIdOf,
    broken,
  } = deps;
  const app = new Hono<Env>();
  const respond = (c: Context<Env>, answer: HttpResponse) => toResponse(answer, requestIdOf(c.env.incoming));

  for (const [path, { answer, methods }] of webhooks) {
    app.on([...methods], path, async (c) => {
      const { incoming, outgoing } = c.env;
      const requestId = requestIdOf(incoming);
      const answered = await answer(incoming, outgoing as ServerResponse, requestId, performance.now());
      return toResponse(answered, requestId);
    });
  }

  for (const page of pages) {
    app.get(page.path, async (c) => {
      const { incoming } = c.env;
      const header = (name: string) => c.req.header(name);
      const { status, headers, html } = await page.answer({
        query: new URLSearchParams(new URL(c.req.url).search),
        header,
        requestId: requestIdOf(incoming),
      });
      const own = { "content-type": "text/html; charset=utf-8", ...headers };
      return respond(c, { status, headers: own, body: html });
    });
  }

  if (page !== undefined) {
    app.get("/", async (c) =>
      respond(c, page.isForAll || isInside(c.env.incoming) ? await page.answer() : CONSOLE_IS_INSIDE),
    );
  }

  const report = (c: Context<Env>, ready: ReadyReport) =>
    respond(c, jsonAnswer(ready.status === "not_ready" ? 503 : 200, ready));
  const ready = async (c: Context<Env>) => report(c, await health.ready());
  app.get("/health", (c) => respond(c, jsonAnswer(200, health.alive())));
  // What HAProxy asks where nobody told it what to ask (`option httpchk`).
  app.on("OPTIONS", "/", (c) => respond(c, jsonAnswer(200, health.alive())));
  app.get("/ready", ready);
  app.get("/health/ready", ready);
  app.get("/ready/webhooks", async (c) => report(c, await health.webhooks()));
  for (const [path, answer] of watched) {
    app.get(path, async (c) => respond(c, watchGuard(c.env.incoming) ?? (await answer())));
  }

  if (admin !== undefined) {
    app.all("/api/v1/*", (c) =>
      admin.fetch(c.req.raw, {
        requestId: requestIdOf(c.env.incoming),
        peer: peerOf(c.env.incoming) ?? null,
        headers: SECURITY_HEADERS,
      }),
    );
  }

  if (isLive) app.get(LIVE_PATH, (c) => respond(c, NEEDS_UPGRADE));

  app.notFound((c) => {
    const known = app.routes.filter((route) => route.path === c.req.path).map((route) => route.method);
    const methods = [...new Set(known)].join(", ");
    const message =
      known.length > 0
        ? `No route for ${c.req.method} here; this path takes ${methods}`
        : !deps.takesWebhooks && WEBHOOK.test(c.req.path)
          ? "This replica is a worker; webhooks go to those whose role is ingress or all"
          : "No such route, or the platform is not configured";
    return respond(c, errorAnswer(404, message, known.length > 0 ? { allow: methods } : {}));
  });
  app.onError((error, c) => {
    const requestId = requestIdOf(c.env.incoming);
    return toResponse(broken(error, requestId), requestId);
  });
  return app;
}
