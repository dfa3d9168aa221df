import { DeliveryError, GatewayError } from "../../src/domain/errors.ts";
import { quoted } from "../../src/domain/redact.ts";
import { call, type Permit } from "../../src/shared/call.ts";
import { get, getString, parseJsonObject } from "../../src/shared/json.ts";
import { type CallOutcome, toldCall } from "../../src/shared/platform-calls.ts";
import type { Secret } from "../../src/shared/secret.ts";
import { writtenForm } from "../shared/uploads.ts";
import { id, integer } from "./payload.ts";

/** Answers are a message at most; more than this is not Telegram. */
const ANSWER_BYTES_MAX = 1024 * 1024;
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

export type ApiResult = { readonly kind: "result"; readonly value: unknown } | Refused;

export interface TelegramClient {
  /** One call, never repeated: retries belong to the outbox. Throws DeliveryError when there was no answer. */
  call(
    method: string,
    payload: object | FormData,
    signal: AbortSignal,
    options?: { readonly timeoutMs?: number; readonly permit?: Permit | undefined },
  ): Promise<ApiResult>;
  /** Where a file is fetched that getFile has named. It holds the token. */
  fileAddress(path: string): string;
}

export function createClient(options: ClientOptions): TelegramClient {
  const { botToken } = options;
  const root = rootOf(options.apiRoot).replace(/\/+$/, "");

  return {
    fileAddress: (path) => `${root}/file/bot${botToken.reveal()}/${path}`,
    call: (method, ...asked) =>
      toldCall({ platform: "telegram", method }, () => ask(method, ...asked), outcomeIn),
  };

  async function ask(
    ...[method, payload, signal, { timeoutMs = options.timeoutMs, permit } = {}]: Parameters<
      TelegramClient["call"]
    >
  ): Promise<ApiResult> {
    const { body, type } =
      payload instanceof FormData
        ? await writtenForm(payload)
        : { body: JSON.stringify(payload), type: "application/json" };
    const { status, text } = await call(`${root}/bot${botToken.reveal()}/${method}`, {
      what: `Telegram ${method}`,
      setting: "TELEGRAM_API_ROOT",
      headers: { "content-type": type, "content-length": String(Buffer.byteLength(body)) },
      body,
      signal,
      timeoutMs,
      bytesMax: ANSWER_BYTES_MAX,
      permit,
    });
    const answer = answerIn(text ?? "");
    if (answer !== undefined) return answer;
    if (status >= 500)
      return { kind: "refused", status, description: "no answer of the Bot API", ...NOTHING_ASKED };
    // A proxy's page says nothing about whether Telegram, behind it, took the message.
    throw new DeliveryError(
      "unknown",
      `Telegram ${method}: expected a Bot API answer, got something else (${status})`,
    );
  }
}

function outcomeIn(answer: ApiResult): CallOutcome {
  if (answer.kind !== "refused") return "ok";
  if (answer.status === 429) return "rate_limited";
  return answer.status < 500 ? "refused" : "failed";
}

const NOTHING_ASKED = { retryAfterMs: null, migratedTo: null };

/** Undefined for what the Bot API does not say. */
function answerIn(text: string): ApiResult | undefined {
  const parsed = parseJsonObject(text);
  if (!parsed.ok) return undefined;
  if (get(parsed.value, "ok") === true) return { kind: "result", value: get(parsed.value, "result") };
  const status = integer(parsed.value, "error_code");
  if (status === undefined) return undefined;
  const parameters = get(parsed.value, "parameters");
  const seconds = integer(parameters, "retry_after");
  return {
    kind: "refused",
    status,
    description: described(getString(parsed.value, "description") ?? "no description"),
    retryAfterMs: seconds === undefined || seconds < 0 ? null : Math.min(seconds, 3_600) * 1000,
    migratedTo: id(parameters, "migrate_to_chat_id") ?? null,
  };
}

/** A proxy's answer may repeat the URL, with the token in it. */
function described(text: string): string {
  return quoted(text.replaceAll(/\s+/g, " "), DESCRIPTION_CHARS_MAX);
}

function rootOf(apiRoot: string): string {
  if (URL.canParse(apiRoot) && /^https?:$/.test(new URL(apiRoot).protocol)) return apiRoot;
  // It may hold a password, so it is not repeated.
  throw new GatewayError(
    "CONFIG_INVALID",
    "Expected the Telegram API root to be an http or https URL, got none",
  );
}
