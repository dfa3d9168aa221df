import type { Attachment, FileView, FileViews } from "../domain/attachment.ts";
import { theirWords } from "../domain/text.ts";
import { BYTES_PER_TOKEN } from "./tokens.ts";
import { oneLine, ourLine, quotedLabel } from "./voice.ts";

/** A file that is named, and not shown: `⟦attached document "pump.pdf", application/pdf, 2 kB⟧`. */
export function attachmentLine(file: Attachment, view?: FileView): string {
  const { kind, name, mime, sizeBytes } = file;
  const size = sizeBytes === null ? null : `${Math.ceil(sizeBytes / 1000)} kB`;
  const what = [`attached ${kind}`, ...(name === null ? [] : [quotedLabel(name)])].join(" ");
  const details = [mime, size].filter((detail) => detail !== null).map(bare);
  return ourLine([what, ...details, ...noteOf(view)].join(", "));
}

function noteOf(view: FileView | undefined): readonly string[] {
  if (view === undefined) return [];
  if (view.kind === "unread") return [`could not be read: ${bare(view.why)}`];
  return [view.kind === "text" ? "with this text:" : "shown here"];
}

/**
 * A file with its text, where that is shown. What a file holds is not said by who sent it, so it stands between lines of
 * ours, which nothing in it can pose as.
 */
export function fileText(file: Attachment, views: FileViews, tokensMax: number): string {
  const view = views.get(file.id);
  if (view?.kind !== "text") return attachmentLine(file, view);
  const { text, isWhole } = fitting(view, tokensMax);
  const body = theirWords(text).replace(/\n$/, "");
  return [attachmentLine(file, view), ...(body === "" ? [] : [body]), isWhole ? END : LEFT_OUT].join("\n");
}

const END = ourLine("end of that file");
const LEFT_OUT = ourLine("the rest of that file is left out");

function fitting(
  view: Extract<FileView, { kind: "text" }>,
  tokensMax: number,
): { text: string; isWhole: boolean } {
  const bytes = Buffer.from(view.text);
  const bytesMax = Math.max(0, Math.floor(tokensMax)) * BYTES_PER_TOKEN;
  if (bytes.length <= bytesMax) return view;
  // Of a character that was cut in two, nothing is left.
  const text = new TextDecoder().decode(bytes.subarray(0, bytesMax), { stream: true });
  return { text, isWhole: false };
}

function bare(text: string): string {
  return oneLine(text).replaceAll(/["⟦⟧]/g, "");
}
