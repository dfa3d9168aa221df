import type { TriggerEvent } from "../domain/event.ts";
import type { Menu } from "../domain/menu.ts";
import { commandName, type Route, reaches } from "../domain/route.ts";
import { type HelpLine, helpText } from "../reply/help-text.ts";
import type { OwnWords } from "./own-words.ts";
import type { Selection } from "./selection.ts";

/** A command as the configuration describes it. */
export interface CommandGuide {
  /** `/deploy` */
  readonly command: string;
  readonly aliases: readonly string[];
  readonly description?: string;
  readonly usage?: string;
  readonly menu?: Menu;
}

export interface GuideRules {
  readonly commands: readonly CommandGuide[];
  /** Of agents, by name. */
  readonly menus: ReadonlyMap<string, Menu>;
  readonly routes: readonly Route[];
}

/** What people are told of commands, and the menus that they are shown. */
export class Guide {
  readonly #rules: GuideRules;

  constructor(rules: GuideRules) {
    this.#rules = rules;
  }

  /** Whether any of them is ever shown. */
  get hasMenus(): boolean {
    return this.#rules.menus.size > 0 || this.#rules.commands.some(({ menu }) => menu !== undefined);
  }

  /** `/help`, of what this person may use there; below it, the menu of the agent that would answer. */
  async help(event: TriggerEvent, selection: Pick<Selection, "now" | "choosable">): Promise<OwnWords> {
    const { agent } = await selection.now(event);
    const hasAgents = selection.choosable(event).some((name) => name !== agent);
    const text = helpText({ commands: this.#linesFor(event), hasAgents });
    const menu = agent === null ? undefined : this.#rules.menus.get(agent);
    return menu === undefined ? { text } : { text: `${text}\n\n${menu.text}`, menu: menu.choices };
  }

  /** What answers this by itself: a command with nothing behind it, or a message without any words to an agent. */
  menuFor({ command, trigger, text, attachments, context = [] }: TriggerEvent, agent: string): Menu | null {
    const isBare = text.trim() === "" && attachments.length === 0 && context.length === 0;
    if (!isBare) return null;
    if (command === null) return trigger === "button" ? null : (this.#rules.menus.get(agent) ?? null);
    const name = commandName(command);
    return this.#rules.commands.find((one) => commandName(one.command) === name)?.menu ?? null;
  }

  #linesFor(event: TriggerEvent): readonly HelpLine[] {
    const { commands, routes } = this.#rules;
    const open = routes.filter((route) => reaches(route, event));
    const described = commands.flatMap(({ command, aliases, usage, description, menu }): HelpLine[] => {
      const route = open.find(({ match }) => takes(match.commands, commandName(command)));
      const answers = route ?? open.find(({ match }) => match.commands === undefined);
      if (answers === undefined && menu === undefined) return [];
      const said = { ...(usage !== undefined && { usage }), ...(aliases.length > 0 && { aliases }) };
      return [{ command, ...said, what: description ?? null, agent: route?.agent ?? null }];
    });
    const known = new Set(described.map(({ command }) => commandName(command)));
    const hidden = new Set(commands.map(({ command }) => commandName(command)));
    // Those of routes alone; a button of an app is none.
    const routed = open.flatMap(({ match, agent }) =>
      [...(match.commands ?? [])].flatMap((name): HelpLine[] => {
        if (known.has(name) || hidden.has(name) || !NAME.test(name)) return [];
        known.add(name);
        return [{ command: `/${name}`, what: null, agent }];
      }),
    );
    return [...described, ...routed];
  }
}

const NAME = /^[a-z0-9_-]{1,32}(?: [a-z0-9_-]{1,32}){0,2}$/;

/** A route for one of its sub-commands is one for it. */
function takes(commands: ReadonlySet<string> | undefined, name: string): boolean {
  return commands !== undefined && [...commands].some((one) => one === name || one.startsWith(`${name} `));
}
