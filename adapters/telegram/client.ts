import { Agent } from "node:https";
import { Telegram, TelegramError } from "telegraf";
import type { Secret } from "../../src/config/secret.ts";
import { DeliveryError, GatewayError } from "../../src/domain/errors.ts";
import { kindOfStatus, networkFailure } from "../shared/http.ts";
import { get, getString } from "../shared/json.ts";
import { id, integer } from "./payload.ts";

/** An idle connection that a firewall forgot would turn the next reply into one in doubt. */
const IDLE_MS = 30_000;
const DESCRIPTION_CHARS_MAX = 200;

export interface ClientOptions {
  readonly botToken: Secret;
  /** Without the token: `https://api.telegram.org`. */
  readonly apiRoot: string;
  /** For one call, from connecting to the last byte. */
  readonly timeoutMs: number;
}

/** A no by the Bot API, in its own words. */
export interface Refused {
  readonly kind: "refused";
  readonly status: number;
  readonly description: string;
  readonly retryAfterMs: number | null;
  /** The group became a supergroup, which has another id. */
  readonly migratedTo: string | null;
}

export type Answer = { readonly kind: "result"; readonly value: unknown } | Refused;

export interface TelegramClient {
  /** One call, never repeated: retries belong to the outbox. Throws DeliveryError when there was no answer. */
  call(method: string, payload: object, signal: AbortSignal, timeoutMs?: number): Promise<Answer>;
}

/** Telegraf's types end at Bot API 7.1, and give the promise of a promise. */
type CallApi = (method: string, payload: object, options: { signal: AbortSignal }) => Promise<unknown>;

export function createClient(options: ClientOptions): TelegramClient {
  const telegram = new Telegram(options.botToken.reveal(), {
    // Telegraf resolves against it as a browser does: without the slash, the last step of a path is lost.
    apiRoot: `${rootOf(options.apiRoot).replace(/\/+$/, "")}/`,
    agent: new Agent({ keepAlive: true, timeout: IDLE_MS }),
    webhookReply: false,
  });
  const callApi = telegram.callApi.bind(telegram) as unknown as CallApi;
  const redact = redactor(options.botToken);

  return {
    async call(method, payload, signal, timeoutMs = options.timeoutMs) {
      if (signal.aborted) throw new DeliveryError("retry", `Telegram ${method}: stopped before sending`);
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
      try {
        return { kind: "result", value: await callApi(method, payload, { signal: deadline }) };
      } catch (error) {
        return refusedOf(error, redact) ?? fail(method, error);
      }
    },
  };
}

/** What the outbox should make of a refusal. Throttling carries the pause that Telegram asks for. */
export function failureOf(method: string, refused: Refused): DeliveryError {
  const { status, retryAfterMs } = refused;
  const message = `Telegram ${method}: ${status} ${refused.description}`;
  if (status === 429) return new DeliveryError("retry", message, { status, retryAfterMs });
  return new DeliveryError(kindOfStatus(status), message, { status });
}

function refusedOf(error: unknown, redact: (text: string) => string): Refused | undefined {
  if (!(error instanceof TelegramError)) return undefined;
  // Telegraf hands on what came, whatever its types say; its error also holds the payload, so it ends here.
  const status = integer(error.response, "error_code");
  if (status === undefined) return undefined;
  const parameters = get(error.response, "parameters");
  const seconds = integer(parameters, "retry_after");
  return {
    kind: "refused",
    status,
    description: redact(getString(error.response, "description") ?? "no description"),
    retryAfterMs: seconds === undefined || seconds < 0 ? null : Math.min(seconds, 3_600) * 1000,
    migratedTo: id(parameters, "migrate_to_chat_id") ?? null,
  };
}

/**
 * No usable answer. The original error stays behind: its message holds the URL, the URL holds the token.
 * An answer that is no JSON says nothing about whether Telegram, behind some proxy, took the message.
 */
function fail(method: string, error: unknown): never {
  const type = getErrorField(error, "type");
  const name = getErrorField(error, "name");
  const isNetwork = name === "AbortError" || (name === "FetchError" && type !== "invalid-json");
  if (!isNetwork) {
    throw new DeliveryError("unknown", `Telegram ${method}: expected a Bot API answer, got something else`);
  }
  const bare = new Error("network error");
  bare.name = name;
  const code = getErrorField(error, "code");
  throw networkFailure(code === undefined ? bare : Object.assign(bare, { code }), `Telegram ${method}`);
}

function getErrorField(error: unknown, field: "type" | "name" | "code"): string | undefined {
  const value: unknown = error instanceof Error ? (error as unknown as Record<string, unknown>)[field] : null;
  return typeof value === "string" ? value : undefined;
}

/** A proxy's answer may repeat the URL. */
function redactor(token: Secret): (text: string) => string {
  return (text) => {
    const key = token.reveal();
    const half = key.slice(key.indexOf(":") + 1);
    const clean = text
      .replaceAll(key, "***")
      .replaceAll(encodeURIComponent(key), "***")
      .replaceAll(half, "***");
    return clean.replaceAll(/\s+/g, " ").slice(0, DESCRIPTION_CHARS_MAX).toWellFormed();
  };
}

function rootOf(apiRoot: string): string {
  if (URL.canParse(apiRoot) && /^https?:$/.test(new URL(apiRoot).protocol)) return apiRoot;
  // It may hold a password, so it is not repeated.
  throw new GatewayError(
    "CONFIG_INVALID",
    "Expected the Telegram API root to be an http or https URL, got none",
  );
}
