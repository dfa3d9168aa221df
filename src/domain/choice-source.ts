/** A tool of an agent that only reads, and gives what is offered while somebody types. */
export interface ChoiceSource {
  readonly agent: string;
  /** As the agent calls it: `deploys__services`. */
  readonly tool: string;
  /** `{typed}` in a text stands for what was typed so far. */
  readonly arguments: Readonly<Record<string, string | number | boolean>>;
}

export interface FoundChoice {
  readonly name: string;
  readonly value: string | number;
}

export const TYPED = "{typed}";

/** The tool looks by itself for what was typed. */
export function looksItself({ arguments: given }: ChoiceSource): boolean {
  return Object.values(given).some((value) => typeof value === "string" && value.includes(TYPED));
}
