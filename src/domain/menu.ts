import type { Button } from "./button.ts";
import { choiceButtons } from "./choices.ts";

/** One of what a menu offers. */
export interface MenuChoice {
  /** What a person reads. */
  readonly label: string;
  /** What it stands for: `/deploy api`. Absent: it says its label, as if that had been written. */
  readonly command?: string;
}

/** What a command, or an agent, offers to begin with. */
export interface Menu {
  /** Above the choices. */
  readonly text: string;
  readonly choices: readonly MenuChoice[];
}

/** A press gives back the command, or the label. */
export function menuButtons(choices: readonly MenuChoice[]): readonly Button[] {
  const said = choiceButtons(choices.map(({ label }) => label));
  return choices.map(({ label, command }, index) => ({ id: command ?? said[index]?.id ?? "", label }));
}
