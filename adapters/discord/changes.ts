import { createHash } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Inbound } from "../../src/ports/adapter.ts";
import { get, getArray, getString, type JsonObject } from "../../src/shared/json.ts";
import type { ChangePolicy } from "../shared/change-options.ts";
import { type MessageOptions, messageEventId, NOTHING, readMessage, type Self } from "./message.ts";
import { isSnowflake } from "./snowflake.ts";
import { ownWords } from "./text.ts";

/** Of messages that were heard: enough to see whether an edit changes words. */
const REMEMBERED_MAX = 5_000;
/** Discord lets moderators delete so many at once. */
const DELETED_MAX = 100;

interface Known {
  readonly words: string;
  /** The events that edits of it have become. */
  readonly edits: readonly string[];
}

/** What is edited and deleted. Discord tells neither what a message said before, nor whether it was edited before. */
export class Changes {
  readonly #policy: ChangePolicy;
  readonly #known = new LRUCache<string, Known>({ max: REMEMBERED_MAX });

  constructor(policy: ChangePolicy) {
    this.#policy = policy;
  }

  heard(message: JsonObject): void {
    const id = get(message, "id");
    if (this.#policy.edits === "rerun" && isSnowflake(id))
      this.#known.set(id, { words: digest(message), edits: this.#known.get(id)?.edits ?? [] });
  }

  /** MESSAGE_UPDATE, which also comes when a preview of a link is there. */
  edited(message: JsonObject, options: MessageOptions): Inbound {
    const id = get(message, "id");
    const edited = Date.parse(getString(message, "edited_timestamp") ?? "");
    if (this.#policy.edits === "ignore" || Number.isNaN(edited) || !isSnowflake(id)) return EDIT;
    const known = this.#known.get(id);
    const words = digest(message);
    if (known?.words === words) return EDIT;
    const original = messageEventId(options.self, id);
    const said = readMessage(message, options);
    if (said.kind !== "events") return said;
    const [event] = said.events;
    if (event === undefined) return EDIT;
    const again: TriggerEvent = {
      ...event,
      id: `${original}:edit:${edited}`,
      occurredAtMs: Math.max(event.occurredAtMs, edited),
    };
    const edits = known?.edits ?? [];
    this.#known.set(id, { words, edits: [...edits, again.id] });
    return { ...said, events: [again], withdrawn: [original, ...edits] };
  }

  /** MESSAGE_DELETE, or MESSAGE_DELETE_BULK. */
  deleted(data: JsonObject, self: Self): Inbound {
    const ids = [get(data, "id"), ...getArray(data, "ids").slice(0, DELETED_MAX)].filter(isSnowflake);
    const reason = "message_deleted";
    if (this.#policy.deletes === "keep") return { kind: "ignored", reason, ack: NOTHING };
    const withdrawn = ids.flatMap((id) => [messageEventId(self, id), ...(this.#known.get(id)?.edits ?? [])]);
    return { kind: "ignored", reason, withdrawn, ack: NOTHING };
  }
}

const EDIT: Inbound = { kind: "ignored", reason: "edit", ack: NOTHING };

function digest(message: JsonObject): string {
  return createHash("sha256").update(ownWords(message)).digest("base64url").slice(0, 16);
}
