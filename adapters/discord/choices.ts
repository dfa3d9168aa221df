import { LRUCache } from "lru-cache";
import {
  type FoundChoice as Choice,
  type ChoiceSource,
  looksItself,
} from "../../src/domain/choice-source.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import { commandName } from "../../src/domain/route.ts";
import { get, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import { INTEGER, NUMBER, optionsIn, STRING } from "./options.ts";

/** What is offered for one option of a command. */
export interface OfferedChoices {
  readonly command: string;
  readonly option: string;
  readonly values: readonly OfferedValue[];
  /** What a tool gives is offered before them. */
  readonly from?: ChoiceSource | undefined;
}
export type OfferedValue = string | number | { readonly name: string; readonly value: string | number };

export interface ChoicesOptions {
  /** Of a person's own latest values for the same option. */
  readonly recent: number;
  readonly choices: readonly OfferedChoices[];
}

export const NO_CHOICES: ChoicesOptions = { recent: 0, choices: [] };

/** Discord's own limits. */
const CHOICES_MAX = 25;
const CHARS_MAX = 100;
/** Options of people whose latest values are remembered. */
const REMEMBERED_MAX = 5_000;

interface Used {
  readonly key: string;
  readonly value: string | number;
}

/**
 * Answers autocompletions from memory, for Discord waits three seconds: what the person has chosen before, of commands that
 * were accepted here, and what the configuration offers; with what a tool gave, where one is named and was quick enough.
 */
export class Choices {
  readonly #recentMax: number;
  readonly #offered: ReadonlyMap<string, readonly Choice[]>;
  readonly #sources: ReadonlyMap<string, ChoiceSource>;
  readonly #recent = new LRUCache<string, readonly (string | number)[]>({ max: REMEMBERED_MAX });
  /** Of events that are not accepted yet. */
  readonly #used = new WeakMap<TriggerEvent, readonly Used[]>();

  constructor({ recent, choices }: ChoicesOptions) {
    this.#recentMax = Math.min(recent, CHOICES_MAX);
    this.#offered = new Map(
      choices.map(({ command, option, values }) => [
        `${commandName(command)} ${option}`,
        values.map(toChoice),
      ]),
    );
    this.#sources = new Map(
      choices.flatMap(({ command, option, from }) =>
        from === undefined ? [] : [[`${commandName(command)} ${option}`, from] as const],
      ),
    );
  }

  /** Whom to ask for what is being typed; null: nobody. */
  asked(interaction: JsonObject): { readonly source: ChoiceSource; readonly typed: string } | null {
    const focus = focusIn(interaction);
    const source = focus && this.#sources.get(focus.option);
    return source ? { source, typed: typedIn(focus.value).slice(0, CHARS_MAX).toWellFormed() } : null;
  }

  /** At most 25, those first that begin with what was typed. `found` is what was looked up for that. */
  answer(interaction: JsonObject, found: readonly Choice[] = []): readonly Choice[] {
    const focus = focusIn(interaction);
    if (focus === null) return [];
    const { option, type, value: typed } = focus;
    const recent = this.#recent.get(keyOf(whereIn(interaction), personOf(interaction), option)) ?? [];
    const offered = this.#offered.get(option) ?? [];
    const source = this.#sources.get(option);
    const looked = found.flatMap((choice) => asType(choice, type));
    // As the tool calls it, where it and the configuration name the same value.
    const named = new Map([...offered, ...looked].map((choice) => [choice.value, choice]));
    const known = [...recent.map(toChoice), ...looked, ...offered].map(
      (choice) => named.get(choice.value) ?? choice,
    );
    // What its own search has found, it has found for a reason that the name need not show.
    const isFound = new Set(
      source !== undefined && looksItself(source) ? looked.map(({ value }) => value) : [],
    );
    const fitting = known.filter((choice) => fits(choice, type));
    const once = new Map(fitting.map((choice) => [choice.value, choice]));
    return matching([...once.values()], typed, isFound);
  }

  /** What this event was asked with, to be remembered once it is accepted. */
  note(event: TriggerEvent, interaction: JsonObject): void {
    const data = getObject(interaction, "data");
    if (this.#recentMax === 0 || data === undefined) return;
    const { path, options } = optionsIn(getString(data, "name") ?? "", data);
    const used = options.flatMap((option) => {
      const value = get(option, "value");
      const name = getString(option, "name");
      if (name === undefined || !isCompleted(get(option, "type"))) return [];
      if ((typeof value !== "string" && typeof value !== "number") || !isShort(String(value))) return [];
      return [{ key: keyOf(whereIn(interaction), event.sender.id, `${commandName(path)} ${name}`), value }];
    });
    if (used.length > 0) this.#used.set(event, used);
  }

  accepted(event: TriggerEvent): void {
    for (const { key, value } of this.#used.get(event) ?? []) {
      const before = (this.#recent.get(key) ?? []).filter((one) => one !== value);
      this.#recent.set(key, [value, ...before].slice(0, this.#recentMax));
    }
  }
}

interface Focus {
  /** With its command: `deploy run service`. */
  readonly option: string;
  readonly type: unknown;
  readonly value: unknown;
}

/** What is being filled in; null: nothing that is completed. */
function focusIn(interaction: JsonObject): Focus | null {
  const data = getObject(interaction, "data");
  const { path, options } = optionsIn(getString(data, "name") ?? "", data ?? {});
  const focused = options.find((option) => get(option, "focused") === true);
  const name = getString(focused, "name");
  const type = get(focused, "type");
  if (name === undefined || !isCompleted(type)) return null;
  return { option: `${commandName(path)} ${name}`, type, value: get(focused, "value") };
}

/** Tools write numbers as text, and ids of a text as numbers. */
function asType({ name, value }: Choice, type: unknown): Choice[] {
  const typed = type === STRING ? String(value) : Number(value);
  return isShort(String(value)) ? [toChoice({ name, value: typed })] : [];
}

function isCompleted(type: unknown): boolean {
  return type === STRING || type === INTEGER || type === NUMBER;
}

/** Discord refuses all choices when one is of another type than the option. */
function fits({ value }: Choice, type: unknown): boolean {
  if (type === STRING) return typeof value === "string";
  return typeof value === "number" && (type === NUMBER || Number.isSafeInteger(value));
}

function matching(
  choices: readonly Choice[],
  typed: unknown,
  isFound: ReadonlySet<Choice["value"]>,
): readonly Choice[] {
  const wanted = fold(typedIn(typed));
  const ranked = choices.map((choice) => ({ choice, at: fold(choice.name).indexOf(wanted) }));
  const begun = ranked.filter(({ at }) => at === 0);
  const others = ranked.filter(({ choice, at }) => at > 0 || (at < 0 && isFound.has(choice.value)));
  return [...begun, ...others].slice(0, CHOICES_MAX).map(({ choice }) => choice);
}

function typedIn(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "";
}

function fold(text: string): string {
  return text.trim().toLowerCase();
}

function toChoice(offered: OfferedValue): Choice {
  const { name, value } = typeof offered === "object" ? offered : { name: String(offered), value: offered };
  return { name: name.slice(0, CHARS_MAX).toWellFormed(), value };
}

function isShort(text: string): boolean {
  return text !== "" && text.trim() !== "" && text.length <= CHARS_MAX && text.isWellFormed();
}

function personOf(interaction: JsonObject): string {
  const user = getObject(getObject(interaction, "member"), "user") ?? getObject(interaction, "user");
  return getString(user, "id") ?? "";
}

/** What somebody has chosen in one server is nothing that is offered in another. */
function whereIn(interaction: JsonObject): string {
  return getString(interaction, "guild_id") ?? "dm";
}

/** Ids and names of options hold no spaces. */
function keyOf(where: string, person: string, option: string): string {
  return `${where} ${person} ${option}`;
}
