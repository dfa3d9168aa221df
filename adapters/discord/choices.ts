import { LRUCache } from "lru-cache";
import type { TriggerEvent } from "../../src/domain/event.ts";
import { commandName } from "../../src/domain/route.ts";
import { get, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import { INTEGER, NUMBER, optionsIn, STRING } from "./options.ts";

/** What is offered for one option of a command. */
export interface OfferedChoices {
  readonly command: string;
  readonly option: string;
  readonly values: readonly OfferedValue[];
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

interface Choice {
  readonly name: string;
  readonly value: string | number;
}
interface Used {
  readonly key: string;
  readonly value: string | number;
}

/**
 * Answers autocompletions from memory alone, for Discord waits three seconds: what the person has chosen before, of
 * commands that were accepted here, and what the configuration offers.
 */
export class Choices {
  readonly #recentMax: number;
  readonly #offered: ReadonlyMap<string, readonly Choice[]>;
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
  }

  /** At most 25, those first that begin with what was typed. */
  answer(interaction: JsonObject): readonly Choice[] {
    const data = getObject(interaction, "data");
    const { path, options } = optionsIn(getString(data, "name") ?? "", data ?? {});
    const focused = options.find((option) => get(option, "focused") === true);
    const name = getString(focused, "name");
    const type = get(focused, "type");
    if (name === undefined || !isCompleted(type)) return [];
    const option = `${commandName(path)} ${name}`;
    const recent = this.#recent.get(keyOf(personOf(interaction), option)) ?? [];
    const offered = this.#offered.get(option) ?? [];
    const named = new Map(offered.map((choice) => [choice.value, choice]));
    const known = [...recent.map((value) => named.get(value) ?? toChoice(value)), ...offered].filter(
      (choice) => fits(choice, type),
    );
    return matching(
      [...new Map(known.map((choice) => [choice.value, choice])).values()],
      get(focused, "value"),
    );
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
      return [{ key: keyOf(event.sender.id, `${commandName(path)} ${name}`), value }];
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

function isCompleted(type: unknown): boolean {
  return type === STRING || type === INTEGER || type === NUMBER;
}

/** Discord refuses all choices when one is of another type than the option. */
function fits({ value }: Choice, type: unknown): boolean {
  if (type === STRING) return typeof value === "string";
  return typeof value === "number" && (type === NUMBER || Number.isSafeInteger(value));
}

function matching(choices: readonly Choice[], typed: unknown): readonly Choice[] {
  const wanted = typeof typed === "string" || typeof typed === "number" ? fold(String(typed)) : "";
  const ranked = choices.map((choice) => ({ choice, at: fold(choice.name).indexOf(wanted) }));
  const begun = ranked.filter(({ at }) => at === 0);
  return [...begun, ...ranked.filter(({ at }) => at > 0)].slice(0, CHOICES_MAX).map(({ choice }) => choice);
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

/** Ids and names of options hold no spaces. */
function keyOf(person: string, option: string): string {
  return `${person} ${option}`;
}
