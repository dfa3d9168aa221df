import type { Attachment } from "../domain/attachment.ts";
import type { TriggerEvent } from "../domain/event.ts";

/** Why a file was not copied, as metrics count it. */
export type FileFault =
  | "too_large"
  | "gone"
  | "refused"
  | "not_the_file"
  | "elsewhere"
  | "failed"
  | "timed_out"
  | "full";

/** A file that another try would not bring. `message` is for the model, after "could not be read: ". */
export class FileUnreadable extends Error {
  readonly fault: FileFault;

  constructor(fault: FileFault, message: string) {
    super(message);
    this.name = "FileUnreadable";
    this.fault = fault;
  }
}

export interface FileRequest {
  readonly file: Attachment;
  /** That it came with. */
  readonly event: TriggerEvent;
  readonly signal: AbortSignal;
  /** From connecting to the last byte. */
  readonly timeoutMs: number;
}

/** Where a platform keeps the files of its messages. */
export interface FileReader {
  /**
   * The file as it comes; whoever takes it reads it to its end, or ends it. Null: nothing is known of where it is. Throws
   * FileUnreadable, or DeliveryError, `retry` or `unknown` where another try may help.
   */
  open(request: FileRequest): Promise<AsyncIterable<Uint8Array> | null>;
}
