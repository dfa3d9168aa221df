import type { IncomingMessage } from "node:http";
import { DISCARD_BYTES_MAX, SMALL_BODY_BYTES } from "../domain/bounds.ts";
import type { UsedUp } from "../telemetry/heap.ts";
import { declaredBytes } from "./request.ts";

/** Of large bodies that were refused, so many are read at once; a connection gives up to 2 MiB in one turn of the loop. */
export const DRAINED_AT_ONCE = 8;
/** A slow one makes room for others after this. */
const TURN_MS = 100;

/**
 * Most senders look at the answer only when they have sent everything, and a connection that is closed before that
 * looks to them like a crash. So the rest is read and thrown away, within a bound. Of large ones a few at a time, so
 * that a flood of them keeps the loop from nobody; the others wait in their senders' hands.
 */
export class Drain {
  readonly #flowing = new Set<IncomingMessage>();
  readonly #waiting = new Set<IncomingMessage>();
  readonly #usedUp: Pick<UsedUp, "add">;
  #timer: NodeJS.Timeout | undefined;

  constructor(usedUp: Pick<UsedUp, "add">) {
    this.#usedUp = usedUp;
  }

  /** How many large ones are being read now. */
  get flowing(): number {
    return this.#flowing.size;
  }

  discard(incoming: IncomingMessage): void {
    let length = 0;
    incoming.on("data", (chunk: Buffer) => {
      length += chunk.length;
      this.#usedUp.add(chunk.length);
      if (length > DISCARD_BYTES_MAX) incoming.destroy();
    });
    incoming.on("error", () => {});
    const declared = declaredBytes(incoming);
    if (declared !== undefined && declared <= SMALL_BODY_BYTES) return;

    const { socket } = incoming;
    const over = () => {
      socket.off("close", over);
      this.#waiting.delete(incoming);
      if (this.#flowing.delete(incoming)) this.#fill();
    };
    incoming.once("end", over);
    // A request that has been answered does not hear of the end of its connection.
    socket.once("close", over);
    incoming.pause();
    // A body that nobody has begun to read is read at full speed by Node as soon as it is answered.
    incoming.read(0);
    this.#waiting.add(incoming);
    this.#fill();
  }

  #fill(): void {
    for (const incoming of this.#waiting) {
      if (this.#flowing.size >= DRAINED_AT_ONCE) break;
      this.#waiting.delete(incoming);
      this.#flowing.add(incoming);
      incoming.resume();
    }
    if (this.#waiting.size > 0) this.#timer ??= setInterval(() => this.#rotate(), TURN_MS).unref();
  }

  #rotate(): void {
    if (this.#waiting.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    for (const incoming of this.#flowing) {
      incoming.pause();
      this.#waiting.add(incoming);
    }
    this.#flowing.clear();
    this.#fill();
  }
}
