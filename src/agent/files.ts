import type { Attachment } from "../domain/attachment.ts";
import { oneLine, ourLine, quotedLabel } from "./voice.ts";

/** A file is named, not shown: `⟦attached document "pump.pdf", application/pdf, 2 kB⟧`. */
export function attachmentLine({ kind, name, mime, sizeBytes }: Attachment): string {
  const size = sizeBytes === null ? null : `${Math.ceil(sizeBytes / 1000)} kB`;
  const what = [`attached ${kind}`, ...(name === null ? [] : [quotedLabel(name)])].join(" ");
  const details = [mime, size].filter((detail) => detail !== null).map(bare);
  return ourLine([what, ...details].join(", "));
}

function bare(text: string): string {
  return oneLine(text).replaceAll(/["⟦⟧]/g, "");
}
