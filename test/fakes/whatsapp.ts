import { createHmac } from "node:crypto";
import { type FakeAnswer, type FakeServer, fakeServer, readableFile } from "./server.ts";

type Json = Record<string, unknown>;

/** One message that people can see, or a reaction to one. */
interface FakeMessage {
  readonly id: string;
  readonly phoneNumberId: string;
  /** What came in: `to`, `recipient`, `context`, `text`, … */
  readonly body: Json;
}

export interface FakeWhatsApp extends FakeServer {
  readonly messages: readonly FakeMessage[];
  /** Files by their ids; `url`: where Meta says that one is, in place of its own. */
  readonly media: Map<string, { mime: string; bytes: string | Buffer; url?: string }>;
  /** Messages marked as read, with or without the typing indicator. */
  readonly reads: readonly { readonly messageId: string; readonly typing: boolean }[];
  /** Files that people see, oldest first. */
  readonly pictures: readonly { readonly mime: string; readonly text: string }[];
  readonly documents: readonly { readonly name: string; readonly mime: string; readonly text: string }[];
  /** From now on no file is taken. */
  refuseMedia(): void;
  /** Makes the next `times` sends fail with this code: in the answer, or later as a failed status. */
  fail(code: number, options?: { as?: "answer" | "status"; times?: number }): void;
  /** Statuses that the platform has to report by now: one webhook for each, signed, oldest first. Empties the list. */
  takeWebhooks(): readonly { readonly headers: Readonly<Record<string, string>>; readonly body: string }[];
}

interface FakeWhatsAppOptions {
  readonly accessToken: string;
  readonly appSecret: string;
  readonly phoneNumberId: string;
  readonly apiVersion?: string;
}

const TYPES = [
  "text",
  "interactive",
  "reaction",
  "template",
  "image",
  "audio",
  "video",
  "document",
  "sticker",
];
/** Some of the kinds of files that Meta takes as documents. */
const MIMES: ReadonlySet<string> = new Set(["text/plain", "application/pdf", "image/jpeg", "image/png"]);
const HTTP_STATUS = new Map([
  [190, 401],
  [130429, 429],
]);

/** The Cloud API on loopback: messages, reactions, read receipts, media, error codes and failed statuses. */
export async function fakeWhatsApp(options: FakeWhatsAppOptions): Promise<FakeWhatsApp> {
  const { accessToken, appSecret, phoneNumberId, apiVersion = "v26.0" } = options;
  const messages: FakeMessage[] = [];
  const reads: { messageId: string; typing: boolean }[] = [];
  const failures: { code: number; as: "answer" | "status" }[] = [];
  const media: FakeWhatsApp["media"] = new Map();
  let statuses: Json[] = [];
  let isRefusingMedia = false;

  const server = await fakeServer((call) => {
    if (call.headers.authorization !== `Bearer ${accessToken}`) return failure(190);
    const [, version, id, edge] = call.path.split("/");
    if (call.path.startsWith("/media-bytes/")) {
      const file = media.get(id ?? "");
      return file ? { body: file.bytes, headers: { "content-type": file.mime } } : { status: 404 };
    }
    if (version !== apiVersion) return failure(2500);
    if (call.method === "GET" && edge === undefined && id?.split("?")[0] === phoneNumberId)
      return { body: { id: phoneNumberId } };
    if (call.method === "GET" && edge === undefined) return describeMedia(id?.split("?")[0] ?? "");
    if (call.method !== "POST" || id !== phoneNumberId) return failure(100);
    if (edge === "media") return keepMedia(call.headers["content-type"] ?? "", call.raw);
    return edge === "messages" ? takeMessage(call.body) : failure(100);
  });

  function takeMessage(text: string): FakeAnswer {
    const body = readJson(text);
    if (body?.messaging_product !== "whatsapp") return failure(100);
    if (body.status === "read") return markRead(body);
    const type = String(body.type);
    const recipient = body.to ?? body.recipient;
    if (
      !TYPES.includes(type) ||
      body[type] === null ||
      typeof body[type] !== "object" ||
      typeof recipient !== "string"
    ) {
      return failure(type === "undefined" || TYPES.includes(type) ? 131008 : 131009);
    }
    if (["document", "image"].includes(type) && !media.has(String((body[type] as Json).id)))
      return failure(131053);
    if (type === "text" && !isBody((body.text as Json).body)) return failure(100);
    if (type === "interactive" && !isButtons(body.interactive as Json) && !isList(body.interactive as Json))
      return failure(100);
    const planned = failures.shift();
    if (planned?.as === "answer") return failure(planned.code);
    const id = `wamid.OUT${messages.length + 1}`;
    if (planned === undefined) messages.push({ id, phoneNumberId, body });
    statuses.push(statusOf(id, recipient, body.biz_opaque_callback_data, planned?.code));
    return { body: { messaging_product: "whatsapp", contacts: [{ input: recipient }], messages: [{ id }] } };
  }

  function markRead(body: Json): FakeAnswer {
    if (typeof body.message_id !== "string") return failure(131008);
    reads.push({ messageId: body.message_id, typing: body.typing_indicator !== undefined });
    return { body: { success: true } };
  }

  async function keepMedia(type: string, body: Buffer): Promise<FakeAnswer> {
    if (isRefusingMedia || !type.startsWith("multipart/form-data")) return failure(131053);
    const form = await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData();
    const file = form.get("file");
    const mime = form.get("type");
    if (form.get("messaging_product") !== "whatsapp" || !(file instanceof File)) return failure(100);
    if (typeof mime !== "string" || !MIMES.has(mime) || file.type.split(";")[0] !== mime)
      return failure(131053);
    const id = `MEDIA${media.size + 1}`;
    media.set(id, { mime, bytes: await readableFile(file) });
    return { body: { id } };
  }

  function describeMedia(id: string): FakeAnswer {
    const file = media.get(id);
    if (file === undefined) return failure(100);
    const url = file.url ?? `${server.url}/media-bytes/${id}`;
    return {
      body: { messaging_product: "whatsapp", url, mime_type: file.mime, file_size: file.bytes.length, id },
    };
  }

  function statusWebhook(status: Json) {
    const metadata = { display_phone_number: "15550001111", phone_number_id: phoneNumberId };
    const value = { messaging_product: "whatsapp", metadata, statuses: [status] };
    const body = JSON.stringify({
      object: "whatsapp_business_account",
      entry: [{ id: "WABA1", changes: [{ field: "messages", value }] }],
    });
    const signature = createHmac("sha256", appSecret).update(body).digest("hex");
    return {
      headers: { "content-type": "application/json", "x-hub-signature-256": `sha256=${signature}` },
      body,
    };
  }

  return {
    ...server,
    messages,
    get documents() {
      return messages.flatMap(({ body }) => {
        const { id, filename } = (body.document ?? {}) as { id?: string; filename?: string };
        const file = media.get(id ?? "");
        return file && filename ? [{ name: filename, mime: file.mime, text: String(file.bytes) }] : [];
      });
    },
    get pictures() {
      return messages.flatMap(({ body }) => {
        const file = media.get((body.image as { id?: string } | undefined)?.id ?? "");
        return file ? [{ mime: file.mime, text: String(file.bytes) }] : [];
      });
    },
    refuseMedia() {
      isRefusingMedia = true;
    },
    media,
    reads,
    fail(code, { as = "answer", times = 1 } = {}) {
      for (let i = 0; i < times; i++) failures.push({ code, as });
    },
    takeWebhooks() {
      const webhooks = statuses.map(statusWebhook);
      statuses = [];
      return webhooks;
    },
  };
}

function failure(code: number): FakeAnswer {
  return {
    status: HTTP_STATUS.get(code) ?? 400,
    body: {
      error: {
        message: `(#${code}) Failed`,
        type: "OAuthException",
        code,
        error_data: { messaging_product: "whatsapp", details: "A scripted failure" },
        fbtrace_id: "A",
      },
    },
  };
}

function statusOf(id: string, recipient: string, callbackData: unknown, code: number | undefined): Json {
  return {
    id,
    status: code === undefined ? "delivered" : "failed",
    timestamp: "1780000001",
    recipient_id: recipient.replace(/^\+/, ""),
    ...(callbackData !== undefined && { biz_opaque_callback_data: callbackData }),
    ...(code !== undefined && { errors: [{ code, title: "Failed" }] }),
  };
}

function isBody(body: unknown): boolean {
  return typeof body === "string" && body.trim() !== "" && body.length <= 4_096;
}

/** Reply buttons, as Meta checks them. */
function isButtons({ type, body, action }: Json): boolean {
  const text = (body as Json | undefined)?.text;
  const given = ((action as Json | undefined)?.buttons ?? []) as { type?: unknown; reply?: Json }[];
  const replies = given.map(({ reply }) => reply ?? {});
  const isDistinct = (values: readonly unknown[]) => new Set(values).size === values.length;
  const isWithin = (value: unknown, max: number) =>
    typeof value === "string" && value.trim() !== "" && value.length <= max;
  return (
    type === "button" &&
    isWithin(text, 1_024) &&
    replies.length >= 1 &&
    replies.length <= 3 &&
    given.every((one) => one.type === "reply") &&
    replies.every(({ id, title }) => isWithin(id, 256) && isWithin(title, 20)) &&
    isDistinct(replies.map(({ id }) => id)) &&
    isDistinct(replies.map(({ title }) => title))
  );
}

/** A list of one section, as Meta checks it. */
function isList({ type, body, action }: Json): boolean {
  const { button, sections } = (action ?? {}) as { button?: unknown; sections?: { rows?: Json[] }[] };
  const rows = sections?.flatMap((section) => section.rows ?? []) ?? [];
  const isWithin = (value: unknown, max: number) =>
    typeof value === "string" && value.trim() !== "" && value.length <= max;
  return (
    type === "list" &&
    isWithin((body as Json | undefined)?.text, 1_024) &&
    isWithin(button, 20) &&
    sections?.length === 1 &&
    rows.length >= 1 &&
    rows.length <= 10 &&
    rows.every(({ id, title }) => isWithin(id, 200) && isWithin(title, 24)) &&
    new Set(rows.map(({ id }) => id)).size === rows.length
  );
}

function readJson(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}
