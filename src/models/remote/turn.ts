import { createHash } from "node:crypto";
import type { PictureView } from "../../domain/attachment.ts";
import type { TriggerEvent } from "../../domain/event.ts";
import type { Message, Prompt, TurnAbout } from "../../ports/model.ts";
import { isObject, parseJsonObject } from "../../shared/json.ts";
import { REMOTE_ASK } from "./ask.ts";

interface Said {
  readonly role: "user" | "assistant";
  readonly name: string | null;
  readonly text: string;
}

/** What a person has answered to an `ask`; `choice` null: nobody has, or whoever did declined, and `reason` says so. */
interface Decided {
  readonly id: string;
  readonly choice: string | null;
  readonly by: { readonly id: string; readonly name: string } | null;
  readonly reason?: string;
}

/** The body of the request to a remote agent. */
export interface RemoteTurn {
  readonly turn_id: string;
  readonly run_id: string;
  readonly agent: string;
  readonly conversation: string;
  readonly platform: string;
  readonly tenant: string;
  readonly sender: { readonly id: string; readonly name: string };
  readonly text: string;
  readonly history: readonly Said[];
  readonly attachments: readonly RemoteFile[];
  readonly budget: { readonly cents: number; readonly seconds: number };
  /** The last of `decisions`. */
  readonly decision?: Decided;
  /** All of this turn, the oldest first. */
  readonly decisions?: readonly Decided[];
}

interface RemoteFile {
  readonly id: string;
  readonly kind: string;
  readonly name: string | null;
  readonly mime: string | null;
  readonly size_bytes: number | null;
  /** Of an image that could be read. */
  readonly data_base64?: string;
}

/** What is said in the prompt, as data; `about` says the rest. */
export function remoteTurn({ messages }: Pick<Prompt, "messages">, about: TurnAbout): RemoteTurn {
  const { runId, agent, event, budget } = about;
  const at = messages.findLastIndex(({ role }) => role === "user");
  const spoken = messages[at];
  const decisions = decisionsIn(messages.slice(at + 1));
  const last = decisions.at(-1);
  return {
    turn_id: event.id,
    run_id: runId,
    agent,
    conversation: event.conversation,
    platform: event.platform,
    tenant: event.tenant,
    sender: { id: event.sender.id, name: event.sender.name },
    text: spoken?.role === "user" ? spoken.text : event.text,
    history: messages.slice(0, Math.max(0, at)).flatMap(saidIn),
    attachments: filesOf(event, messages),
    budget: { cents: budget.cents, seconds: Math.ceil(budget.seconds) },
    ...(last !== undefined && { decision: last, decisions }),
  };
}

/** Names the turn and how far it has come, so that who has seen it knows it again. */
export function messageIdOf({ turn_id, decisions = [] }: RemoteTurn): string {
  const what = JSON.stringify([turn_id, decisions.map(({ id }) => id)]);
  return `msg_${createHash("sha256").update(what).digest("base64url").slice(0, 32)}`;
}

function saidIn(message: Message): Said[] {
  if (message.role === "tool" || message.text === "") return [];
  const name = message.role === "user" ? (message.name ?? null) : null;
  return [{ role: message.role, name, text: message.text }];
}

function decisionsIn(messages: readonly Message[]): Decided[] {
  const calls = messages.flatMap((message) => (message.role === "assistant" ? message.toolCalls : []));
  return messages.flatMap((message) => {
    const call = message.role === "tool" && calls.find(({ id }) => id === message.callId);
    if (!call || call.name !== REMOTE_ASK.name) return [];
    const found = parseJsonObject(message.result);
    const { choice, by, reason } = found.ok ? found.value : {};
    return {
      id: call.id,
      choice: typeof choice === "string" ? choice : null,
      by: isObject(by) ? { id: String(by.id), name: String(by.name) } : null,
      ...(typeof reason === "string" && { reason }),
    };
  });
}

function filesOf({ attachments }: TriggerEvent, messages: readonly Message[]): RemoteFile[] {
  const pictures = messages.flatMap((message) => (message.role === "user" ? (message.pictures ?? []) : []));
  const files = attachments.map(({ id, kind, name, mime, sizeBytes }) => {
    return { id, kind, name, mime, size_bytes: sizeBytes };
  });
  return [...files, ...pictures.map(pictureFile)];
}

/** Also those of what the message refers to, which are no attachments of its own. */
function pictureFile({ mime, bytes, base64 }: PictureView, index: number): RemoteFile {
  const id = `picture-${index + 1}`;
  return { id, kind: "image", name: null, mime, size_bytes: bytes, data_base64: base64() };
}
