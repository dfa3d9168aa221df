import { createHash, createHmac } from "node:crypto";
import { escapedJson, type SampleOptions, type SampleRequest, type Sampler } from "../shared/sample.ts";

type Kind = (typeof KINDS)[number];
const KINDS = ["mention", "message", "dm", "thread", "slash", "button", "url_verification"] as const;

const TEAM = "T1";
const APP = "A1";
const BOT = "UBOT";
const THREAD = "1700000000.000100";

/** Requests signed as Slack signs them; from the made-up workspace T1, in which the bot is `UBOT`, unless they name another. */
export const slackSampler: Sampler = {
  kinds: KINDS,
  build(options) {
    const kind = KINDS.find((known) => known === options.kind);
    if (kind === undefined)
      throw new TypeError(`Expected kind to be one of ${KINDS.join(", ")}, got ${options.kind}`);
    if (kind === "slash") return signedForm(slashForm(options), options);
    if (kind === "button") return signedForm({ payload: escapedJson(buttonPayload(options)) }, options);
    const body =
      kind === "url_verification" ? { type: kind, challenge: options.text } : envelope(kind, options);
    return signed(escapedJson(body), "application/json", options);
  },
};

function teamOf({ bot }: SampleOptions): string {
  return bot?.tenant ?? TEAM;
}

function botOf({ bot }: SampleOptions): string {
  return bot?.id ?? BOT;
}

function envelope(kind: Kind, options: SampleOptions): object {
  const team = teamOf(options);
  return {
    token: "sample",
    team_id: team,
    api_app_id: APP,
    event: innerEvent(kind, options),
    type: "event_callback",
    event_id: `Ev${digits(`event ${options.id}`)}`,
    event_time: Math.floor(options.nowMs / 1000),
    authorizations: [
      {
        enterprise_id: null,
        team_id: team,
        user_id: botOf(options),
        is_bot: true,
        is_enterprise_install: false,
      },
    ],
    is_ext_shared_channel: false,
  };
}

function innerEvent(kind: Kind, options: SampleOptions): object {
  const isDirect = kind === "dm";
  const text = escapeEntities(options.text);
  const ts = tsOf(options);
  const thread = options.thread ?? (kind === "thread" ? THREAD : undefined);
  return {
    type: kind === "mention" ? "app_mention" : "message",
    user: options.user ?? "U1",
    text: kind === "mention" ? `<@${botOf(options)}> ${text}` : text,
    ts,
    ...(thread !== undefined && { thread_ts: thread, parent_user_id: "U1" }),
    team: teamOf(options),
    channel: options.channel ?? (isDirect ? "D1" : "C1"),
    ...(kind !== "mention" && { channel_type: isDirect ? "im" : "channel" }),
    event_ts: ts,
  };
}

/** A text that begins with a command is sent as that command: `/deploy api`. */
function slashForm(options: SampleOptions): Record<string, string> {
  const command = /^\/\S+/.exec(options.text)?.[0];
  const text = options.text.slice(command?.length ?? 0).trimStart();
  return {
    token: "sample",
    team_id: teamOf(options),
    team_domain: "sample",
    channel_id: options.channel ?? "C1",
    channel_name: "general",
    user_id: options.user ?? "U1",
    user_name: options.user ?? "ann",
    command: command ?? "/parley",
    text: escapeEntities(text),
    api_app_id: APP,
    is_enterprise_install: "false",
    response_url: `https://hooks.slack.com/commands/${teamOf(options)}/${digits(options.id)}/sample`,
    trigger_id: triggerOf(options),
  };
}

function buttonPayload(options: SampleOptions): object {
  const channel = options.channel ?? "C1";
  const user = options.user ?? "U1";
  const messageTs = options.thread ?? tsOf(options);
  return {
    type: "block_actions",
    user: { id: user, username: "ann", name: "ann", team_id: teamOf(options) },
    api_app_id: APP,
    token: "sample",
    container: { type: "message", message_ts: messageTs, channel_id: channel, is_ephemeral: false },
    trigger_id: triggerOf(options),
    team: { id: teamOf(options), domain: "sample" },
    channel: { id: channel, name: "general" },
    message: { type: "message", ts: messageTs, text: "Choose" },
    state: { values: {} },
    response_url: `https://hooks.slack.com/actions/${teamOf(options)}/${digits(options.id)}/sample`,
    actions: [
      {
        action_id: "sample",
        block_id: "b1",
        type: "button",
        text: { type: "plain_text", text: "Choose" },
        value: options.text,
        action_ts: tsOf(options),
      },
    ],
  };
}

function signedForm(form: Record<string, string>, options: SampleOptions): SampleRequest {
  return signed(new URLSearchParams(form).toString(), "application/x-www-form-urlencoded", options);
}

function signed(body: string, contentType: string, options: SampleOptions): SampleRequest {
  const timestamp = String(Math.floor(options.nowMs / 1000));
  const digest = createHmac("sha256", options.secret).update(`v0:${timestamp}:${body}`).digest("hex");
  return {
    method: "POST",
    path: "/webhooks/slack",
    headers: {
      "content-type": contentType,
      "x-slack-request-timestamp": timestamp,
      "x-slack-signature": `v0=${digest}`,
    },
    body,
  };
}

/** Longer than Slack's six digits, so that thousands of samples within one second stay different. */
function tsOf(options: SampleOptions): string {
  return `${Math.floor(options.nowMs / 1000)}.${digits(options.id)}`;
}

function triggerOf(options: SampleOptions): string {
  return `${digits(`trigger ${options.id}`)}.1.sample`;
}

function digits(id: string): string {
  const hex = createHash("sha256").update(id).digest("hex").slice(0, 12);
  return String(Number.parseInt(hex, 16) % 1e12).padStart(12, "0");
}

function escapeEntities(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
