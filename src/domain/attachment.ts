import { cleanId, cleanLabel } from "./text.ts";

/** A file that came with a message. Never fetched by the core; `source` says how an adapter would. */
export interface Attachment {
  readonly id: string;
  readonly kind: "image" | "audio" | "video" | "document" | "location" | "contact" | "other";
  readonly name: string | null;
  readonly mime: string | null;
  readonly sizeBytes: number | null;
}

/** The first of them, with their labels bounded. */
export function boundedFiles(files: readonly Attachment[], filesMax: number): readonly Attachment[] {
  if (files.length === 0) return files;
  return files.slice(0, filesMax).flatMap((file) => {
    const id = cleanId(file.id);
    if (id === null) return [];
    const { name, mime } = file;
    return {
      ...file,
      id,
      name: name === null ? null : cleanLabel(name),
      mime: mime === null ? null : cleanLabel(mime),
    };
  });
}
