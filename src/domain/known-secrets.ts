/** Letters by which a form of a secret is looked for in a text: as many as a hash of 32 bits holds. */
const MARK_CHARS = 8;
/** Of the filter before the table; a power of two. */
const FILTER_SIZE = 1 << 17;

/**
 * Secrets, and every form in which others may say them, found in a text in one walk over it, however many they are: a
 * pattern of all forms of 400 tokens took 750 us for 4,500 letters.
 */
export class KnownSecrets {
  readonly #max: number;
  readonly #values = new Set<string>();
  /** Which secrets have a form that begins so, by its hash. */
  readonly #byMark = new Map<number, Set<string>>();
  /** Those that have no mark are looked for in every text. */
  readonly #unmarked = new Set<string>();
  /** 1 where a mark may be: most letters of a text are decided by one look into it. */
  #filter = new Uint8Array(0);

  /** @param max Of more than these, the oldest is forgotten. */
  constructor(max: number) {
    this.#max = max;
  }

  add(value: string): void {
    if (this.#values.has(value)) return;
    this.#values.add(value);
    if (this.#filter.length === 0) this.#filter = new Uint8Array(FILTER_SIZE);
    const marks = marksOf(value);
    if (marks === null) this.#unmarked.add(value);
    for (const mark of marks ?? []) {
      const those = this.#byMark.get(mark);
      if (those === undefined) this.#byMark.set(mark, new Set([value]));
      else those.add(value);
      this.#filter[slotOf(mark)] = 1;
    }
    const [oldest] = this.#values;
    if (this.#values.size > this.#max && oldest !== undefined) this.#forget(oldest);
  }

  /** Whose forms may be in the text; for nearly every text, none. */
  perhapsIn(text: string): readonly string[] {
    if (this.#values.size === 0) return [];
    const found = new Set(this.#unmarked);
    const filter = this.#filter;
    let mark = 0;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === BACKSLASH) continue;
      mark = next(mark, code);
      if (filter[slotOf(mark)] === 0) continue;
      for (const value of this.#byMark.get(mark) ?? []) found.add(value);
    }
    return [...found];
  }

  /** What the filter says of its marks stays: it only saves looks into the table. */
  #forget(value: string): void {
    this.#values.delete(value);
    this.#unmarked.delete(value);
    for (const mark of marksOf(value) ?? []) {
      const those = this.#byMark.get(mark);
      those?.delete(value);
      if (those?.size === 0) this.#byMark.delete(mark);
    }
  }
}

/** Whatever form of them; the longest first, since one may be a part of another. */
export function patternOfAll(values: readonly string[]): RegExp {
  const all = [...new Set(values.flatMap(formsOf))];
  return new RegExp(
    all
      .sort((a, b) => b.length - a.length)
      .map(patternOf)
      .join("|"),
    "g",
  );
}

/** In Markdown a backslash before punctuation is not shown, so it counts for nothing here. */
const BACKSLASH = 0x5c;

function patternOf(form: string): string {
  return Array.from(form)
    .map((c) => (/[!-/:-@[-`{-~]/.test(c) ? `\\\\?${RegExp.escape(c)}` : RegExp.escape(c)))
    .join("");
}

/** Each letter is shifted out by the eighth after it. */
function next(mark: number, code: number): number {
  return (mark << 4) ^ code;
}

/** Letters of one alphabet differ in few bits; a multiplication spreads them. */
function slotOf(mark: number): number {
  return (Math.imul(mark, 0x9e3779b1) >>> 15) & (FILTER_SIZE - 1);
}

/** Null: of one that is hardly more than backslashes. */
function marksOf(value: string): ReadonlySet<number> | null {
  const forms = formsOf(value);
  return forms.some((form) => shownOf(form).length < MARK_CHARS) ? null : new Set(forms.map(markOf));
}

function markOf(form: string): number {
  const letters = shownOf(form);
  let mark = 0;
  for (let i = 0; i < MARK_CHARS; i++) mark = next(mark, letters.charCodeAt(i));
  return mark;
}

function shownOf(form: string): string {
  return form.replaceAll("\\", "");
}

/** As it is, in JSON, in addresses, and in base64. */
function formsOf(value: string): string[] {
  const escaped = encodeURIComponent(value.toWellFormed());
  const json = JSON.stringify(value).slice(1, -1);
  return [value, json, escaped, escaped.replaceAll(/%../g, (byte) => byte.toLowerCase()), ...base64Of(value)];
}

/** As it stands, and inside of something longer, wherever the groups of three bytes begin there; both alphabets. */
function base64Of(value: string): string[] {
  const bytes = new TextEncoder().encode(value);
  const shifted = [0, 1, 2].map((before) => {
    const text = btoa("\0".repeat(before) + String.fromCharCode(...bytes)).replace(/=+$/, "");
    // What shares a letter with the bytes around it may be any letter.
    const from = [0, 2, 3][before] ?? 0;
    const isWhole = (before + bytes.length) % 3 === 0;
    return text.slice(from, isWhole ? undefined : -1);
  });
  return shifted.flatMap((text) => [text, text.replaceAll("+", "-").replaceAll("/", "_")]);
}
