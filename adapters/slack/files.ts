import type { Attachment } from "../../src/domain/attachment.ts";
import { get, getArray, getString } from "../../src/shared/json.ts";

/** The files of a message, or of one that was passed on. */
export function filesOf(message: unknown): readonly Attachment[] {
  return getArray(message, "files").flatMap((file) => {
    const id = getString(file, "id")?.toWellFormed();
    if (id === undefined) return [];
    const mime = getString(file, "mimetype")?.toWellFormed() ?? null;
    const size = get(file, "size");
    const source = addressOf(file);
    return {
      id,
      kind: attachmentKind(mime),
      name: getString(file, "name")?.toWellFormed() ?? null,
      mime,
      sizeBytes: typeof size === "number" && size >= 0 ? size : null,
      ...(source !== undefined && { source }),
    };
  });
}

function attachmentKind(mime: string | null): Attachment["kind"] {
  const family = mime?.split("/", 1)[0];
  if (family === "image" || family === "audio" || family === "video") return family;
  return mime === null ? "other" : "document";
}

/** For who has the token of the bot. */
export function addressOf(file: unknown): string | undefined {
  return (getString(file, "url_private") ?? getString(file, "url_private_download"))?.toWellFormed();
}
