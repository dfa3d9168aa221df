import {
  FRAME_BYTES,
  SENT_BYTES_MAX,
  WAITING_BYTES_LEAST,
  WAITING_BYTES_MAX,
  WAITING_BYTES_OF_ALL,
} from "./bounds.ts";
import { frameOf } from "./words.ts";

/** What takes frames, and says when each has gone or never will. */
export interface Wire {
  send(frame: Buffer, done: () => void): void;
}

/** What waits for all readers of this process together, as if no two of them waited for the same frame. */
export class Room {
  bytes = 0;

  /** How much may wait for one reader now: where many are slow, each gets little, so that those that are not get theirs. */
  get perReader(): number {
    return this.bytes < WAITING_BYTES_OF_ALL ? WAITING_BYTES_MAX : WAITING_BYTES_LEAST;
  }
}

export interface OutgoingDeps {
  readonly wire: Wire;
  readonly room: Room;
  readonly published: () => void;
  readonly dropped: (count: number, cause: "slow" | "closed") => void;
}

/**
 * What waits for one reader, in order and within a bound. What does not fit is dropped and counted, and where it would have
 * stood, the reader is told how many there were.
 */
export class Outgoing {
  readonly #deps: OutgoingDeps;
  #waiting: { readonly frame: Buffer; readonly isEvent: boolean }[] = [];
  #next = 0;
  /** Waiting and with the system. */
  #bytes = 0;
  #sentBytes = 0;
  #missing = 0;
  #isOver = false;

  constructor(deps: OutgoingDeps) {
    this.#deps = deps;
  }

  /** An event. */
  offer(frame: Buffer): void {
    if (this.#isOver) return;
    if (!this.#hasRoom(frame)) {
      this.#missing++;
      this.#deps.dropped(1, "slow");
      return;
    }
    this.#tellMissing();
    this.#push(frame, true);
  }

  /** An answer to what the reader has said. False: it reads none. */
  say(frame: Buffer): boolean {
    if (this.#isOver || !this.#hasRoom(frame)) return false;
    this.#push(frame, false);
    return true;
  }

  /** Nothing goes out any more. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const lost = this.#waiting.slice(this.#next).filter(({ isEvent }) => isEvent).length;
    if (lost > 0) this.#deps.dropped(lost, "closed");
    this.#waiting = [];
    this.#next = 0;
    this.#deps.room.bytes -= this.#bytes;
    this.#bytes = 0;
  }

  #hasRoom(frame: Buffer): boolean {
    return this.#bytes + sizeOf(frame) <= this.#deps.room.perReader;
  }

  #tellMissing(): void {
    if (this.#missing === 0) return;
    const count = this.#missing;
    this.#missing = 0;
    this.#push(frameOf({ type: "dropped", cause: "slow", count }), false);
  }

  #push(frame: Buffer, isEvent: boolean): void {
    this.#waiting.push({ frame, isEvent });
    this.#take(sizeOf(frame));
    this.#pump();
  }

  #take(bytes: number): void {
    this.#bytes += bytes;
    this.#deps.room.bytes += bytes;
  }

  #pump(): void {
    while (this.#sentBytes < SENT_BYTES_MAX) {
      const next = this.#waiting[this.#next];
      if (next === undefined) break;
      this.#next++;
      this.#send(next);
    }
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    } else if (this.#next > 1_000) {
      this.#waiting = this.#waiting.slice(this.#next);
      this.#next = 0;
    }
  }

  #send({ frame, isEvent }: { readonly frame: Buffer; readonly isEvent: boolean }): void {
    const size = sizeOf(frame);
    this.#sentBytes += size;
    if (isEvent) this.#deps.published();
    this.#deps.wire.send(frame, () => {
      this.#sentBytes -= size;
      if (this.#isOver) return;
      this.#take(-size);
      // Of what was dropped last, with nothing behind it.
      if (this.#sentBytes === 0 && this.#next === this.#waiting.length) this.#tellMissing();
      this.#pump();
    });
  }
}

function sizeOf(frame: Buffer): number {
  return frame.length + FRAME_BYTES;
}
