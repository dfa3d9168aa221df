import type { Attachment } from "../../src/domain/attachment.ts";
import { getArray, getObject, getString } from "../../src/shared/json.ts";
import { flag, integer } from "./payload.ts";
import { contactName, coordinates, placeName } from "./words.ts";

/** Message fields that hold one file, with what it is to us. */
const FILES: readonly (readonly [field: string, kind: Attachment["kind"]])[] = [
  ["document", "document"],
  ["audio", "audio"],
  ["voice", "audio"],
  ["video", "video"],
  ["video_note", "video"],
  ["animation", "video"],
];

/** The files of a message; their ids are Telegram's `file_id`, for getFile. */
export function readAttachments(message: unknown): Attachment[] {
  const photo = largest(getArray(message, "photo"));
  return [
    ...(photo === undefined ? [] : [photo]),
    ...FILES.flatMap(([field, kind]) => {
      // An animation comes a second time as a document, for clients that know no animations.
      if (field === "document" && getObject(message, "animation")) return [];
      return readFile(getObject(message, field), kind) ?? [];
    }),
    ...(readSticker(getObject(message, "sticker")) ?? []),
    ...(readLocation(message) ?? []),
    ...(readContact(message) ?? []),
  ];
}

function readFile(file: unknown, kind: Attachment["kind"]): Attachment | undefined {
  const id = getString(file, "file_id");
  if (id === undefined) return undefined;
  return {
    id,
    kind,
    name: getString(file, "file_name") ?? null,
    mime: getString(file, "mime_type") ?? null,
    sizeBytes: integer(file, "file_size") ?? null,
  };
}

/** A still one is a picture, which Telegram gives no type; what moves is film, or drawn by a script that nobody else reads. */
function readSticker(sticker: unknown): Attachment[] | undefined {
  const [kind, mime] = flag(sticker, "is_video")
    ? (["video", "video/webm"] as const)
    : flag(sticker, "is_animated")
      ? (["other", null] as const)
      : (["image", "image/webp"] as const);
  const file = readFile(sticker, kind);
  return file && [{ ...file, name: "sticker", mime }];
}

/** A photo comes in several sizes. */
function largest(sizes: readonly unknown[]): Attachment | undefined {
  const area = (size: unknown) => (integer(size, "width") ?? 0) * (integer(size, "height") ?? 0);
  let best: unknown;
  for (const size of sizes) if (best === undefined || area(size) > area(best)) best = size;
  return readFile(best, "image");
}

function readLocation(message: unknown): Attachment[] | undefined {
  const venue = getObject(message, "venue");
  const point = coordinates(getObject(message, "location") ?? getObject(venue, "location"));
  const name = placeName(venue);
  if (point === undefined && name === "") return undefined;
  return [withoutFile("location", name === "" ? (point ?? "") : name)];
}

function readContact(message: unknown): Attachment[] | undefined {
  const contact = getObject(message, "contact");
  if (contact === undefined) return undefined;
  return [withoutFile("contact", contactName(contact))];
}

function withoutFile(kind: "location" | "contact", name: string): Attachment {
  return { id: kind, kind, name, mime: null, sizeBytes: null };
}
