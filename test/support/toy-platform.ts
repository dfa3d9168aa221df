import { z } from "zod";
import { blocksOf } from "../../adapters/shared/markdown.ts";
import { joinBlocks, type LineStyle, lengthOf } from "../../adapters/shared/markdown-write.ts";
import { PROBE_TIMEOUT_MS, probed, well } from "../../adapters/shared/probe.ts";
import { layout } from "../../adapters/shared/split.ts";
import { unseen } from "../../adapters/shared/uploads.ts";
import { conversationKey } from "../../src/domain/conversation.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { Platform, ReplyAddress } from "../../src/domain/event.ts";
import type { Delivery, ReplyPart } from "../../src/domain/reply.ts";
import {
  type Adapter,
  GENUINE,
  type Inbound,
  PLAIN_WEBHOOK,
  type RawRequest,
  type Verdict,
} from "../../src/ports/adapter.ts";
import type { PlatformModule, PlatformSettings } from "../../src/ports/platform.ts";
import type { Sampler } from "../../src/ports/sampler.ts";
import { call, type Permit } from "../../src/shared/call.ts";
import { kindOfStatus, retryAfterMs } from "../../src/shared/fault.ts";
import { textMatches } from "../../src/shared/hmac.ts";
import { getString, type JsonObject, parseJsonObject, readJsonObject } from "../../src/shared/json.ts";
import { toldCall } from "../../src/shared/platform-calls.ts";
import { Secret } from "../../src/shared/secret.ts";
import { atLeast, plain, secret } from "../../src/shared/variable.ts";

/** What a line in PLATFORMS would make it. */
const NAME = "toy" as Platform;

interface ToySettings extends PlatformSettings {
  readonly secrets: readonly Secret[];
  readonly apiUrl: string;
}

/** As Toy makes them: a token in the body is all that proves it. */
export const toySampler: Sampler = {
  kinds: ["message"],
  build({ id, text, secret: token, user = "ann" }) {
    const body = JSON.stringify({ token, id, from: user, text });
    return { method: "POST", path: "/webhooks/toy", headers: { "content-type": "application/json" }, body };
  },
};

/**
 * A platform that src/ has never heard of, and the smallest that keeps the contract: JSON with a token in; out a look at
 * the room, and a POST of `{"to","text"}`.
 */
export const toy: PlatformModule<ToySettings, { readonly loud: boolean }> = {
  name: NAME,
  label: "Toy",
  tenant: "Toy box",
  variables: [
    secret("TOY_SECRET", "Checks that a request comes from Toy", { form: atLeast(16), isPair: true }),
    plain("TOY_API_URL", "Where the Toy API is"),
  ],
  needs: ["TOY_SECRET", "TOY_API_URL"],
  options: { loud: z.boolean().default(false).describe("Whether answers are shouted.") },
  settings(env) {
    const secrets = env.guards("TOY_SECRET").map((value) => new Secret(value));
    const apiUrl = env.url("TOY_API_URL");
    return secrets.length === 0 || apiUrl === null ? null : { kind: "on", secrets, apiUrl };
  },
  api: ({ apiUrl }) => apiUrl,
  words: {
    sender: "Toy",
    secret: "Compare TOY_SECRET with the box",
    ignored: { toy_silent: "Nothing was said." },
  },
  sampler: async () => ({ ...toySampler, secretVariable: () => "TOY_SECRET", needsSecret: true }),
  open: async ({ settings, options, timeoutMs }) => createToyAdapter(settings, options.loud, timeoutMs),
};

export const TOY_REASONS = {
  unreadable: "the body is no JSON",
  missing: "missing token",
  mismatch: "token does not match TOY_SECRET",
} as const;
export const TOY_CHARS_MAX = 1_000;

export function createToyAdapter(
  { secrets, apiUrl }: ToySettings,
  loud: boolean,
  timeoutMs: number,
): Adapter {
  const ask = createClient(secrets, apiUrl, timeoutMs);
  return {
    platform: NAME,
    webhook: PLAIN_WEBHOOK,
    ignored: toy.words.ignored,
    screen: () => null,
    verify: (request) => verify(request, secrets),
    parse: (request) => parse(request),
    render: (markdown) => render(loud ? markdown.toUpperCase() : markdown),
    async send({ to, part, partId, mayRepeat }, signal, permit) {
      await unseen(ask({ method: "GET", path: `/rooms/${to}`, what: "room", signal }));
      const text = mayRepeat ? `(This may be a repeat.) ${part}` : part;
      const body = { to, text, part: partId };
      const { id } = await ask({ method: "POST", path: "/say", what: "say", body, signal, permit });
      return { messageId: String(id), via: "say" };
    },
    async recover({ partId }: Delivery, signal) {
      const path = `/said/${encodeURIComponent(partId)}`;
      const id = getString(await ask({ method: "GET", path, what: "said", signal }), "id");
      return id === undefined ? "absent" : { messageId: id, via: "say" };
    },
    probe: (signal) =>
      probed({ address: "TOY_API_URL", credential: "TOY_SECRET" }, async () => {
        await ask({ method: "GET", path: "/me", what: "me", signal, withinMs: PROBE_TIMEOUT_MS });
        return [well("its API takes the secret")];
      }),
  };
}

function verify({ body }: RawRequest, secrets: readonly Secret[]): Verdict {
  const read = readJsonObject(body);
  if (!read.ok) return { kind: "forged", reason: TOY_REASONS.unreadable };
  const token = getString(read.value, "token");
  if (token === undefined) return { kind: "forged", reason: TOY_REASONS.missing };
  return textMatches(secrets, token) ? GENUINE : { kind: "forged", reason: TOY_REASONS.mismatch };
}

function parse({ body, receivedAtMs }: RawRequest): Inbound {
  const read = readJsonObject(body);
  if (!read.ok) return { kind: "malformed", message: read.message };
  const [id, from, text = ""] = ["id", "from", "text"].map((key) => getString(read.value, key));
  if (id === undefined || from === undefined)
    return { kind: "malformed", message: "Expected id and from to be strings, got something else" };
  if (text === "") return { kind: "ignored", reason: "toy_silent", ack: { status: 200 } };
  const place = { platform: NAME, tenant: "box", place: from };
  const event = {
    ...place,
    id: `toy:${id}`,
    aliases: [],
    thread: null,
    conversation: conversationKey(place),
    isDirect: true,
    sender: { id: from, name: from, isBot: false },
    trigger: "direct" as const,
    command: null,
    text,
    attachments: [],
    replyTo: from as ReplyAddress,
    occurredAtMs: receivedAtMs,
  };
  return { kind: "events", events: [event], ignored: [], ack: { status: 200 } };
}

/** It has no marks at all. */
const style: LineStyle = {
  text: (text) => text,
  code: (text) => text,
  link: (label, href) => `${label} (${href})`,
  bold: ["", ""],
  italic: ["", ""],
  strike: ["", ""],
  markersNeedEdges: false,
  codeStandsAlone: false,
  indent: "  ",
  bullets: ["- "],
  task: ["[ ] ", "[x] "],
  lineStart: (line) => line,
  codeBlock: ({ lines }) => lines.join("\n"),
};

function render(markdown: string): readonly ReplyPart[] {
  const blocks = blocksOf(markdown, { linkable: () => false, tableColumnsMax: 40 });
  return layout(blocks, {
    limits: [TOY_CHARS_MAX],
    measure: (block) => [lengthOf(block, style)],
    compose: (page) => joinBlocks(page, style) as ReplyPart,
  });
}

interface Asked {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly what: string;
  readonly body?: JsonObject;
  readonly signal: AbortSignal;
  readonly permit?: Permit | undefined;
  readonly withinMs?: number;
}

/** One call of its API, once. Throws DeliveryError. */
function createClient([token]: readonly Secret[], apiUrl: string, timeoutMs: number) {
  async function ask(asked: Asked): Promise<JsonObject> {
    const { method, path, what, signal, permit, withinMs = timeoutMs } = asked;
    const { status, headers, text } = await call(`${apiUrl}${path}`, {
      what: `Toy ${what}`,
      setting: "TOY_API_URL",
      method,
      headers: { authorization: `Bearer ${token?.live()[0]}`, "content-type": "application/json" },
      body: asked.body === undefined ? "" : JSON.stringify(asked.body),
      signal,
      timeoutMs: Math.min(timeoutMs, withinMs),
      bytesMax: 1024,
      permit,
    });
    const answer = parseJsonObject(text ?? "");
    if (status === 200 && answer.ok) return answer.value;
    throw new DeliveryError(
      answer.ok || status >= 500 ? kindOf(status) : "unknown",
      `Toy ${what}: HTTP ${status}`,
      {
        status,
        // It says so in seconds, which need no clock.
        retryAfterMs: retryAfterMs(headers["retry-after"], 0),
      },
    );
  }
  return (asked: Asked) => toldCall({ platform: NAME, method: asked.what }, () => ask(asked));
}

function kindOf(status: number): DeliveryError["kind"] {
  if (status === 401) return "refused";
  return status === 200 ? "unknown" : kindOfStatus(status);
}
