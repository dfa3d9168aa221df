import { LRUCache } from "lru-cache";
import type { Clock } from "../../src/ports/clock.ts";
import { KeyedSlots, Slots } from "../shared/pace.ts";

/** More are hardly open at once; of one that is forgotten the text is set whole in the end. */
const STREAMS_MAX = 10_000;
const WORKSPACES_MAX = 1_000;

/** What this process knows of a stream that it has begun. */
export interface Stream {
  /** All that was appended, as far as that is known. */
  said: string;
  /** False: something may have been appended, or not. */
  isSure: boolean;
  /** Slack takes no more of it. */
  isOver: boolean;
}

/** By channel and time stamp. */
export class Streams {
  readonly #streams = new LRUCache<string, Stream>({ max: STREAMS_MAX });

  begin(channel: string, ts: string, said: string): void {
    this.#streams.set(`${channel} ${ts}`, { said, isSure: true, isOver: false });
  }

  /** Of another process: nobody here knows what it has said. */
  of(channel: string, ts: string): Stream {
    const known = this.#streams.get(`${channel} ${ts}`);
    if (known !== undefined) return known;
    const unknown = { said: "", isSure: false, isOver: false };
    this.#streams.set(`${channel} ${ts}`, unknown);
    return unknown;
  }
}

/** Of one message, appended to or edited. */
const MESSAGE_EVERY_MS = 1_000;

/**
 * What Slack takes of an app in one workspace, with a little left over:
 *
 * | call | a minute | here |
 * |-|-|-|
 * | `chat.startStream` | 20 | 8 at once, then one in 5 s |
 * | `chat.appendStream` | 100 | one in 0.62 s |
 * | `chat.update` | 50 | one in 1.5 s: the rest is for whole answers |
 * | `chat.postMessage` | one a second in a channel | the same |
 */
interface Budget {
  readonly start: Slots;
  readonly append: Slots;
  readonly update: Slots;
  readonly post: Slots;
}

export type Paced = keyof Budget;

function aBudget(): Budget {
  return {
    start: new Slots(5_000, 8),
    append: new Slots(620),
    update: new Slots(1_500),
    post: new Slots(250, 4),
  };
}

/** Moments for everything that grows, shared by all of a workspace. */
export class Pace {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #workspaces = new LRUCache<string, Budget>({ max: WORKSPACES_MAX });
  readonly #messages = new KeyedSlots();

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#clock = clock;
  }

  take(workspace: string, of: Paced, message: string): number {
    const nowMs = this.#clock.nowMs();
    const inMs = this.#of(workspace)[of].take(nowMs);
    return inMs + this.#messages.take(message, MESSAGE_EVERY_MS, nowMs + inMs);
  }

  /** It was changed just now, as far as Slack can know: a call that was late is not followed too soon. */
  changed(message: string): void {
    this.#messages.rest(message, this.#clock.nowMs() + MESSAGE_EVERY_MS);
  }

  /** Slack has asked for a pause. */
  rest(workspace: string, of: Paced, ms: number): void {
    this.#of(workspace)[of].rest(this.#clock.nowMs() + ms);
  }

  #of(workspace: string): Budget {
    const budget = this.#workspaces.get(workspace) ?? aBudget();
    this.#workspaces.set(workspace, budget);
    return budget;
  }
}
