import { type Stats, statSync } from "node:fs";
import type { ErrorCode } from "../../domain/errors.ts";

/** Why nothing may be promised on this file any more. */
export interface Fault {
  /** `STORE_MOVED` ends when the file is back; `STORE_DAMAGED` stays until somebody has looked after it. */
  readonly code: Extract<ErrorCode, "STORE_MOVED" | "STORE_DAMAGED">;
  readonly message: string;
}

/** `log-lost`: the file is sound, and what the open log holds can still be copied into it. */
export type Look = Fault | "log-lost" | null;

/**
 * Whether what is open is still what its path names. An open file outlives its name: whoever deletes or replaces the
 * folder under us takes all that we write with the process, while every write succeeds. An inode is not given again
 * while it is open, so the same one is the same file. A look costs a few microseconds.
 */
export class FileWatch {
  readonly #file: string;
  readonly #log: string;
  #fileId: string | null;
  #logId: string | null = null;
  /** Neither may become shorter by itself between two copies of the log. */
  #fileBytes = 0;
  #logBytes = 0;

  /** Before the file is opened. */
  constructor(file: string) {
    this.#file = file;
    this.#log = `${file}-wal`;
    this.#fileId = idOf(stat(file));
  }

  /** What was opened may be another file than that of the path was before. */
  opened(): Fault | null {
    this.#logId = idOf(stat(this.#log));
    this.saved();
    return this.lookAtFile();
  }

  /** The log has been copied into the file: both may have any size from now on. */
  saved(): void {
    this.#fileBytes = stat(this.#file)?.size ?? 0;
    this.#logBytes = 0;
  }

  look(): Look {
    return this.lookAtFile() ?? this.lookAtLog();
  }

  lookAtFile(): Fault | null {
    const file = stat(this.#file);
    if (file === undefined || idOf(file) !== this.#fileId) return moved(this.#file, file === undefined);
    return file.size < this.#fileBytes
      ? damaged(this.#file, `it was ${this.#fileBytes} bytes long and is ${file.size}`)
      : null;
  }

  lookAtLog(): Look {
    const log = stat(this.#log);
    if (this.#logId === null) {
      // The first write makes it.
      this.#logId = idOf(log);
    } else if (idOf(log) !== this.#logId) return "log-lost";
    const bytes = log?.size ?? 0;
    if (bytes < this.#logBytes)
      return damaged(this.#log, `it was ${this.#logBytes} bytes long and is ${bytes}`);
    this.#logBytes = bytes;
    return null;
  }
}

function stat(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // A folder that is no folder any more, or may not be entered: the path names nothing of ours.
    return undefined;
  }
}

function idOf(stats: Stats | undefined): string | null {
  return stats === undefined ? null : `${stats.dev}:${stats.ino}`;
}

function moved(file: string, isGone: boolean): Fault {
  return {
    code: "STORE_MOVED",
    message:
      `${file} was ${isGone ? "deleted or moved" : "replaced"} while it is in use. Events are refused from now on; ` +
      "what was accepted before is still at hand and goes on until this process ends. " +
      "Put the file back, or restart the gateway once nothing waits.",
  };
}

export function damaged(file: string, how: string): Fault {
  return {
    code: "STORE_DAMAGED",
    message:
      `${file} is damaged (${how}). Nothing is accepted or begun until somebody has looked after it: ` +
      "stop the gateway, copy the data folder, run parley doctor, and restore or recover the file.",
  };
}
