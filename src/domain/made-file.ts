/** A file that a tool has made, on its way to people. Plain data: recorded with the run. */
export type MadeFile = SentFile | UnsentFile;

/** Kept beside the files of its conversation, until the answer is said that it goes out with. */
export interface SentFile {
  /** By which it is kept. */
  readonly id: string;
  readonly name: string;
  readonly mime: string;
  readonly bytes: number;
}

export interface UnsentFile {
  readonly name: string;
  /** After "could not be sent: ", for people and the model. */
  readonly why: string;
}

export function isSent(file: MadeFile): file is SentFile {
  return "id" in file;
}
