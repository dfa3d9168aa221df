import { Hono } from "hono";
import { GatewayError } from "../domain/errors.ts";
import type { Secret } from "../shared/secret.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { type AuditedDeps, audited, type TellAudit } from "./audited.ts";
import { KEY_CHARS_MAX, OPERATOR_CHARS_MAX } from "./bounds.ts";
import {
  bearerIn,
  type Caller,
  type Callers,
  isWithin,
  type OnTokenEnd,
  ofAnother,
  type WrongToken,
} from "./callers.ts";
import { createHandlers, type HandlerDeps } from "./handlers.ts";
import { OPERATIONS, type Operation, type OperationId } from "./operations.ts";
import { readBody, readQuery } from "./requests.ts";
import { type ApiResponse, OFF, problem, refusedToken, storeAway, tooManyRequests } from "./responses.ts";

export interface AdminDeps extends HandlerDeps, Pick<AuditedDeps, "audit"> {
  /** Null: the API is off. */
  readonly token: Secret | null;
  readonly callers: Pick<Callers, "of" | "follow" | "slowed">;
  readonly metrics: Pick<Metrics, "adminRequests">;
  /** Hears of each request without the token. Gives the seconds to wait where a peer has sent too many wrong ones. */
  readonly wrongToken: WrongToken;
}

/** What the server knows about a request. */
export interface AdminContext {
  readonly requestId: string;
  /** Who is at the other end of the connection. */
  readonly peer: string | null;
  /** Go with every answer. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface AdminApi {
  /** The route of a path, as metrics name it: ids in it are `{id}`. Undefined: there is none. */
  routeOf(path: string): string | undefined;
  /** Answers everything below /api/v1. */
  fetch(request: Request, context: AdminContext): Response | Promise<Response>;
}

/** The operator's API. Whoever has the token may read message text here; it is logged nowhere. */
export function createAdminApi(deps: AdminDeps): AdminApi {
  const { token, callers, log, metrics } = deps;
  const handlers = createHandlers(deps);
  const router = new Hono<{ Bindings: AdminContext; Variables: { caller: Caller } }>().basePath("/api/v1");

  router.use(async (c, next) => {
    if (token === null) return respond(OFF, c.env);
    const given = c.req.header("authorization");
    const bearer = bearerIn(given);
    const caller = bearer === undefined ? null : await callers.of(bearer);
    if (caller !== null) {
      c.set("caller", caller);
      return await next();
    }
    const { requestId, peer } = c.env;
    const userAgent = c.req.header("user-agent") ?? null;
    const isGiven = given !== undefined && given !== "";
    return respond(refusedToken(deps.wrongToken({ requestId, peer, isGiven, userAgent })), c.env);
  });

  for (const [operationId, operation] of Object.entries<Operation>(OPERATIONS)) {
    // The table gives each handler the types of its own operation; here it is any of them.
    const handle = handlers[operationId as keyof typeof OPERATIONS] as Handle;
    router.on(operation.method.toUpperCase(), operation.path.replace("{id}", ":id"), async (c) => {
      const caller = c.get("caller");
      const { tenant } = caller;
      const isAllowed = tenant === null || operation.isForTenants === true;
      const call = isAllowed
        ? within(tenant, await callOf(operation, c.req.raw, c.req.param("id") ?? ""))
        : notFor(tenant);
      const onTokenEnd: OnTokenEnd = (ended) => callers.follow(caller, ended);
      // What is refused anyway costs nothing.
      const waitSeconds = call.ok ? callers.slowed(caller) : null;
      const answering =
        waitSeconds !== null
          ? tooManyRequests(waitSeconds)
          : call.ok
            ? answerTo(operationId as OperationId, { ...call, tenant, onTokenEnd }, handle, c.req.raw, c.env)
            : problem(call.status ?? 400, call.message);
      const count = (status: number) =>
        metrics.adminRequests.inc({ operation: operationId, status: String(status) });
      const answer = await Promise.resolve(answering).catch((error: unknown) => {
        count(error instanceof GatewayError ? storeAway(error).status : 500);
        throw error;
      });
      const { requestId } = c.env;
      const { status } = answer;
      count(status);
      const by = caller.token === null ? {} : { token: caller.token.id, tenant };
      log.info({ request_id: requestId, operation: operationId, status, ...by }, "admin.request");
      return respond(answer, c.env);
    });
  }

  async function answerTo(
    operationId: OperationId,
    call: Checked & { ok: true; tenant: string | null; onTokenEnd: OnTokenEnd },
    handle: Handle,
    { headers }: Request,
    { requestId, peer }: AdminContext,
  ): Promise<ApiResponse> {
    const from = { peer, requestId, userAgent: headers.get("user-agent") };
    const tell: TellAudit = (deed) =>
      deps.audit.write({ actor: call.by, role: "operator", ...from, ...deed });
    return await audited(operationId, call, { tell, act: () => handle({ ...call, tell, requestId }), deps });
  }

  router.notFound((c) =>
    respond(problem(404, "No such route; GET /api/v1/openapi.json has them all"), c.env),
  );
  router.onError((error, c) => {
    if (error instanceof GatewayError) return respond(storeAway(error), c.env);
    log.error({ request_id: c.env.requestId, err: error }, "admin.failed");
    return respond(problem(500, "Something broke here; it has been logged"), c.env);
  });
  return { routeOf, fetch: (request, context) => router.fetch(request, context) };
}

const ROUTES: readonly (readonly [route: string, paths: RegExp])[] = Object.values<Operation>(OPERATIONS)
  .map(({ path }) => `/api/v1${path}`)
  // One with an id takes what has a name of its own.
  .sort((a, b) => Number(a.includes("{")) - Number(b.includes("{")))
  .map((route) => [route, new RegExp(`^${route.replaceAll(".", "\\.").replace("{id}", "[^/]+")}$`)]);

function routeOf(path: string): string | undefined {
  return ROUTES.find(([, paths]) => paths.test(path))?.[0];
}

type Handle = (call: object) => Promise<ApiResponse>;

type Checked =
  | {
      readonly ok: true;
      readonly id: string;
      readonly by: string;
      readonly key: string | undefined;
      readonly query: object;
      readonly body: unknown;
    }
  | { readonly ok: false; readonly status?: 403 | 413 | 415 | undefined; readonly message: string };

/** A request as its operation takes it, or what is wrong with it. */
async function callOf(
  { method, query, body, isIdempotent }: Operation,
  request: Request,
  id: string,
): Promise<Checked> {
  const by = method === "get" ? "" : operatorOf(request);
  if (by === null) {
    const message = `Expected X-Parley-Operator to be 1 to ${OPERATOR_CHARS_MAX} printable characters, got something else`;
    return { ok: false, message };
  }
  const key = isIdempotent === true ? (request.headers.get("idempotency-key") ?? undefined) : undefined;
  if (key !== undefined && !KEY.test(key)) {
    const message = `Expected Idempotency-Key to be 1 to ${KEY_CHARS_MAX} printable characters, got something else`;
    return { ok: false, message };
  }
  const asked = readQuery(query, new URL(request.url));
  if (!asked.ok) return asked;
  const sent = body === undefined ? { ok: true as const, value: undefined } : await readBody(body, request);
  return sent.ok ? { ok: true, id, by, key, query: asked.value, body: sent.value } : sent;
}

const KEY = new RegExp(`^[\\x20-\\x7e]{1,${KEY_CHARS_MAX}}$`);
/** Of a tenant, and of no other: what it asks of another is refused, and what it asks of none is of its own. */
function within(tenant: string | null, call: Checked): Checked {
  if (tenant === null || !call.ok) return call;
  if (!isWithin(tenant, call.query)) return { ok: false, status: 403, message: ofAnother(tenant) };
  return { ...call, query: { ...call.query, tenant } };
}

function notFor(tenant: string): Checked {
  const message = `Expected the token of the operator, got one of ${tenant}: it reads events, their stream and conversations`;
  return { ok: false, status: 403, message };
}

const OPERATOR = new RegExp(`^[\\x20-\\x7e]{1,${OPERATOR_CHARS_MAX}}$`);

function operatorOf({ headers }: Request): string | null {
  const given = headers.get("x-parley-operator")?.trim() ?? "admin";
  return OPERATOR.test(given) ? given : null;
}

function respond({ status, body, headers }: ApiResponse, context: AdminContext): Response {
  const isStream = body instanceof ReadableStream;
  return new Response(isStream ? body : JSON.stringify(body), {
    status,
    headers: {
      ...context.headers,
      "x-request-id": context.requestId,
      ...(!isStream && { "content-type": "application/json" }),
      ...headers,
    },
  });
}
