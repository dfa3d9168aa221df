import type { Button } from "../domain/button.ts";
import { choiceButtons, declaredChoices, fitOnButtons } from "../domain/choices.ts";
import { type MenuChoice, menuButtons } from "../domain/menu.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { RunResult } from "../ports/agent.ts";
import { codeOf } from "./code.ts";
import { CHOOSE } from "./texts.ts";

export interface Offered {
  readonly markdown: string;
  readonly buttons?: readonly Button[];
}

/** What is said, and what can be pressed below it. */
export function offered(
  { text, outcome, buttons = [], menu }: Pick<RunResult, "text" | "outcome" | "buttons" | "menu">,
  adapter: Pick<Adapter, "buttons">,
  areHeard: boolean,
): Offered {
  if (outcome !== "answered") return { markdown: text };
  if (menu !== undefined) return offeredMenu(text, menu, adapter, areHeard);
  if (buttons.length === 0) return offering(text, adapter, areHeard);
  // All that they say is in the words as well.
  const fit =
    adapter.buttons &&
    fitOnButtons(
      buttons.map(({ label }) => label),
      adapter.buttons,
    );
  return { markdown: text, ...(fit === "whole" && { buttons }) };
}

/** Where they do not all stand on buttons, they are a list, which says what to write instead. */
function offeredMenu(
  text: string,
  choices: readonly MenuChoice[],
  { buttons: limits }: Pick<Adapter, "buttons">,
  areHeard: boolean,
): Offered {
  const labels = choices.map(({ label }) => label);
  const isWhole = areHeard && limits !== undefined && fitOnButtons(labels, limits) === "whole";
  if (isWhole) return { markdown: text, buttons: menuButtons(choices) };
  const list = choices.map(({ label, command }, index) => {
    const instead = command === undefined ? "" : `: write ${codeOf(`!${command.slice(1)}`)}`;
    return `${index + 1}. ${label}${instead}`;
  });
  return { markdown: `${text}\n\n${list.join("\n")}` };
}

/**
 * What is said of an answer that may end with choices: they stand on buttons, and in words where there are none (for so many,
 * or because a press comes to nothing) or where a button does not hold all of one.
 */
export function offering(
  answer: string,
  { buttons: limits }: Pick<Adapter, "buttons">,
  areHeard: boolean,
): Offered {
  const { text, choices } = declaredChoices(answer);
  if (choices.length === 0) return { markdown: answer };
  const fit = limits === undefined || !areHeard ? "none" : fitOnButtons(choices, limits);
  const said = text === "" ? CHOOSE : text;
  // By number, too: whoever answers in words may say just that.
  const inWords = `${said}\n\n${choices.map((choice, index) => `${index + 1}. ${choice}`).join("\n")}`;
  if (fit === "none") return { markdown: inWords };
  return { markdown: fit === "cut" ? inWords : said, buttons: choiceButtons(choices) };
}
