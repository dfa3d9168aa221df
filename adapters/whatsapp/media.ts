import type { SentFile } from "../../src/domain/made-file.ts";
import type { OutgoingFiles } from "../../src/ports/adapter.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import { filesPart, type Upload } from "../shared/outgoing.ts";
import { REPEAT_NOTICE } from "./render.ts";

const MIB = 1024 * 1024;

type Kind = "image" | "audio" | "video" | "document";

/** What Meta takes as which kind of message; of another type it takes nothing. */
const KINDS: readonly (readonly [kind: Kind, bytesMax: number, types: readonly string[]])[] = [
  ["image", 5 * MIB, ["image/jpeg", "image/png"]],
  ["audio", 16 * MIB, ["audio/aac", "audio/amr", "audio/mp4", "audio/mpeg", "audio/ogg"]],
  ["video", 16 * MIB, ["video/mp4", "video/3gpp"]],
  [
    "document",
    100 * MIB,
    [
      "text/plain",
      "application/pdf",
      "application/msword",
      "application/vnd.ms-excel",
      "application/vnd.ms-powerpoint",
      "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
      "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
      "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ],
  ],
];

/** Of texts Meta takes plain ones alone, no Markdown or tables as such. */
export const DOCUMENT_MIME = "text/plain";
const TEXTS = /^text\/|^application\/(?:json|xml|yaml|x-yaml|toml|sql|x-sh|javascript)$|\+(?:json|xml)$/;

export const OUTGOING: OutgoingFiles = {
  bytesMax: 100 * MIB,
  filesMax: 1,
  messageBytesMax: 100 * MIB,
  refusal(file) {
    const [kind, bytesMax] = kindOf(file.mime) ?? [];
    if (kind === undefined || bytesMax === undefined) return "files of its type are not taken here";
    return file.bytes <= bytesMax ? null : `it is larger than the ${bytesMax / MIB} MiB of one ${kind}`;
  },
  render: filesPart,
};

function kindOf(mime: string): readonly [kind: Kind, bytesMax: number] | null {
  const type = takenType(mime);
  const [kind, bytesMax] = KINDS.find(([, , types]) => types.includes(type)) ?? [];
  return kind === undefined || bytesMax === undefined ? null : [kind, bytesMax];
}

function takenType(mime: string): string {
  return TEXTS.test(mime) ? DOCUMENT_MIME : mime;
}

/** Under the type by which Meta takes it. */
export function asTaken<File extends Pick<SentFile, "mime">>(file: File): File {
  return { ...file, mime: takenType(file.mime) };
}

/** A message with a file that was brought to Meta under this id. */
export function mediaMessage({ name, mime }: Upload, id: string, mayRepeat: boolean): JsonObject {
  const [kind = "document"] = kindOf(mime) ?? [];
  const caption = mayRepeat && kind !== "audio" ? { caption: REPEAT_NOTICE } : {};
  return { type: kind, [kind]: { id, ...(kind === "document" && { filename: name }), ...caption } };
}
