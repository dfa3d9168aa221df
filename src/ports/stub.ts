/** One call of a platform's API, as a stand-in gets it. */
export interface StubCall {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly type: string;
  readonly body: string;
  /** Counts the calls, so that what is made up is like nothing before it. */
  readonly n: number;
  readonly nowMs: number;
}

export interface StubAnswer {
  /** 200 when absent. */
  readonly status?: number;
  /** An object goes out as JSON. */
  readonly body?: object | string;
  /** What the call is named there, never with a token of its path. */
  readonly name: string;
  /** Where people would see what it does: a channel, a chat; absent: nowhere. */
  readonly place?: string;
  /** What they would read. */
  readonly text?: string;
}

/**
 * A stand-in of a platform's API, for `parley stub`: it answers as far as a gateway needs to go on, knows no token, keeps
 * nothing and checks nothing. What the platform refuses it takes all the same.
 */
export interface Stub {
  /** Leads a gateway there, with made-up secrets: `make` gives so many characters of hex. */
  variables(url: string, make: (chars: number) => string): Readonly<Record<string, string>>;
  /** Null: the path is not one of this platform. */
  answer(call: StubCall): StubAnswer | null;
}
