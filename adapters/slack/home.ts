import { conversationKey } from "../../src/domain/conversation.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { TodayUsage } from "../../src/ports/desk.ts";
import { get, getArray, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import { writeAddress } from "./address.ts";
import { requiredText, tenantOf } from "./payload.ts";

/** What the button of the home tab does; its value is the channel of the person's direct messages. */
export const RESET_ACTION = "parley_reset";

/** The home tab of one person. `channel`: their direct messages, without which there is nothing to reset. */
export function homeView(text: string, usage: TodayUsage | null, channel: string | undefined): object {
  return {
    type: "home",
    blocks: [
      section(text),
      ...(usage === null ? [] : [{ type: "divider" }, section(usageText(usage))]),
      ...(channel === undefined ? [] : [{ type: "actions", elements: [resetButton(channel)] }]),
    ],
  };
}

function section(text: string): object {
  return { type: "section", text: { type: "mrkdwn", text } };
}

function usageText({ costCents, limitCents, modelCalls }: TodayUsage): string {
  const calls = `${modelCalls} ${modelCalls === 1 ? "call" : "calls"} of a model`;
  return `*Today*: ${calls}, ${cents(costCents)} of ${cents(limitCents)} cents`;
}

function cents(amount: number): string {
  return String(Math.round(amount * 100) / 100);
}

function resetButton(channel: string): object {
  const plain = (text: string) => ({ type: "plain_text", text });
  return {
    type: "button",
    action_id: RESET_ACTION,
    text: plain("Forget our direct messages"),
    value: channel,
    style: "danger",
    confirm: {
      title: plain("Forget?"),
      text: plain("I will not remember what we have said in direct messages."),
      confirm: plain("Forget"),
      deny: plain("Keep"),
    },
  };
}

/** A press on that button: as if the person had said `/reset` in their direct messages. Null: it is another. Throws PayloadError. */
export function readReset(payload: JsonObject, receivedAtMs: number): TriggerEvent | null {
  const [action] = getArray(payload, "actions");
  const place = getString(action, "value");
  const isOurs =
    getString(action, "action_id") === RESET_ACTION && get(get(payload, "view"), "type") === "home";
  if (!isOurs || place === undefined || !/^D[A-Z0-9]{1,40}$/.test(place)) return null;
  const tenant = tenantOf(payload);
  const user = getObject(payload, "user");
  const id = requiredText(user, "id", "payload.user.");
  const name = (getString(user, "name") ?? getString(user, "username") ?? id).toWellFormed();
  return {
    id: `slack:${tenant}:trigger:${requiredText(payload, "trigger_id", "payload.")}`,
    aliases: [],
    platform: "slack",
    tenant,
    place,
    thread: null,
    conversation: conversationKey({ platform: "slack", tenant, place, thread: null }),
    isDirect: true,
    sender: { id, name, isBot: false },
    trigger: "command",
    command: "/reset",
    text: "",
    attachments: [],
    replyTo: writeAddress({ kind: "message", tenant, channel: place, threadTs: null, userId: id }),
    occurredAtMs: receivedAtMs,
  };
}
