import { createHmac } from "node:crypto";
import { discordSampler } from "../../adapters/discord/sample.ts";
import type { SampleRequest } from "../../adapters/shared/sample.ts";
import { slackSampler } from "../../adapters/slack/sample.ts";
import { telegramSampler } from "../../adapters/telegram/sample.ts";
import { whatsAppSampler } from "../../adapters/whatsapp/sample.ts";
import { SECRETS, type SimulatedPlatform } from "./gateway.ts";
import type { Forgery, Message, Sample } from "./workload.ts";

/** A day is the age from which a message is no longer run. */
const OLD_MS = 30 * 3_600_000;
/** Slack takes a request as a replay after five minutes. */
const STALE_MS = 400_000;

const SAMPLERS = {
  slack: slackSampler,
  discord: discordSampler,
  telegram: telegramSampler,
  whatsapp: whatsAppSampler,
};

/** The first delivery of a message. */
export function requestFor({ platform, sample, isOld }: Message, nowMs: number): SampleRequest {
  return build(platform, sample, isOld ? nowMs - OLD_MS : nowMs);
}

/** The same message under another delivery id: Slack sends a mention also as a plain message. */
export function twinOf(request: SampleRequest): SampleRequest {
  const body = JSON.parse(request.body) as { event_id: string; event: Record<string, unknown> };
  const isMention = body.event.type === "app_mention";
  const event = isMention ? { ...body.event, type: "message", channel_type: "channel" } : body.event;
  return { ...request, body: JSON.stringify({ ...body, event_id: `${body.event_id}9`, event }) };
}

/** Slack signs a delivery anew each time it is sent. */
export function signedAt(request: SampleRequest, platform: SimulatedPlatform, nowMs: number): SampleRequest {
  if (platform !== "slack") return request;
  const timestamp = String(Math.floor(nowMs / 1000));
  const mac = createHmac("sha256", SECRETS.slack).update(`v0:${timestamp}:${request.body}`).digest("hex");
  return {
    ...request,
    headers: { ...request.headers, "x-slack-request-timestamp": timestamp, "x-slack-signature": `v0=${mac}` },
  };
}

export function forged({ platform, sample, how }: Forgery, nowMs: number): SampleRequest {
  const genuine = build(platform, sample, nowMs);
  switch (how) {
    case "wrong secret":
      return build(platform, sample, nowMs, "another-secret");
    case "stale":
      return build(platform, sample, nowMs - STALE_MS);
    case "changed byte":
      return { ...genuine, body: genuine.body.replace("forged", "forgem") };
    case "no signature":
      return { ...genuine, headers: { "content-type": "application/json" } };
  }
}

function build(
  platform: SimulatedPlatform,
  sample: Sample,
  nowMs: number,
  secret = SECRETS[platform],
): SampleRequest {
  return SAMPLERS[platform].build({ ...sample, nowMs, secret });
}
