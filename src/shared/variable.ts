/** One environment variable, declared once: for the loader, doctor, the banner, documentation and hints. */
export interface Variable {
  readonly name: string;
  readonly what: string;
  /** A secret may come from a file instead: `NAME_FILE` holds the path. */
  readonly secret: boolean;
  /** Older or more general names, used when `name` is not set. */
  readonly aliases: readonly string[];
  /** What its value must be; absent: what reads it judges it. */
  readonly form?: Form;
  /** May be two values during a rotation. */
  readonly isPair?: true;
  /** A secret of the operator's own making; all others are given out by whoever they are shown to. */
  readonly isOwn?: true;
  /** The variable that its platform does not need where this one is set. */
  readonly insteadOf?: string;
  /** What its platform cannot do without it, after "cannot". */
  readonly without?: string;
  /** Not Parley's alone: a file may hand it on to a tool. */
  readonly isShared?: true;
  /** Variables that have to be set beside it. */
  readonly beside?: readonly string[];
  /** Commands read it, the gateway does not. */
  readonly isOfCommands?: true;
  /** Why it has no effect, and what to set instead. */
  readonly idle?: string;
}

export interface Form {
  readonly pattern: RegExp;
  /** After "expected". */
  readonly words: string;
  /** Of a secret that opens something here, so that nobody guesses it. */
  readonly charsMin?: number;
  readonly charsMax?: number;
}

type More = Omit<Partial<Variable>, "name" | "what" | "secret">;

export function plain(name: string, what: string, more: More = {}): Variable {
  return { name, what, secret: false, aliases: [], ...more };
}

export function secret(name: string, what: string, more: More = {}): Variable {
  return { name, what, secret: true, aliases: [], ...more };
}

/** What we show to others (tokens of platforms, keys of models) is theirs to judge. */
export const TOKEN: Form = { pattern: /^\S+$/, words: "a token without spaces" };
export const ID: Form = { pattern: /^[A-Za-z0-9_-]{1,100}$/, words: "an id of letters and digits" };

/** Of a secret that opens something here, and whose length is the operator's choice or documented by nobody. */
export function atLeast(charsMin: number, kind: "graphic" | "any" = "graphic"): Form {
  const isAny = kind === "any";
  return {
    charsMin,
    pattern: isAny ? /^\S(?:.*\S)?$/s : /^[!-~]+$/,
    words: `at least ${charsMin} ${isAny ? "characters" : "ASCII characters without spaces"}`,
  };
}

/** What is wrong with this value of a secret, never the value itself; null when nothing is. */
export function wrongSecret(form: Form, value: string): string | null {
  const { charsMin = 0, charsMax = Number.POSITIVE_INFINITY, pattern, words } = form;
  const { length } = value;
  if (length < charsMin || length > charsMax)
    return `expected ${words}, got ${length} ${length === 1 ? "character" : "characters"}`;
  return pattern.test(value) ? null : `expected ${words}, got ${length} characters, not all of them such`;
}
