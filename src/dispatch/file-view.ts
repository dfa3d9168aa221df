import type { Attachment, FileView } from "../domain/attachment.ts";
import { FILE_TEXT_BYTES_MAX, PDF_BYTES_MAX, PDF_PAGES_MAX } from "../domain/bounds.ts";
import { onOneLine, theirWords } from "../domain/text.ts";
import { pictureType, pictureView } from "../shared/picture.ts";
import { isPdf, pagesOf } from "./pdf.ts";

/** What providers take of one image, before it is encoded. */
const IMAGE_BYTES_MAX = 3.75 * 1024 * 1024;

/** How much of a file is needed to show what can be shown of it. */
export const VIEW_BYTES_MAX = Math.max(IMAGE_BYTES_MAX, PDF_BYTES_MAX);

/**
 * What a model can be shown of a file; null: its name, type and size, and no more. The bytes decide, and not what the file
 * is called: a text is what reads as one.
 */
export function viewOf(file: Attachment, bytes: Buffer, sizeBytes: number): FileView | null {
  const mime = pictureType(bytes);
  if (mime !== null) {
    if (sizeBytes > IMAGE_BYTES_MAX) return unread("it is too large an image to be looked at");
    return pictureView(mime, bytes.length, () => bytes.toString("base64"));
  }
  // Before texts: it may read as one.
  if (isPdf(bytes)) return pdfOf(file, bytes, sizeBytes);
  const text = textOf(bytes.subarray(0, FILE_TEXT_BYTES_MAX), sizeBytes <= FILE_TEXT_BYTES_MAX);
  if (text !== null) return { kind: "text", text, isWhole: sizeBytes <= FILE_TEXT_BYTES_MAX };
  return SHOWN_IMAGE.test(file.mime ?? "") ? unread("it is not the image that it is said to be") : null;
}

/** A provider refuses the whole request for one that it cannot read, so only what it surely can is shown. */
function pdfOf({ name }: Attachment, bytes: Buffer, sizeBytes: number): FileView | null {
  if (sizeBytes > PDF_BYTES_MAX) return unread("it is too large a PDF to be read");
  // Of its beginning nothing can be told.
  if (bytes.length < sizeBytes) return null;
  const pages = pagesOf(bytes, PDF_PAGES_MAX);
  if (pages === "protected") return unread("it is protected by a password");
  if (pages === 0) return unread("its pages cannot be told apart");
  if (pages > PDF_PAGES_MAX) return unread(`it has more than ${PDF_PAGES_MAX} pages`);
  const label = onOneLine(theirWords(name ?? ""));
  return {
    kind: "pdf",
    name: /.\.pdf$/i.test(label) ? label : `${label || "document"}.pdf`,
    bytes: bytes.length,
    pages,
    base64: () => bytes.toString("base64"),
  };
}

const SHOWN_IMAGE = /^image\/(?:png|jpeg|gif|webp)$/;

export function unread(why: string): FileView {
  return { kind: "unread", why };
}

/** UTF-8, or UTF-16 that says so. A character that was cut in two at the end is left out. */
function textOf(bytes: Buffer, isWhole: boolean): string | null {
  const isWide = bytes.length >= 2 && (bytes.readUInt16BE(0) === 0xfffe || bytes.readUInt16BE(0) === 0xfeff);
  const encoding = isWide ? (bytes[0] === 0xff ? "utf-16le" : "utf-16be") : "utf-8";
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: !isWhole });
    return CONTROL.test(text) ? null : text.replaceAll("\r\n", "\n").toWellFormed();
  } catch {
    return null;
  }
}

/** What no text holds, and every other file does: a control character that is no tab, end of a line, or escape. */
const CONTROL = new RegExp(`[${["\\0-\\b", "\\x0e-\\x1a", "\\x1c-\\x1f"].join("")}]`);
