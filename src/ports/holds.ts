/** The right to do what only one process at a time may do, from one election to the next. */
export interface Held {
  readonly name: string;
  /** Fencing token: grows with each election of this name. A call with an old one changes nothing. */
  readonly token: number;
}

/**
 * Elects one holder of a name among all processes that share the store, by the store's clock. A store of one process is
 * always held by it, whatever the time; whoever counts on a hold ends with its time all the same.
 */
export interface Holds {
  /**
   * Null: another process holds it. One that holds it already is elected anew and loses what it held before, so that an
   * answer that was lost on the way keeps nobody out.
   */
  hold(name: string, ttlMs: number): Promise<Held | null>;
  /** It ends so long from now. False: it has ended, and another may have it. */
  renew(held: Held, ttlMs: number): Promise<boolean>;
  /** Another can have it at once, and hears of that on the bus (RELEASED_TOPIC, the name as the message). */
  release(held: Held): Promise<void>;
}

export const RELEASED_TOPIC = "released";
