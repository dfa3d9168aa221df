import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Ack, Inbound } from "../../src/ports/adapter.ts";
import type { Aside } from "../../src/ports/desk.ts";
import { getString, type JsonObject } from "../../src/shared/json.ts";
import type { ReactionsOption } from "../shared/reactions.ts";
import { inboundOf, readChange } from "./changes.ts";
import { type FormOptions, faultsOf, openingFor } from "./forms.ts";
import { type Groups, isGroupChange } from "./groups.ts";
import { type InteractionOptions, readInteraction, readSlashCommand } from "./interaction.ts";
import { type MessageOptions, readEvent } from "./message.ts";
import { labelOf, PayloadError, requiredObject, requiredText, tenantOf } from "./payload.ts";
import { readReaction } from "./reactions.ts";
import { type Removed, removalOf } from "./removal.ts";
import type { Surfaces } from "./surfaces.ts";

export interface EventOptions extends InteractionOptions, MessageOptions {
  /** Absent: there is one workspace, whose token is not ours to forget. */
  readonly removed?: Removed | undefined;
  /** The one app whose deliveries are taken; undefined: any that has our signing secret. */
  readonly appId: string | undefined;
  /** Forms that open in answer to commands and buttons; absent: none. */
  readonly forms?: FormOptions;
  /** What emojis mean; absent: nothing. */
  readonly reactions?: ReactionsOption | undefined;
  /** Told when others may be in a group; absent: nobody goes by groups. */
  readonly groups?: Pick<Groups, "forget">;
  /** What is shown where nobody has said anything yet; absent: nothing. */
  readonly surfaces?: Pick<Surfaces, "asideFor" | "withView">;
}

/** Slack shows or does nothing on an empty 200; what there is to say comes later. */
const OK: Ack = { status: 200 };

/** Of the Events API: a message, or something that happened. */
export function readEnvelope(envelope: JsonObject, options: EventOptions): Inbound {
  return readable(() => {
    const type = requiredText(envelope, "type");
    if (type === "url_verification") return handshake(requiredText(envelope, "challenge"));
    if (isOfAnother(envelope, options)) return OTHER_APP;
    return type === "event_callback" ? readCallback(envelope, options) : outcome(labelOf(type));
  });
}

function readCallback(envelope: JsonObject, options: EventOptions): Inbound {
  const event = requiredObject(envelope, "event");
  const removal = options.removed === undefined ? null : removalOf(event, envelope);
  if (removal !== null)
    return {
      kind: "ignored",
      reason: labelOf(requiredText(event, "type", "event.")),
      ack: OK,
      carryOut: async () => await options.removed?.(removal.tenant, removal.atMs),
    };
  const reaction =
    options.reactions === undefined ? null : readReaction(event, envelope, options, options.reactions);
  if (reaction !== null) return reaction;
  const change = event.type === "message" ? readChange(event, envelope, options.changes) : null;
  if (change === null) {
    const read = outcome(readEvent(envelope, options));
    if (read.kind === "events")
      return { ...read, events: read.events.map((one) => options.surfaces?.withView(one) ?? one) };
    if (read.kind !== "ignored") return read;
    const aside = asideFor(event, tenantOf(envelope), options);
    return aside ? { ...read, aside } : read;
  }
  if (change.kind !== "edited") return inboundOf(change);
  const said = outcome(readEvent({ ...envelope, event: change.event }, options));
  return said.kind === "events" ? { ...said, withdrawn: change.withdrawn } : said;
}

function asideFor(event: JsonObject, tenant: string, { surfaces, groups }: EventOptions): Aside | null {
  if (groups !== undefined && isGroupChange(event))
    return () => {
      groups.forget(tenant);
      return Promise.resolve();
    };
  return surfaces?.asideFor(event, tenant) ?? null;
}

/** What was pressed, chosen or sent: the `payload` of an interactivity request. */
export function readPressed(payload: JsonObject, options: EventOptions): Inbound {
  return readable(() =>
    isOfAnother(payload, options)
      ? OTHER_APP
      : ((options.forms && faultsOf(payload, options.forms)) ??
        opened(readInteraction(payload, options), payload, options)),
  );
}

/** A slash command, flat as Slack sends it. */
export function readCommand(form: JsonObject, options: EventOptions): Inbound {
  return readable(() => {
    if (getString(form, "ssl_check") === "1") return { kind: "handshake", ack: OK };
    return isOfAnother(form, options) ? OTHER_APP : opened(readSlashCommand(form, options), form, options);
  });
}

function readable(read: () => Inbound): Inbound {
  try {
    return read();
  } catch (error) {
    if (error instanceof PayloadError) return { kind: "malformed", message: error.message };
    throw error;
  }
}

/** Its answer would be said by our app, which may not even be where it was asked. */
const OTHER_APP: Inbound = { kind: "ignored", reason: "other_application", ack: OK };

function isOfAnother(payload: JsonObject, { appId }: EventOptions): boolean {
  const theirs = getString(payload, "api_app_id");
  return appId !== undefined && theirs !== undefined && theirs !== appId;
}

function handshake(challenge: string): Inbound {
  return {
    kind: "handshake",
    ack: { status: 200, contentType: "application/json", body: JSON.stringify({ challenge }) },
  };
}

/** What it says, but for what opens a form. */
function opened(read: TriggerEvent | string, payload: JsonObject, { forms }: EventOptions): Inbound {
  const opening = typeof read === "string" || forms === undefined ? null : openingFor(read, payload, forms);
  return opening ?? outcome(read);
}

function outcome(read: TriggerEvent | string): Inbound {
  return typeof read === "string"
    ? { kind: "ignored", reason: read, ack: OK }
    : { kind: "events", events: [read], ignored: [], ack: OK };
}
