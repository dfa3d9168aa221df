import type { GatewaySpec } from "../config/schema.ts";
import { Guide } from "../dispatch/guide.ts";
import type { Menu } from "../domain/menu.ts";
import type { Route } from "../domain/route.ts";

/** The operator's words to what people are told of commands. */
export function guideOf(
  { commands }: Pick<GatewaySpec, "commands">,
  routes: readonly Route[],
  menus: ReadonlyMap<string, Menu> = new Map(),
): Guide {
  const described = commands.map(({ command, aliases, description, usage_hint, menu }) => ({
    ...{ command, aliases },
    ...(description !== undefined && { description }),
    ...(usage_hint !== undefined && { usage: usage_hint }),
    ...(menu !== undefined && { menu: menuOf(menu) }),
  }));
  return new Guide({ commands: described, menus, routes });
}

type Written = NonNullable<GatewaySpec["commands"][number]["menu"]>;

export function menuOf({ text, choices }: Written): Menu {
  const offered = choices.map(({ label, command }) => ({ label, ...(command !== undefined && { command }) }));
  return { text, choices: offered };
}
