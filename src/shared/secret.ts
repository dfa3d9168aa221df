import { inspect } from "node:util";
import { keepOut } from "../domain/redact.ts";

/**
 * A value that prints as `***` wherever it ends up: logs, JSON, errors, the debugger's console; and is taken out of what
 * others say, from the moment it is made. During a rotation it is two values: the first is shown to others, either opens.
 */
export class Secret {
  #values: readonly string[];

  /** @param isOthers It belongs to one of many whom the gateway serves (a workspace), and not to itself. */
  constructor(value: string | readonly string[], isOthers = false) {
    this.#values = [value].flat();
    for (const one of this.#values) keepOut(one, isOthers);
  }

  /** The only way to the value that we show. Call it where it is used, and keep the result nowhere. */
  reveal(): string {
    return this.#values[0] ?? "";
  }

  /** All that open what it guards. */
  live(): readonly string[] {
    return this.#values;
  }

  /** Whoever holds it has the values of the other from now on; those that it had stay out of what is said. */
  renew(other: Secret): void {
    this.#values = other.#values;
  }

  toString(): string {
    return "***";
  }

  toJSON(): string {
    return "***";
  }

  [inspect.custom](): string {
    return "***";
  }
}
