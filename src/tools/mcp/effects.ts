import type { Tool } from "../../ports/tool.ts";
import { fits } from "../../shared/glob.ts";
import type { Listed } from "./server.ts";

type Effect = Tool["effect"];
/** From what does least. */
const ORDER: readonly Effect[] = ["read", "write", "delete"];

export interface Judged {
  readonly effect: Effect;
  readonly repeatable: boolean;
}

/**
 * What the tools of one server do: as the configuration has it, else as the server says, else they write. A server that
 * changes its mind may make a tool stricter, never looser, until the configuration is read again.
 */
export class Effects {
  readonly #configured: readonly (readonly [pattern: string, effect: Effect])[];
  readonly #known = new Map<string, Judged>();

  constructor(configured: Readonly<Record<string, Effect>>) {
    this.#configured = Object.entries(configured);
  }

  of({ name, annotations = {} }: Pick<Listed, "name" | "annotations">): Judged {
    const before = this.#known.get(name);
    const said = annotations.readOnlyHint
      ? "read"
      : annotations.destructiveHint === true
        ? "delete"
        : "write";
    const effect = strictest([this.#configuredFor(name) ?? said, before?.effect ?? "read"]);
    const isSafe = effect === "read" || annotations.idempotentHint === true;
    const judged = { effect, repeatable: isSafe && before?.repeatable !== false };
    if (before !== undefined || this.#known.size < KNOWN_MAX) this.#known.set(name, judged);
    return judged;
  }

  #configuredFor(name: string): Effect | null {
    const found = this.#configured.filter(([pattern]) => fits(name, pattern)).map(([, effect]) => effect);
    return found.length === 0 ? null : strictest(found);
  }
}

/** Names that a server has ever had; those beyond are judged by what it says of them now. */
const KNOWN_MAX = 10_000;

function strictest(effects: readonly Effect[]): Effect {
  return effects.reduce((one, other) => (ORDER.indexOf(other) > ORDER.indexOf(one) ? other : one));
}
