/** Which file it is, by names of ours: nothing of what it holds or is called. */
export interface MediaKey {
  /** What it is forgotten with. */
  readonly conversation: string;
  readonly id: string;
}

export interface KeptFile {
  readonly sizeBytes: number;
  /** To its end, or until whoever reads it returns. Throws MediaRefused where the disk does not give it. */
  read(): AsyncIterable<Uint8Array>;
}

/** What there is of all files together. */
export interface MediaUsage {
  readonly files: number;
  readonly bytes: number;
}

/** Files of messages, for whichever replica answers them: kept for a while, and no longer than their conversation. */
export interface Media {
  /** Where they are, in one line. */
  readonly place: string;
  /**
   * Keeps all of it or nothing, and gives its size; once that is there, so is the file, after a crash too. What is there
   * under this key stays as it is. Throws MediaRefused, and what the stream throws.
   */
  put(key: MediaKey, bytes: AsyncIterable<Uint8Array>, bytesMax: number): Promise<number>;
  /** Null: it is not there, or not any more. */
  find(key: MediaKey): Promise<KeptFile | null>;
  /** Deletes all files of a conversation, or that one. */
  forget(conversation: string, id?: string): Promise<void>;
  /**
   * Deletes what is older than that, and what was begun and never finished. Gives how many files went. Throws MediaRefused
   * where none could be kept now.
   */
  sweep(keptMs: number): Promise<number>;
  usage(): Promise<MediaUsage>;
}

/** The file will not be kept: it is larger than it may be, there is no room for any, or the disk does not take or give it. */
export class MediaRefused extends Error {
  readonly why: "too-large" | "full" | "failed";

  constructor(why: MediaRefused["why"], message: string) {
    super(message);
    this.name = "MediaRefused";
    this.why = why;
  }
}
