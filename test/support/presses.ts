import { createHmac } from "node:crypto";
import { discordSampler } from "../../adapters/discord/sample.ts";
import type { SampleOptions, SampleRequest } from "../../adapters/shared/sample.ts";
import { slackSampler } from "../../adapters/slack/sample.ts";
import { telegramSampler } from "../../adapters/telegram/sample.ts";
import { whatsAppSampler } from "../../adapters/whatsapp/sample.ts";
import { slackSigned } from "../fakes/slack.ts";

export interface Press extends Omit<SampleOptions, "kind" | "text"> {
  readonly buttonId: string;
  readonly label: string;
  /** Telegram: the group that the message stands in; absent: it is private. */
  readonly group?: string;
}

/** A press on a button of ours, as the platform tells of it. */
export const PRESSES: Readonly<
  Record<"slack" | "discord" | "telegram" | "whatsapp", (press: Press) => SampleRequest>
> = {
  slack({ buttonId, label, ...options }) {
    const sample = slackSampler.build({ ...options, kind: "button", text: label });
    const payload = JSON.parse(new URLSearchParams(sample.body).get("payload") ?? "{}");
    payload.actions = [{ ...payload.actions[0], action_id: buttonId, text: plain(label) }];
    const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
    const contentType = "application/x-www-form-urlencoded";
    return { ...sample, ...slackSigned(body, { ...options, contentType }) };
  },
  discord: ({ buttonId, ...options }) => discordSampler.build({ ...options, kind: "button", text: buttonId }),
  telegram({ buttonId, label, group, ...options }) {
    const sample = telegramSampler.build({ ...options, kind: "button", text: buttonId });
    const update = JSON.parse(sample.body);
    const { message } = update.callback_query;
    message.reply_markup = { inline_keyboard: [[{ text: label, callback_data: buttonId }]] };
    if (group !== undefined) message.chat = { id: Number(group), title: "Ops", type: "supergroup" };
    return { ...sample, body: JSON.stringify(update) };
  },
  whatsapp({ buttonId, label, ...options }) {
    const sample = whatsAppSampler.build({ ...options, kind: "button", text: label });
    const all = JSON.parse(sample.body);
    all.entry[0].changes[0].value.messages[0].interactive.button_reply = { id: buttonId, title: label };
    const body = JSON.stringify(all);
    const signature = createHmac("sha256", options.secret).update(body).digest("hex");
    return { ...sample, body, headers: { ...sample.headers, "x-hub-signature-256": `sha256=${signature}` } };
  },
};

function plain(text: string) {
  return { type: "plain_text", text };
}
