import { AsyncLocalStorage } from "node:async_hooks";
import { DiscordAPIError, HTTPError, RateLimitError, REST, RequestMethod } from "@discordjs/rest";
import { RunAborted } from "../../src/domain/abort.ts";
import { DeliveryError, GatewayError } from "../../src/domain/errors.ts";
import type { InvalidRequestsReport } from "../../src/ports/adapter.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { call, type Permit } from "../../src/shared/call.ts";
import { retryAfterMs } from "../../src/shared/fault.ts";
import { get, getString, isObject, type JsonObject, parseJsonObject } from "../../src/shared/json.ts";
import { toldCall } from "../../src/shared/platform-calls.ts";
import type { Secret } from "../../src/shared/secret.ts";
import type { Upload } from "../shared/outgoing.ts";
import { writtenForm } from "../shared/uploads.ts";
import { apiRefusal, serverFailure } from "./failure.ts";
import { type Answered, InvalidRequests } from "./invalid-requests.ts";

/** Answers are a message at most; more than this is not Discord. */
const ANSWER_BYTES_MAX = 256 * 1024;
/** Of a list of messages: a hundred of the longest, with what each refers to. */
const LIST_BYTES_MAX = 4 * 1024 * 1024;

export interface RestOptions {
  readonly botToken: Secret | null;
  /** Without the version: `https://discord.com/api`. */
  readonly apiUrl: string;
  /** For one call, from connecting to the last byte. */
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, "nowMs">;
  /** What was held against us so far; nothing when absent. */
  readonly invalid?: InvalidRequests;
}

const METHODS = {
  GET: RequestMethod.Get,
  POST: RequestMethod.Post,
  PATCH: RequestMethod.Patch,
  PUT: RequestMethod.Put,
} as const;

export interface Call {
  readonly method: keyof typeof METHODS;
  /** Below the version; may hold an interaction token, so it never goes into an error. */
  readonly route: `/${string}`;
  /** Absent for what only reads. */
  readonly body?: JsonObject | readonly JsonObject[];
  /** Go with it, in a form of several parts. */
  readonly files?: readonly Upload[];
  /** An interaction's own token is in its route; all else is the bot's. */
  readonly as: "bot" | "interaction";
  /** Names the call in errors and receipts. */
  readonly what: string;
  /** Whether making the call twice leaves one message. */
  readonly repeatable: boolean;
  /** Of a message with embeds. */
  readonly instead?: Instead;
}

/** What to do where no embeds are taken. */
interface Instead {
  readonly channelId: string;
  /** The same message as text. */
  readonly call: Call;
  /** Makes it that, once it was said without its embeds. */
  readonly edit: (messageId: string) => Call;
}

export interface DiscordRest {
  /** One call, once: retries belong to who asks. Gives what is answered; a list as `items`. Throws DeliveryError. */
  ask(call: Call, signal: AbortSignal, permit?: Permit): Promise<JsonObject>;
  /** One call, once: retries belong to the outbox. Gives the message. Throws DeliveryError. */
  message(call: Call, signal: AbortSignal, permit?: Permit): Promise<Message>;
  /** What Discord holds against us. */
  invalidRequests(): InvalidRequestsReport;
}

/** As Discord has it; null for what its answer does not tell. */
export interface Message {
  readonly id: string | null;
  readonly content: string | null;
  /** How many. */
  readonly embeds: number | null;
}

/** discord.js' client: it keeps count of Discord's buckets, and refuses a call that would break one. */
export function createRest(options: RestOptions): DiscordRest {
  const contexts = new AsyncLocalStorage<Context>();
  const shared = {
    api: apiBase(options.apiUrl),
    version: "10",
    retries: 0,
    timeout: options.timeoutMs,
    rejectOnRateLimit: () => true,
    // `Retry-After` is passed on as it came; who waits adds its own margin.
    offset: 0,
    makeRequest: (url: string, init: RequestLike) =>
      exchange(url, init, { ...options, ...(contexts.getStore() ?? NO_CONTEXT) }),
  };
  // Calls of interactions do not count towards the bot's 50 a second. The sweepers of both are unref'd by the
  // library and must stay on: each interaction leaves a bucket behind.
  const interactions = new REST({ ...shared, globalRequestsPerSecond: Number.POSITIVE_INFINITY });
  const bot = new REST(shared);
  let botHeldUntilMs = 0;
  const { invalid = new InvalidRequests(options.clock) } = options;

  const rest: DiscordRest = {
    async message(asked, signal, permit) {
      const answer = await rest.ask(asked, signal, permit);
      const embeds = get(answer, "embeds");
      return {
        id: getString(answer, "id") ?? null,
        content: getString(answer, "content") ?? null,
        embeds: Array.isArray(embeds) ? embeds.length : null,
      };
    },

    invalidRequests: () => invalid.report(),

    ask: (asked, signal, permit) =>
      toldCall({ platform: "discord", method: asked.what }, () => ask(asked, signal, permit)),
  };

  async function ask(...[asked, signal, permit]: Parameters<DiscordRest["ask"]>): Promise<JsonObject> {
    if (signal.aborted) throw new DeliveryError("retry", `Discord ${asked.what}: stopped before sending`);
    const heldMs = asked.as === "bot" ? botHeldUntilMs - options.clock.nowMs() : 0;
    if (heldMs > 0) throw rateLimited(asked, { waitMs: heldMs, scope: "global", status: null });
    if (asked.as === "bot") {
      if (options.botToken === null) {
        throw new DeliveryError("rejected", `Discord ${asked.what}: there is no bot token to write with`);
      }
      // Each time, for the library forgets its token after one 401.
      bot.setToken(options.botToken.reveal());
    }
    const answered = invalid.enter(asked.what);
    // It also never takes its listener off the signal it is given, so it gets one that lasts no longer than this call.
    const abort = new AbortController();
    const stop = () => abort.abort();
    signal.addEventListener("abort", stop, { once: true });
    try {
      const rest = asked.as === "bot" ? bot : interactions;
      const answer = await contexts.run({ permit, answered }, () =>
        rest.request({
          method: METHODS[asked.method],
          fullRoute: asked.route,
          body: asked.body,
          ...(asked.files?.length && { files: asked.files.map(attached) }),
          auth: asked.as === "bot",
          signal: abort.signal,
        }),
      );
      return isObject(answer) ? answer : {};
    } catch (error) {
      if (asked.as === "bot" && error instanceof RateLimitError && error.scope === "global") {
        botHeldUntilMs = options.clock.nowMs() + error.retryAfter;
      }
      throw toDeliveryError(error, asked);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }
  return rest;
}

function attached({ name, mime, data }: Upload) {
  return { name, contentType: mime, data };
}

/** The adapter adds the version itself; an address that already has one, or ends in a slash, means the same. */
export function apiBase(url: string): string {
  return url.replace(/\/+$/, "").replace(/\/v\d+$/, "");
}

/**
 * No error of the library is kept as the cause: each holds the URL, with the interaction's token, and the text.
 */
function toDeliveryError(error: unknown, call: Call): Error {
  // Of the call itself, or of the permit: they hold nothing of it.
  if (error instanceof GatewayError || error instanceof RunAborted) return error;
  const what = `Discord ${call.what}`;
  if (error instanceof RateLimitError) {
    const waitMs = error.retryAfter > 0 ? Math.ceil(error.retryAfter) : null;
    const scope = error.global ? "for the whole bot" : `for this route (${error.scope})`;
    return new DeliveryError("retry", `${what}: rate limited ${scope}`, {
      status: 429,
      retryAfterMs: waitMs,
    });
  }
  if (error instanceof HTTPError) return serverFailure(what, error.status, call.repeatable);
  if (error instanceof DiscordAPIError)
    return apiRefusal({ what, repeatable: call.repeatable, as: call.as }, error.status, error.code);
  // Whatever else goes wrong does so before the request: `exchange` turns all later failures into its own.
  const name = error instanceof Error ? error.name : typeof error;
  return new DeliveryError("retry", `${what}: stopped before sending (${name})`);
}

function rateLimited(
  call: Call,
  { waitMs, scope, status }: { waitMs: number; scope: string; status: number | null },
): DeliveryError {
  const retryAfterMs = waitMs > 0 ? Math.ceil(waitMs) : null;
  return new DeliveryError("retry", `Discord ${call.what}: rate limited (${scope})`, {
    status,
    retryAfterMs,
  });
}

interface RequestLike {
  readonly method?: string;
  readonly headers?: unknown;
  readonly body?: unknown;
  readonly signal?: unknown;
}

/** What the library hands on to nobody: of which call it makes the request. */
interface Context {
  readonly permit: Permit | undefined;
  readonly answered: Answered;
}

const NO_CONTEXT: Context = { permit: undefined, answered: () => {} };

/**
 * What the library would do itself, but by our own call, and with an answer that is always a JSON object: the library
 * trips over any other.
 */
async function exchange(
  url: string,
  init: RequestLike,
  { clock, timeoutMs, permit, answered }: RestOptions & Context,
): Promise<Response> {
  const headersGiven = Object.fromEntries(new Headers(init.headers as Record<string, string>));
  const { body: bodyGiven, type } = await bodyOf(init.body);
  const answer = await call(url, {
    what: "Discord",
    setting: "DISCORD_API_URL",
    method: init.method ?? "GET",
    headers: { ...headersGiven, ...type },
    body: bodyGiven,
    signal: init.signal as AbortSignal,
    timeoutMs,
    bytesMax: init.method === "GET" || init.method === "PUT" ? LIST_BYTES_MAX : ANSWER_BYTES_MAX,
    permit,
  });
  const { status } = answer;
  answered(status, String(answer.headers["x-ratelimit-scope"] ?? ""));
  const text = answer.text ?? "";
  const parsed = parseJsonObject(text.startsWith("[") ? `{"items":${text}}` : text);
  const body = parsed.ok ? parsed.value : {};
  const headers = new Headers({ "content-type": "application/json" });
  for (const [name, value] of Object.entries(answer.headers)) {
    if (name.startsWith("x-ratelimit-") && typeof value === "string") headers.set(name, value);
  }
  if (status === 429)
    describeLimit(headers, body, retryAfterMs(answer.headers["retry-after"], clock.nowMs()));
  return new Response(JSON.stringify(body), { status, headers });
}

async function bodyOf(body: unknown): Promise<{ body: string | Buffer; type: Record<string, string> }> {
  if (typeof body === "string") return { body, type: {} };
  if (!(body instanceof FormData)) return { body: "", type: {} };
  const form = await writtenForm(body);
  return { body: form.body, type: { "content-type": form.type } };
}

/**
 * The library reads the headers alone; a proxy may strip them, and then the body knows. A limit of the whole bot is
 * hidden from it behind the scope: its own way of holding everything leaves timers that hold the process, too.
 */
function describeLimit(headers: Headers, body: JsonObject, headerMs: number | null): void {
  const seconds = get(body, "retry_after");
  const bodyMs = typeof seconds === "number" ? retryAfterMs(String(seconds), 0) : null;
  const waitMs = headerMs ?? bodyMs;
  if (waitMs !== null) headers.set("retry-after", String(waitMs / 1000));
  const isGlobal = headers.has("x-ratelimit-global") || get(body, "global") === true;
  headers.delete("x-ratelimit-global");
  if (isGlobal) headers.set("x-ratelimit-scope", "global");
}
