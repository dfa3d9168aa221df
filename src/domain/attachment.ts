import { SOURCE_CHARS_MAX } from "./bounds.ts";
import { cleanId, cleanLabel } from "./text.ts";

/** A file that came with a message. */
export interface Attachment {
  readonly id: string;
  readonly kind: "image" | "audio" | "video" | "document" | "location" | "contact" | "other";
  readonly name: string | null;
  readonly mime: string | null;
  readonly sizeBytes: number | null;
  /**
   * Where its adapter fetches it, where the id does not tell. It may open the file by itself: for nobody else, and in no log
   * and no prompt.
   */
  readonly source?: string;
}

/** The first of them, with their labels bounded. */
export function boundedFiles(files: readonly Attachment[], filesMax: number): readonly Attachment[] {
  if (files.length === 0) return files;
  return files.slice(0, filesMax).flatMap((file) => {
    const id = cleanId(file.id);
    if (id === null) return [];
    const { name, mime, source, ...rest } = file;
    return {
      ...rest,
      ...(source !== undefined && source.length <= SOURCE_CHARS_MAX && { source }),
      id,
      name: name === null ? null : cleanLabel(name),
      mime: mime === null ? null : cleanLabel(mime),
    };
  });
}

/** By which a file is kept beside those of its conversation: the same for whoever works on the event. */
export function mediaIdOf(event: { readonly id: string }, file: Pick<Attachment, "id">): string {
  return `${event.id}/${file.id}`;
}

/** The same of a file that was made for the answer to it (SentFile). */
export function madeIdOf(event: { readonly id: string }, file: { readonly id: string }): string {
  return `${event.id}/made/${file.id}`;
}

/** What became of a file that a run was to read, by the id of its event and its own. Plain data: recorded with the run. */
export interface FileRecord {
  readonly event: string;
  readonly file: string;
  /** Kept, and so large; absent: it was not read. */
  readonly bytes?: number;
  /** Of one that was not read, for the model. */
  readonly why?: string;
}

/** What a model can be shown of a file, beside its name. */
export type FileView =
  | { readonly kind: "text"; readonly text: string; readonly isWhole: boolean }
  | PictureView
  | PdfView
  /** `why`: after "could not be read: ". */
  | { readonly kind: "unread"; readonly why: string };

export interface PictureView {
  readonly kind: "image";
  /** One of those that providers take. */
  readonly mime: "image/png" | "image/jpeg" | "image/gif" | "image/webp";
  readonly bytes: number;
  /** At most; what no provider counts below. */
  readonly tokensMax: number;
  /** A function, so that nothing that prints or measures a prompt comes upon it. */
  readonly base64: () => string;
}

/** One that no password protects. */
export interface PdfView {
  readonly kind: "pdf";
  /** Ends with `.pdf`. */
  readonly name: string;
  readonly bytes: number;
  readonly pages: number;
  readonly base64: () => string;
}

/** By the id of the file. */
export type FileViews = ReadonlyMap<string, FileView>;

export const NO_FILES: FileViews = new Map();
