import type { Button } from "../../src/domain/button.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import type { Upload } from "../shared/outgoing.ts";
import { componentsFor } from "./buttons.ts";
import type { Embedded } from "./tables.ts";

/** No previews: Discord would fetch whatever address a model writes. */
export const SUPPRESS_EMBEDS = 4;

/** Of a message that one person alone sees. */
export const EPHEMERAL = 64;

/** What a message has beside its words. */
export interface Beside {
  readonly files: readonly Upload[];
  readonly buttons: readonly Button[];
  /** Ids of the people whom it rings for. */
  readonly mentions: readonly string[];
  /** In place of its words; null: they are all that there is. */
  readonly embedded: Embedded | null;
}

export const ALONE: Beside = { files: [], buttons: [], mentions: [], embedded: null };

/** Mentions are named in every call, edits too: by default a bot's message pings whomever it names. */
export function messageBody(content: string, { files, buttons, mentions, embedded }: Beside): JsonObject {
  // Named, so that an edit that is made twice leaves each file once.
  const named = files.map(({ name: filename }, id) => ({ id, filename }));
  const attachments = named.length === 0 ? {} : { attachments: named };
  const components = buttons.length > 0 ? { components: componentsFor(buttons) } : {};
  return {
    content,
    allowed_mentions: { parse: [], ...(mentions.length > 0 && { users: mentions }) },
    flags: SUPPRESS_EMBEDS,
    // It would hide these too; what stands above them is written so that no link has a preview.
    ...(embedded !== null && { ...embedded, flags: 0 }),
    ...attachments,
    ...components,
  };
}

/** What it does not name stays as it was: buttons that are not there any more are taken away. */
export function editBody(content: string, beside: Beside): JsonObject {
  return { ...messageBody(content, beside), components: componentsFor(beside.buttons) };
}
