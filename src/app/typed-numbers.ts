import type { AdmissionPolicy } from "../admit/policy.ts";
import type { TriggerEvent } from "../domain/event.ts";
import { NO_COMMANDS } from "../domain/named-command.ts";
import { commandName, isRoutedCommand } from "../domain/route.ts";
import { chosenByNumber, numberIn } from "../domain/shown-menu.ts";
import type { Clock } from "../ports/clock.ts";
import type { ShownMenus } from "../ports/shown-menus.ts";
import { within } from "./within.ts";

/** A platform waits for its acknowledgement: with a store that is slow, a number is a number. */
const PATIENCE_MS = 250;

export interface TypedNumbersDeps {
  readonly policy: () => AdmissionPolicy;
  readonly menus: Pick<ShownMenus, "find">;
  readonly clock: Clock;
}

/**
 * A message that is a number, as the choice of the menu that was shown last where it is said; null: it is none, or nothing
 * that we would answer. Looked for before the message is taken, because it may be a command, which overtakes.
 */
export function typedNumbers({ policy, menus, clock }: TypedNumbersDeps) {
  return (event: TriggerEvent): Promise<TriggerEvent> | null => {
    if (numberIn(event) === null) return null;
    const { commands = NO_COMMANDS, platforms, routes } = policy();
    // Behind a command of its own a number is what that is given.
    if (
      event.command !== null &&
      (commands.names.has(commandName(event.command)) || isRoutedCommand(event, routes))
    )
      return null;
    if (event.trigger === "ambient" && platforms[event.platform].respondTo === "mention") return null;
    return within(menus.find(event.conversation), PATIENCE_MS, clock).then(
      (menu) => chosenByNumber(event, menu, commands),
      () => event,
    );
  };
}
