import { DeliveryError } from "../../src/domain/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { call, type Permit } from "../../src/shared/call.ts";
import { getArray, getString, type JsonObject, parseJsonObject } from "../../src/shared/json.ts";
import { toldCall } from "../../src/shared/platform-calls.ts";
import type { Secret } from "../../src/shared/secret.ts";
import type { Upload } from "../shared/outgoing.ts";
import { writtenForm } from "../shared/uploads.ts";
import { failureOf } from "./failure.ts";

/** Answers are a few hundred bytes; more than this is not Meta. */
const ANSWER_BYTES_MAX = 64 * 1024;

interface ClientOptions {
  readonly accessToken: Secret;
  /** Without the version: `https://graph.facebook.com`. */
  readonly apiUrl: string;
  readonly apiVersion: string;
  readonly timeoutMs: number;
  readonly clock: Pick<Clock, "nowMs">;
}

export interface WhatsAppClient {
  /**
   * `POST /{version}/{phone number id}/messages`, once: retries belong to the outbox.
   * Gives the id of the message (`wamid.…`). Throws DeliveryError.
   */
  sendMessage(
    phoneNumberId: string,
    message: JsonObject,
    signal: AbortSignal,
    permit?: Permit,
  ): Promise<string>;
  /** `POST /{version}/{phone number id}/media`, of a type that Meta knows: it refuses others. The id under which a message may name the file. Throws DeliveryError. */
  uploadMedia(phoneNumberId: string, file: Upload, signal: AbortSignal): Promise<string>;
  /** The same call for what creates no message: marks as read, shows the typing indicator. Throws DeliveryError. */
  markRead(phoneNumberId: string, messageId: string, signal: AbortSignal): Promise<void>;
  /** `GET /{version}/{phone number id}`: its id, as Meta gives it. Throws DeliveryError. */
  readNumber(phoneNumberId: string, signal: AbortSignal, timeoutMs: number): Promise<string | null>;
  /** `GET /{version}/{media id}`: where Meta keeps the file, for minutes; null: it does not say. Throws DeliveryError. */
  readMedia(
    mediaId: string,
    phoneNumberId: string,
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<string | null>;
}

export function createClient(options: ClientOptions): WhatsAppClient {
  const base = `${options.apiUrl.replace(/\/+$/, "")}/${encodeURIComponent(options.apiVersion)}`;

  function post(
    phoneNumberId: string,
    body: JsonObject,
    signal: AbortSignal,
    permit?: Permit,
  ): Promise<string> {
    const written = JSON.stringify({ messaging_product: "whatsapp", ...body });
    const path = `${encodeURIComponent(phoneNumberId)}/messages`;
    return postTo(path, { body: written, type: "application/json" }, signal, permit);
  }

  function postTo(...asked: Parameters<typeof posted>): Promise<string> {
    // `messages` or `media`, behind the number.
    const method = asked[0].slice(asked[0].lastIndexOf("/") + 1);
    return toldCall({ platform: "whatsapp", method }, () => posted(...asked));
  }

  async function posted(
    path: string,
    { body, type }: { readonly body: string | Buffer; readonly type: string },
    signal: AbortSignal,
    permit?: Permit,
  ): Promise<string> {
    const { status, headers, text } = await call(`${base}/${path}`, {
      what: "WhatsApp",
      setting: "WHATSAPP_API_URL",
      headers: {
        authorization: `Bearer ${options.accessToken.reveal()}`,
        "content-type": type,
        "content-length": String(Buffer.byteLength(body)),
      },
      body,
      signal,
      timeoutMs: options.timeoutMs,
      bytesMax: ANSWER_BYTES_MAX,
      permit,
    });
    if (status < 200 || status > 299) {
      const retryAfter = headers["retry-after"] ?? null;
      throw failureOf({ status, body: text, retryAfter, nowMs: options.clock.nowMs() });
    }
    if (text === null) throw new DeliveryError("unknown", "WhatsApp: the answer is too long to be Meta's");
    return text;
  }

  /** What a GET says; null: nothing that can be read. */
  function read(path: string, signal: AbortSignal, timeoutMs: number): Promise<JsonObject | null> {
    return toldCall({ platform: "whatsapp", method: "read" }, () => readNow(path, signal, timeoutMs));
  }

  async function readNow(path: string, signal: AbortSignal, timeoutMs: number): Promise<JsonObject | null> {
    const { status, headers, text } = await call(`${base}/${path}`, {
      what: "WhatsApp",
      setting: "WHATSAPP_API_URL",
      method: "GET",
      headers: { authorization: `Bearer ${options.accessToken.reveal()}` },
      body: "",
      signal,
      timeoutMs: Math.min(options.timeoutMs, timeoutMs),
      bytesMax: ANSWER_BYTES_MAX,
    });
    const parsed = parseJsonObject(text ?? "");
    if (!parsed.ok && status < 500)
      throw new DeliveryError("unknown", "WhatsApp: expected JSON, got something else", { status });
    if (status < 200 || status > 299) {
      const retryAfter = headers["retry-after"] ?? null;
      throw failureOf({ status, body: text, retryAfter, nowMs: options.clock.nowMs() });
    }
    return parsed.ok ? parsed.value : null;
  }

  return {
    async readNumber(phoneNumberId, signal, timeoutMs) {
      const number = await read(`${encodeURIComponent(phoneNumberId)}?fields=id`, signal, timeoutMs);
      return getString(number, "id") ?? null;
    },
    async readMedia(mediaId, phoneNumberId, signal, timeoutMs) {
      const query = `phone_number_id=${encodeURIComponent(phoneNumberId)}`;
      const media = await read(`${encodeURIComponent(mediaId)}?${query}`, signal, timeoutMs);
      return getString(media, "url") ?? null;
    },
    async sendMessage(phoneNumberId, message, signal, permit) {
      const answer = parseJsonObject(await post(phoneNumberId, message, signal, permit));
      const id = answer.ok ? getString(getArray(answer.value, "messages")[0], "id") : undefined;
      if (id === undefined) {
        throw new DeliveryError("unknown", "WhatsApp: Expected messages[0].id in the answer, got none");
      }
      return id;
    },
    async uploadMedia(phoneNumberId, { name, mime, data }, signal) {
      const form = new FormData();
      form.set("messaging_product", "whatsapp");
      form.set("type", mime);
      form.set("file", new Blob([new Uint8Array(data)], { type: mime }), name);
      const path = `${encodeURIComponent(phoneNumberId)}/media`;
      const answer = parseJsonObject(await postTo(path, await writtenForm(form), signal));
      const id = answer.ok ? getString(answer.value, "id") : undefined;
      if (id === undefined)
        throw new DeliveryError("unknown", "WhatsApp: Expected the id of a file in the answer, got none");
      return id;
    },
    async markRead(phoneNumberId, messageId, signal) {
      const typing = { status: "read", message_id: messageId, typing_indicator: { type: "text" } };
      await post(phoneNumberId, typing, signal);
    },
  };
}
