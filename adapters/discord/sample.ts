import { createHash } from "node:crypto";
import nacl from "tweetnacl";
import type { SampleOptions, SampleRequest, Sampler } from "../shared/sample.ts";

export interface DiscordSampleOptions extends SampleOptions {
  /** Must be the adapter's, where it was given one. */
  readonly applicationId?: string;
}

/** What a sample says it is from when nobody says otherwise. */
export const SAMPLE = { applicationId: "900", guildId: "10", channelId: "20", userId: "30" } as const;

const KINDS = [
  "slash",
  "user-command",
  "message-command",
  "button",
  "modal",
  "ping",
  "autocomplete",
] as const;
type Kind = (typeof KINDS)[number];

/** Interactions signed as Discord signs them, by a library other than the one that verifies them. */
export const discordSampler = {
  kinds: KINDS,
  build(options: DiscordSampleOptions): SampleRequest {
    const timestamp = String(Math.floor(options.nowMs / 1000));
    const body = JSON.stringify(interaction(options));
    return {
      method: "POST",
      path: "/webhooks/discord",
      headers: {
        "content-type": "application/json",
        "x-signature-ed25519": sign(options.secret, timestamp + body),
        "x-signature-timestamp": timestamp,
      },
      body,
    };
  },
} satisfies Sampler;

function sign(seedHex: string, message: string): string {
  if (!/^[0-9a-f]{64}$/i.test(seedHex)) {
    throw new TypeError(
      "Expected the secret to be an Ed25519 seed of 64 hexadecimal digits, got something else",
    );
  }
  const { secretKey } = nacl.sign.keyPair.fromSeed(new Uint8Array(Buffer.from(seedHex, "hex")));
  return Buffer.from(nacl.sign.detached(new Uint8Array(Buffer.from(message, "utf8")), secretKey)).toString(
    "hex",
  );
}

function interaction(options: DiscordSampleOptions): object {
  const kind = KINDS.find((candidate) => candidate === options.kind);
  if (kind === undefined) {
    throw new TypeError(`Expected kind to be one of ${KINDS.join(", ")}, got ${options.kind}`);
  }
  const channelId = options.thread ?? options.channel ?? SAMPLE.channelId;
  return {
    id: snowflakeFor(options.id),
    application_id: options.applicationId ?? SAMPLE.applicationId,
    version: 1,
    token: tokenFor(options.id),
    guild_id: SAMPLE.guildId,
    channel_id: channelId,
    channel:
      options.thread === undefined
        ? { id: channelId, type: 0 }
        : { id: channelId, type: 11, parent_id: options.channel ?? SAMPLE.channelId },
    member: {
      user: { id: options.user ?? SAMPLE.userId, username: "ann", global_name: "Ann" },
      roles: [],
      permissions: "2147483647",
    },
    locale: "en-GB",
    ...payload(kind, options.text),
  };
}

/** Digits stay as they are; any other text stands for one number, of a time long past. */
function snowflakeFor(id: string): string {
  if (/^\d{1,19}$/.test(id)) return id;
  return String(createHash("sha256").update(id).digest().readBigUInt64BE() >> 12n);
}

function tokenFor(id: string): string {
  return createHash("sha256").update(`interaction:${id}`).digest("base64url");
}

function payload(kind: Kind, text: string): object {
  switch (kind) {
    case "slash":
      return {
        type: 2,
        data: { id: "40", name: "ask", type: 1, options: [{ name: "task", type: 3, value: text }] },
      };
    case "user-command":
      return {
        type: 2,
        data: {
          id: "42",
          name: "Look up",
          type: 2,
          target_id: "31",
          resolved: {
            users: { "31": { id: "31", username: "bob", global_name: text === "" ? null : text } },
          },
        },
      };
    case "message-command":
      return {
        type: 2,
        data: {
          id: "41",
          name: "Summarise",
          type: 3,
          target_id: "50",
          resolved: {
            messages: {
              "50": { id: "50", channel_id: "20", author: { id: "31", username: "bob" }, content: text },
            },
          },
        },
      };
    case "button":
      return {
        type: 3,
        message: { id: "51", channel_id: "20", content: "done" },
        data: { custom_id: text === "" ? "retry:42" : text, component_type: 2 },
      };
    case "modal":
      return {
        type: 5,
        data: {
          custom_id: "deploy",
          components: [{ type: 18, id: 1, component: { type: 4, id: 2, custom_id: "task", value: text } }],
        },
      };
    case "ping":
      return { type: 1 };
    case "autocomplete":
      return {
        type: 4,
        data: {
          id: "40",
          name: "ask",
          type: 1,
          options: [{ name: "task", type: 3, value: text, focused: true }],
        },
      };
  }
}
