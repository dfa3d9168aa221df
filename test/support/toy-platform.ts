import { createHmac } from "node:crypto";
import { z } from "zod";
import { conversationKey } from "../../src/domain/conversation.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { Platform, ReplyAddress } from "../../src/domain/event.ts";
import type { ReplyPart } from "../../src/domain/reply.ts";
import { type Adapter, GENUINE, PLAIN_WEBHOOK } from "../../src/ports/adapter.ts";
import type { PlatformModule, PlatformSettings } from "../../src/ports/platform.ts";
import { call } from "../../src/shared/call.ts";
import { hmacMatches } from "../../src/shared/hmac.ts";
import { getString, readJsonObject } from "../../src/shared/json.ts";
import { Secret } from "../../src/shared/secret.ts";
import { atLeast, plain, secret } from "../../src/shared/variable.ts";

/** What a line in PLATFORMS would make it. */
const NAME = "toy" as Platform;

interface ToySettings extends PlatformSettings {
  readonly secrets: readonly Secret[];
  readonly apiUrl: string;
}

/** A platform that src/ has never heard of: JSON signed by HMAC in, a POST of `{"to","text"}` out. */
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
  sampler: async () => ({
    kinds: ["message"],
    secretVariable: () => "TOY_SECRET",
    needsSecret: true,
    build({ id, text, secret: key, user = "ann" }) {
      const body = JSON.stringify({ id, from: user, text });
      const signature = createHmac("sha256", key).update(body).digest("hex");
      return { method: "POST", path: "/webhooks/toy", headers: { "x-toy-signature": signature }, body };
    },
  }),
  open: async ({ settings, options, timeoutMs }) => createToyAdapter(settings, options.loud, timeoutMs),
};

function createToyAdapter({ secrets, apiUrl }: ToySettings, loud: boolean, timeoutMs: number): Adapter {
  const signatureOf = (head: { header(name: string): string | undefined }) =>
    head.header("x-toy-signature") ?? "";
  return {
    platform: NAME,
    webhook: PLAIN_WEBHOOK,
    ignored: toy.words.ignored,
    screen: (head) =>
      signatureOf(head) === "" ? { kind: "forged", reason: "missing X-Toy-Signature" } : null,
    verify: (request) =>
      hmacMatches(secrets, [request.body], signatureOf(request))
        ? GENUINE
        : { kind: "forged", reason: "X-Toy-Signature does not match the secret" },
    parse(request) {
      const body = readJsonObject(request.body);
      if (!body.ok) return { kind: "malformed", message: body.message };
      const [id, from, text = ""] = ["id", "from", "text"].map((key) => getString(body.value, key));
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
        occurredAtMs: request.receivedAtMs,
      };
      return { kind: "events", events: [event], ignored: [], ack: { status: 200 } };
    },
    render: (markdown) => [(loud ? markdown.toUpperCase() : markdown) as ReplyPart],
    async send({ to, part }, signal, permit) {
      const { status } = await call(`${apiUrl}/say`, {
        what: "Toy say",
        setting: "TOY_API_URL",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ to, text: part }),
        signal,
        timeoutMs,
        bytesMax: 1024,
        permit,
      });
      if (status !== 200) throw new DeliveryError("unknown", `Toy say: HTTP ${status}`, { status });
      return { messageId: null, via: "say" };
    },
    recover: async () => "unknown",
  };
}
