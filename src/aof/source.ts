import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments } from "yaml";

/** Files of AOF as trees in which each value knows its line, and each mapping which of its keys nobody has asked for. */

export interface Place {
  readonly file: string;
  readonly line: number;
  /** `spec.model.temperature`; of a document as a whole, `kind`. */
  readonly key: string;
}

/** What became of a key. */
export interface Remark extends Place {
  readonly words: string;
}

export type Report = (place: Place, words: string) => void;

export type Value = string | number | boolean | null | readonly Entry[] | Mapping;

export interface Entry {
  readonly place: Place;
  readonly value: Value;
}

/** `systemPrompt`, `system-prompt` and `system_prompt` are one key: AOF's own files have both casings. */
export function snakeOf(key: string): string {
  return key
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .replaceAll("-", "_")
    .toLowerCase();
}

export class Mapping {
  readonly place: Place;
  readonly #entries: readonly (readonly [string, Entry])[];
  readonly #taken = new Set<Entry>();

  constructor(place: Place, entries: readonly (readonly [string, Entry])[]) {
    this.place = place;
    this.#entries = entries;
  }

  /** The first of these keys that is there. A key that is null is there as little as one that is not. */
  take(...names: readonly string[]): Entry | undefined {
    const found = names.flatMap((name) => this.#entries.filter(([key]) => snakeOf(key) === name));
    const entry = found.map(([, one]) => one).find((one) => !this.#taken.has(one));
    if (entry !== undefined) this.#taken.add(entry);
    return entry?.value === null ? undefined : entry;
  }

  /** As `take`, where a mapping is wanted; something else stays for the report. */
  mapping(...names: readonly string[]): Mapping | undefined {
    const name = names.find((one) => this.peek(one) instanceof Mapping);
    const value = name === undefined ? undefined : this.take(name)?.value;
    return value instanceof Mapping ? value : undefined;
  }

  peek(name: string): Value | undefined {
    return this.#entries.find(([key, one]) => snakeOf(key) === name && !this.#taken.has(one))?.[1].value;
  }

  /** All of it, as often as it is asked for: what several tools are given. */
  all(): readonly (readonly [string, Entry])[] {
    this.takeRest();
    return this.#entries;
  }

  /** All that nobody has taken, by its own names. */
  takeRest(): readonly (readonly [string, Entry])[] {
    const rest = this.#entries.filter(([, entry]) => !this.#taken.has(entry));
    for (const [, entry] of rest) this.#taken.add(entry);
    return rest;
  }
}

const NODES_MAX = 50_000;
const DEPTH_MAX = 64;

/** The documents of a file. What cannot be read as YAML is reported and gives null. Never throws. */
export function readDocuments(file: string, text: string, report: Report): readonly Mapping[] | null {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    resolveKnownTags: false,
    // Two values of one key are told below: they stand in some of AOF's own examples.
    uniqueKeys: false,
  });
  const all = Array.isArray(documents) ? documents : [];
  const lineAt = (offset: number) => Math.max(1, lines.linePos(offset).line);
  const wrong = all.flatMap(({ errors }) => errors)[0];
  if (wrong !== undefined) {
    const what = wrong.message.split("\n", 1)[0] ?? "";
    report({ file, line: lineAt(wrong.pos[0]), key: "yaml" }, `expected YAML, got something else (${what})`);
    return null;
  }
  let nodes = 0;
  let isTooMuch = false;

  return all.flatMap((document) => {
    const read = (node: unknown, key: string, line: number, depth: number): Entry => {
      nodes++;
      if (nodes > NODES_MAX || depth > DEPTH_MAX) {
        isTooMuch = true;
        return { place: { file, line, key }, value: null };
      }
      const inner = (one: unknown) => lineOf(one) ?? line;
      if (isAlias(node)) return read(node.resolve(document) ?? null, key, line, depth + 1);
      if (isScalar(node)) return { place: { file, line, key }, value: scalarOf(node.value, node.source) };
      if (isSeq(node)) {
        const items = node.items.map((item, i) => read(item, `${key}[${i}]`, inner(item), depth + 1));
        return { place: { file, line, key }, value: items };
      }
      if (!isMap(node)) return { place: { file, line, key }, value: null };
      // Of a document as a whole, what it is.
      const place = { file, line, key: key === "" ? "kind" : key };
      const seen = new Set<string>();
      const entries = node.items.flatMap(({ key: name, value }): (readonly [string, Entry])[] => {
        const own = isScalar(name) ? String(name.value) : "";
        const entry = read(value, keyIn(key, own), inner(name), depth + 1);
        if (!seen.has(own)) {
          seen.add(own);
          return [[own, entry]];
        }
        report(entry.place, "stands here a second time; left out");
        return [];
      });
      return { place, value: new Mapping(place, entries) };
    };
    const lineOf = (node: unknown): number | undefined => {
      const range = (node as { range?: readonly number[] | null } | null)?.range;
      return range?.[0] === undefined ? undefined : lineAt(range[0]);
    };
    if (document.contents === null) return [];
    const first = lineOf(document.contents) ?? 1;
    const { value } = read(document.contents, "", first, 0);
    if (isTooMuch) {
      report(
        { file, line: first, key: "yaml" },
        `expected at most ${NODES_MAX} values and ${DEPTH_MAX} levels`,
      );
      isTooMuch = false;
    }
    if (value instanceof Mapping) return [value];
    report({ file, line: first, key: "yaml" }, "is no mapping, and so no file of AOF; left out");
    return [];
  });
}

function keyIn(outer: string, own: string): string {
  const name = own === "" ? '""' : own;
  return outer === "" ? name : `${outer}.${name}`;
}

/** A whole number that a double cannot hold is a platform's id. */
function scalarOf(value: unknown, source: string | undefined): Value {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number")
    return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
      ? value
      : (source ?? String(value));
  return typeof value === "string" || typeof value === "boolean" ? value : null;
}
