import { z } from "zod";
import { LIFE_STATES, lifeSchema } from "../../feed/life.ts";
import { parseJsonObject } from "../../shared/json.ts";
import { check, type StreamQuery, streamQuery } from "../requests.ts";
import { SUBSCRIPTION_ID_CHARS_MAX } from "./bounds.ts";

/** What is said over `/ws`: one JSON object in each text message. */

/** The subscription that a connection begins with. */
export const DEFAULT = "default";

const id = z.string().min(1).max(SUBSCRIPTION_ID_CHARS_MAX).default(DEFAULT);
const { platform, tenant, conversation } = streamQuery.shape;
const subscribe = z.strictObject({
  type: z.literal("subscribe"),
  ...{ id, platform, tenant, conversation },
  state: z.array(z.enum(LIFE_STATES)).min(1).max(LIFE_STATES.length).optional(),
});
const unsubscribe = z.strictObject({ type: z.literal("unsubscribe"), id });
const ping = z.strictObject({ type: z.literal("ping") });
const MESSAGES = { subscribe, unsubscribe, ping };

export type Said =
  | { readonly type: "subscribe"; readonly id: string; readonly filter: StreamQuery }
  | { readonly type: "unsubscribe"; readonly id: string }
  | { readonly type: "ping" };

export type Heard =
  | { readonly ok: true; readonly said: Said }
  | { readonly ok: false; readonly id?: string; readonly message: string };

/** What a client has said, or what is wrong with it. Never throws. */
export function hear(text: string): Heard {
  const parsed = parseJsonObject(text);
  if (!parsed.ok) return parsed;
  const { type, id: given } = parsed.value;
  const about = typeof given === "string" && given.length <= SUBSCRIPTION_ID_CHARS_MAX ? { id: given } : {};
  if (typeof type !== "string" || !isType(type)) {
    const message = `type: expected one of ${Object.keys(MESSAGES).join(", ")}, got ${typeof type === "string" ? "another" : "none"}`;
    return { ok: false, ...about, message };
  }
  const read = check<z.ZodObject>(MESSAGES[type], { ...parsed.value });
  if (!read.ok) return { ...about, ...read };
  if (type !== "subscribe") return { ok: true, said: read.value as Said };
  const { type: _, id: own, ...filter } = read.value as z.output<typeof subscribe>;
  return { ok: true, said: { type, id: own, filter } };
}

function isType(type: string): type is keyof typeof MESSAGES {
  return Object.hasOwn(MESSAGES, type);
}

const asked = {
  id: z.string(),
  ...{ platform, tenant, conversation },
  state: z.array(z.string()).optional(),
};

/** What the gateway says. */
export const liveFrameSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("watching"), tenant: z.string().nullable(), ...{ id: asked.id } }),
  z.object({ type: z.literal("event"), ...lifeSchema.shape }),
  z.object({
    type: z.literal("dropped"),
    cause: z.enum(["slow", "bus"]),
    count: z.int().nullable().describe("Null: so many of all tenants that the number is not for this one."),
  }),
  z.object({ type: z.literal("subscribed"), ...asked }),
  z.object({ type: z.literal("unsubscribed"), id: z.string() }),
  z.object({ type: z.literal("pong") }),
  z.object({
    type: z.literal("error"),
    code: z.enum(["malformed", "forbidden", "too_many", "unknown"]),
    message: z.string(),
    id: z.string().optional(),
  }),
]);
export type LiveFrame = z.output<typeof liveFrameSchema>;

export function frameOf(frame: LiveFrame): Buffer {
  return Buffer.from(JSON.stringify(frame));
}
