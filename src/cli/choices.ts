import { closest } from "../config/closest.ts";
import { EXIT } from "../shared/exit.ts";
import { printable } from "./printable.ts";
import { CommandError } from "./terminal.ts";

/** One of the choices, or several with commas between; anything else is an error that names them. */
export function oneOfThese(option: string, given: string | undefined, choices: readonly string[]): void {
  const stranger = given?.split(",").find((one) => !choices.includes(one));
  if (stranger === undefined) return;
  const near = closest(stranger, choices);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  const what = stranger === "" ? "nothing" : printable(stranger);
  throw new CommandError(
    EXIT.usage,
    `expected ${option} to be one of ${choices.join(", ")}, got ${what}${hint}`,
  );
}
