import type { Attachment } from "../../src/domain/attachment.ts";
import type { Pressed } from "../../src/domain/event.ts";
import { get, getArray, getObject, getString, isObject, type JsonObject } from "../../src/shared/json.ts";

/** What a person said with one message, whatever its type. */
interface Content {
  readonly trigger: "direct" | "button";
  readonly command: string | null;
  readonly text: string;
  readonly attachments: readonly Attachment[];
  readonly pressed?: Pressed;
}

/** `ignored` when the type never triggers a run; `broken` when its body is not what its type promises. */
type Reading =
  | { readonly kind: "content"; readonly content: Content }
  | { readonly kind: "ignored"; readonly reason: string }
  | { readonly kind: "broken" };

const BROKEN: Reading = { kind: "broken" };
const LABEL_CHARS_MAX = 200;
const CONTACTS_MAX = 20;

/** Types that tell of a change rather than ask for an answer. */
const SILENT_TYPES = new Set(["reaction", "system", "unsupported", "edit", "revoke"]);

const MEDIA_KINDS = new Map<string, Attachment["kind"]>([
  ["image", "image"],
  ["sticker", "image"],
  ["video", "video"],
  ["audio", "audio"],
  ["document", "document"],
]);

/** One element of `value.messages`. Shapes after Meta's Cloud API webhook reference. */
export function readContent(message: JsonObject): Reading {
  const type = getString(message, "type");
  if (type === undefined) return BROKEN;
  if (SILENT_TYPES.has(type)) return { kind: "ignored", reason: type };
  const mediaKind = MEDIA_KINDS.get(type);
  if (mediaKind !== undefined) return readMedia(getObject(message, type), mediaKind);
  switch (type) {
    case "text":
      return said(getString(getObject(message, "text"), "body"));
    case "interactive":
      return readInteractive(getObject(message, "interactive"));
    case "button":
      return readTemplateButton(getObject(message, "button"));
    case "location":
      return readLocation(getObject(message, "location"));
    case "contacts":
      return readContacts(getArray(message, "contacts"));
    case "order":
      return readOrder(getObject(message, "order"));
    default:
      return { kind: "ignored", reason: "unknown_type" };
  }
}

function said(text: string | undefined, attachments: readonly Attachment[] = []): Reading {
  if (text === undefined) return BROKEN;
  return { kind: "content", content: { trigger: "direct", command: null, text, attachments } };
}

function pressed(
  kind: Pressed["kind"],
  command: string | undefined,
  { text, name = text }: { text: string | undefined; name?: string | undefined },
): Reading {
  if (command === undefined) return BROKEN;
  const how = { kind, label: label(name) };
  return {
    kind: "content",
    content: { trigger: "button", command, text: text ?? command, attachments: [], pressed: how },
  };
}

/** What was ordered is shown before what was said with it. */
function readOrder(order: JsonObject | undefined): Reading {
  const isEmpty = getArray(order, "product_items").length === 0 && getString(order, "text") === undefined;
  return isEmpty ? { kind: "ignored", reason: "order" } : said(getString(order, "text") ?? "");
}

function readInteractive(interactive: JsonObject | undefined): Reading {
  const type = getString(interactive, "type");
  switch (type) {
    case "button_reply":
    case "list_reply": {
      const choice = getObject(interactive, type);
      const kind = type === "button_reply" ? "button" : "choice";
      return pressed(kind, getString(choice, "id"), { text: getString(choice, "title") });
    }
    case "nfm_reply": {
      const form = getObject(interactive, "nfm_reply");
      const lines = [getString(form, "body"), getString(form, "response_json")];
      const text = lines.filter((line) => line !== undefined).join("\n");
      return text === ""
        ? BROKEN
        : pressed("form", getString(form, "name") ?? "flow", { text, name: getString(form, "name") });
    }
    case undefined:
      return BROKEN;
    default:
      return { kind: "ignored", reason: "unknown_type" };
  }
}

/** The quick reply of a template message. */
function readTemplateButton(button: JsonObject | undefined): Reading {
  const text = getString(button, "text");
  return pressed("button", getString(button, "payload") ?? text, { text });
}

/** The caption is what was said; without one the file speaks for itself. */
function readMedia(media: JsonObject | undefined, kind: Attachment["kind"]): Reading {
  const id = getString(media, "id");
  if (id === undefined) return BROKEN;
  const attachment: Attachment = {
    id,
    kind,
    name: label(getString(media, "filename")),
    mime: label(getString(media, "mime_type")),
    sizeBytes: null, // Known only to the media endpoint.
  };
  return said(getString(media, "caption") ?? "", [attachment]);
}

function readLocation(location: JsonObject | undefined): Reading {
  const latitude = get(location, "latitude");
  const longitude = get(location, "longitude");
  if (typeof latitude !== "number" || typeof longitude !== "number") return BROKEN;
  const name = getString(location, "name");
  const point = `${latitude},${longitude}`;
  const words = [name, getString(location, "address"), point];
  return said(words.filter((word) => word !== undefined).join(" "), [
    { id: point, kind: "location", name: label(name), mime: null, sizeBytes: null },
  ]);
}

/** One line for each card: the name and the numbers on it. */
function readContacts(cards: readonly unknown[]): Reading {
  const shown = cards.filter(isObject).slice(0, CONTACTS_MAX);
  if (shown.length === 0) return BROKEN;
  const people = shown.map((card) => ({
    name: getString(getObject(card, "name"), "formatted_name") ?? "Contact",
    phones: getArray(card, "phones").flatMap((entry) => getString(entry, "phone") ?? []),
  }));
  return said(
    people.map(({ name, phones }) => [name, ...phones].join(" ")).join("\n"),
    people.map(({ name, phones }) => ({
      id: label(phones[0]) ?? name.slice(0, LABEL_CHARS_MAX),
      kind: "contact",
      name: label(name),
      mime: null,
      sizeBytes: null,
    })),
  );
}

/** A name from outside, bounded and well-formed; null when absent. */
export function label(text: string | undefined): string | null {
  return text === undefined ? null : text.slice(0, LABEL_CHARS_MAX).toWellFormed();
}
