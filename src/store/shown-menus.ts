import type { MenuChoice } from "../domain/menu.ts";
import { MENU_MS, type ShownMenu } from "../domain/shown-menu.ts";
import type { Clock } from "../ports/clock.ts";
import type { ShownMenus } from "../ports/shown-menus.ts";
import type { Vault } from "../ports/vault.ts";
import { get, getArray, getString, parseJsonObject } from "../shared/json.ts";
import { PLAIN } from "./secrets.ts";
import { entriesOf, namePart } from "./vault-entries.ts";

const PREFIX = `${PLAIN}menu/`;

/** One entry of the vault for each conversation in which a menu was the last that was said. */
export function createShownMenus(vault: Vault, clock: Pick<Clock, "nowMs">): ShownMenus {
  const isOver = (atMs: number) => clock.nowMs() - atMs >= MENU_MS;
  return {
    async find(conversation) {
      const value = await vault.get(nameOf(conversation));
      const found = value === null ? null : menuIn(value);
      return found === null || isOver(found.atMs) ? null : found;
    },
    async show(conversation, { eventId, text, choices }) {
      const menu: ShownMenu = { eventId, text, choices, atMs: clock.nowMs() };
      // With its conversation, by which it is found when somebody is erased.
      await vault.put(nameOf(conversation), JSON.stringify({ conversation, ...menu }));
    },
    async leave(conversation) {
      const name = nameOf(conversation);
      // Mostly there is none, and to look costs no commit.
      if ((await vault.get(name)) !== null) await vault.remove(name);
    },
    async forget() {
      let gone = 0;
      for await (const { name, value } of entriesOf(vault, PREFIX)) {
        // Of one that was shown anew meanwhile, the new one stays.
        if (isOver(menuIn(value)?.atMs ?? 0) && (await vault.remove(name, value))) gone++;
      }
      return gone;
    },
  };
}

function nameOf(conversation: string): string {
  return `${PREFIX}${namePart(conversation)}`;
}

function menuIn(value: string): ShownMenu | null {
  const parsed = parseJsonObject(value);
  if (!parsed.ok) return null;
  const [eventId, text] = ["eventId", "text"].map((key) => getString(parsed.value, key));
  const atMs = get(parsed.value, "atMs");
  if (eventId === undefined || text === undefined || typeof atMs !== "number") return null;
  const choices = (getArray(parsed.value, "choices") ?? []).flatMap((one): MenuChoice[] => {
    const [label, command] = ["label", "command"].map((key) => getString(one, key));
    return label === undefined ? [] : [{ label, ...(command !== undefined && { command }) }];
  });
  return { eventId, text, choices, atMs };
}
