import { fill, h, refill } from "./dom.ts";
import { button, loading, trouble } from "./parts.ts";
import { type Context, keepShown } from "./view.ts";

export interface Listing<T> {
  readonly list: HTMLElement;
  /** The newest, or those before what the page after them has given as `next`. */
  readonly page: (
    next: string | undefined,
  ) => Promise<{ readonly items: readonly T[]; readonly next: string | null }>;
  readonly idOf: (item: T) => string;
  /** Something that came or changed is shown as new when this is another. */
  readonly markOf: (item: T) => string;
  readonly row: (item: T, isNew: boolean) => HTMLElement;
  readonly none: () => HTMLElement;
  /** Which stream says that it is another list by now. */
  readonly stream?: string;
}

/** A list that shows what happens, and older pages when somebody asks for them. */
export class Listed<T> {
  readonly below = h("div", { class: "below" }, loading());
  readonly #context: Context;
  readonly #of: Listing<T>;
  readonly #now: () => void;
  /** Marks of what is shown, by id. */
  #known: ReadonlyMap<string, string> = new Map();
  #newest: readonly T[] = [];
  #older: readonly T[] = [];
  #next: string | null = null;
  #isPaused = false;

  constructor(context: Context, of: Listing<T>) {
    this.#context = context;
    this.#of = of;
    this.#now = keepShown(context, () => this.#look(), of.stream);
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** It stays as it is, whatever happens. */
  pause(is: boolean): void {
    this.#isPaused = is;
    if (!is) this.#now();
  }

  now(): void {
    this.#now();
  }

  /** Something else was asked for. */
  again(): void {
    this.#older = [];
    this.#known = new Map();
    this.#now();
  }

  async #look(): Promise<void> {
    if (this.#isPaused) return;
    try {
      const { items, next } = await this.#of.page(undefined);
      if (this.#older.length === 0) this.#next = next;
      this.#newest = items;
      this.#show();
    } catch (error) {
      this.#complain(error);
    }
  }

  async #more(): Promise<void> {
    try {
      const { items, next } = await this.#of.page(this.#next ?? undefined);
      // What is the newest page now is not by the time of the next look.
      this.#older = [...this.#all(), ...items];
      this.#next = next;
      this.#show();
    } catch (error) {
      this.#complain(error);
    }
  }

  #all(): readonly T[] {
    const { idOf } = this.#of;
    const ids = new Set(this.#newest.map(idOf));
    return [...this.#newest, ...this.#older.filter((item) => !ids.has(idOf(item)))];
  }

  #show(): void {
    const { list, idOf, markOf, row, none } = this.#of;
    const all = this.#all();
    const before = this.#known;
    const rows = all.map((item) => row(item, before.size > 0 && before.get(idOf(item)) !== markOf(item)));
    // Of no more than these: a tab may stay open for weeks.
    this.#known = new Map(all.map((item) => [idOf(item), markOf(item)]));
    refill(list, ...rows);
    const more = this.#next === null ? null : button("Older ones", () => void this.#more());
    refill(this.below, all.length === 0 ? none() : more);
  }

  #complain(error: unknown): void {
    if (!this.#context.signal.aborted) fill(this.below, trouble(error));
  }
}
