import { LRUCache } from "lru-cache";
import { NOTE_CHARS_MAX } from "../../src/domain/bounds.ts";
import { type Mention, mentionKey } from "../../src/domain/mention.ts";
import { cleanLabel } from "../../src/domain/text.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { NamesRead } from "../../src/ports/names.ts";
import type { Kept } from "../../src/ports/platform.ts";
import { aborted } from "./signals.ts";

/** What the platform says when it is asked for a name. */
export type LookedUp =
  /** By `mentionKey`; of others, too, where it tells all at once. */
  | { readonly kind: "told"; readonly names: ReadonlyMap<string, string> }
  /** There is no such, or it is not for us to know. */
  | { readonly kind: "nobody" }
  /** Nothing of that kind can be asked there for so long. */
  | { readonly kind: "rest"; readonly forMs: number };

export interface DirectoryOptions {
  /** Begins the names of what is kept. */
  readonly platform: string;
  /** Ends by its own time. Never rejects. */
  readonly lookUp: (tenant: string, wanted: Mention) => Promise<LookedUp>;
  readonly clock: Pick<Clock, "nowMs">;
  /** Absent: names are remembered in this process alone. */
  readonly kept: Pick<Kept, "holds" | "notes"> | undefined;
}

/** A name changes seldom, and an old one does little harm. */
const FRESH_MS = 12 * 3_600_000;
/** Whom the platform does not know is asked for again after this. */
const NOBODY_MS = 10 * 60_000;
const REMEMBERED_MAX = 20_000;
const RESTS_MAX = 2_000;
/** What a platform is asked at once, for all runs of this process. */
const ASKED_MAX = 20;
/** Of one tenant; each is a note. */
const SHELVES = 16;
const HOLD_MS = 5_000;

interface Entry {
  readonly name: string | null;
  readonly atMs: number;
}

/**
 * Names by tenant and id: in memory, then in the store, then at the platform. Bounded in both: in memory the least used go, in
 * a note of the store the oldest.
 */
export class Directory {
  readonly #options: DirectoryOptions;
  readonly #known = new LRUCache<string, Entry>({ max: REMEMBERED_MAX });
  readonly #rests = new LRUCache<string, number>({ max: RESTS_MAX });
  readonly #asking = new Map<string, Promise<void>>();

  constructor(options: DirectoryOptions) {
    this.#options = options;
  }

  /** As `NameReader.read`. */
  async read(tenant: string, wanted: readonly Mention[], signal: AbortSignal): Promise<NamesRead> {
    const found = { memory: 0, store: 0, platform: 0, nowhere: 0 };
    const names = new Map<string, string>();
    const take = (left: readonly Mention[], source: "memory" | "store" | "platform") =>
      left.filter((one) => {
        const entry = this.#entryOf(tenant, one);
        if (entry === undefined) return true;
        if (entry.name === null) found.nowhere++;
        else {
          names.set(mentionKey(one), entry.name);
          found[source]++;
        }
        return false;
      });
    let left = take([...new Map(wanted.map((one) => [mentionKey(one), one])).values()], "memory");
    const late = aborted(signal);
    if (left.length > 0 && this.#options.kept !== undefined) {
      await Promise.race([this.#fetch(tenant, left), late]);
      left = take(left, "store");
    }
    if (left.length > 0) {
      await Promise.race([Promise.all(left.map((one) => this.#ask(tenant, one))), late]);
      left = take(left, "platform");
    }
    return { names, found: { ...found, nowhere: found.nowhere + left.length } };
  }

  /** As `NameReader.forget`. */
  forget(): void {
    this.#known.clear();
  }

  #entryOf(tenant: string, wanted: Mention): Entry | undefined {
    const entry = this.#known.get(keyOf(tenant, mentionKey(wanted)));
    if (entry === undefined) return undefined;
    const ageMs = this.#options.clock.nowMs() - entry.atMs;
    return ageMs < (entry.name === null ? NOBODY_MS : FRESH_MS) ? entry : undefined;
  }

  /** From the store; what is not there, or cannot be read now, is asked for elsewhere. */
  async #fetch(tenant: string, wanted: readonly Mention[]): Promise<void> {
    const shelves = [...new Set(wanted.map((one) => shelfOf(mentionKey(one))))];
    await Promise.all(
      shelves.map(async (shelf) => {
        const entries = await this.#shelf(tenant, shelf).catch(() => []);
        for (const [key, name, atMs] of entries) this.#remember(tenant, key, { name, atMs });
      }),
    );
  }

  async #shelf(tenant: string, shelf: number): Promise<readonly ShelfEntry[]> {
    const { kept, platform } = this.#options;
    return readShelf((await kept?.notes.get(shelfName(platform, tenant, shelf))) ?? "[]");
  }

  /** One at a time for each, and for nobody when too many are asked for. */
  #ask(tenant: string, wanted: Mention): Promise<void> {
    const key = keyOf(tenant, mentionKey(wanted));
    const before = this.#asking.get(key);
    if (before !== undefined) return before;
    const rest = keyOf(tenant, wanted.kind);
    const isResting = (this.#rests.get(rest) ?? 0) > this.#options.clock.nowMs();
    if (isResting || this.#asking.size >= ASKED_MAX) return Promise.resolve();
    const asking = this.#lookUp(tenant, wanted, rest).finally(() => this.#asking.delete(key));
    this.#asking.set(key, asking);
    return asking;
  }

  async #lookUp(tenant: string, wanted: Mention, rest: string): Promise<void> {
    const told = await this.#options.lookUp(tenant, wanted);
    const atMs = this.#options.clock.nowMs();
    if (told.kind === "rest") {
      this.#rests.set(rest, atMs + told.forMs);
      return;
    }
    const names = told.kind === "told" ? told.names : new Map<string, string>();
    const clean = [...names].map(([key, name]): ShelfEntry => [key, cleanLabel(name), atMs]);
    for (const [key, name] of clean) this.#remember(tenant, key, { name, atMs });
    if (!names.has(mentionKey(wanted))) this.#remember(tenant, mentionKey(wanted), { name: null, atMs });
    // Beside the run: the next process that needs them finds them.
    for (const shelf of new Set(clean.map(([key]) => shelfOf(key))))
      void this.#keep(
        tenant,
        shelf,
        clean.filter(([key]) => shelfOf(key) === shelf),
      ).catch(() => {});
  }

  /** An older name never takes the place of a newer one. */
  #remember(tenant: string, key: string, entry: Entry): void {
    const before = this.#known.get(keyOf(tenant, key));
    if (before === undefined || before.atMs <= entry.atMs) this.#known.set(keyOf(tenant, key), entry);
  }

  /** What another process keeps at the same time is asked for again one day. */
  async #keep(tenant: string, shelf: number, fresh: readonly ShelfEntry[]): Promise<void> {
    const { kept, platform } = this.#options;
    if (kept === undefined) return;
    const name = shelfName(platform, tenant, shelf);
    const held = await kept.holds.hold(name, HOLD_MS);
    if (held === null) return;
    try {
      const isFresh = new Set(fresh.map(([key]) => key));
      const others = (await this.#shelf(tenant, shelf)).filter(([key]) => !isFresh.has(key));
      await kept.notes.put(name, writeShelf([...fresh, ...others]), held);
    } finally {
      await kept.holds.release(held).catch(() => {});
    }
  }
}

type ShelfEntry = readonly [key: string, name: string, atMs: number];

function keyOf(tenant: string, rest: string): string {
  return `${tenant}\n${rest}`;
}

function shelfName(platform: string, tenant: string, shelf: number): string {
  return `names:${platform}:${tenant}:${shelf}`;
}

function shelfOf(key: string): number {
  let sum = 0;
  for (let i = 0; i < key.length; i++) sum = (sum * 31 + key.charCodeAt(i)) >>> 0;
  return sum % SHELVES;
}

function readShelf(text: string): readonly ShelfEntry[] {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter(isEntry) : [];
  } catch {
    return [];
  }
}

function isEntry(value: unknown): value is ShelfEntry {
  if (!Array.isArray(value)) return false;
  const [key, name, atMs] = value as unknown[];
  return typeof key === "string" && typeof name === "string" && typeof atMs === "number";
}

/** The newest that fit. */
function writeShelf(entries: readonly ShelfEntry[]): string {
  let length = 2;
  const fitting = entries
    .toSorted(([, , a], [, , b]) => b - a)
    .filter((entry) => {
      length += JSON.stringify(entry).length + 1;
      return length <= NOTE_CHARS_MAX;
    });
  return JSON.stringify(fitting);
}
