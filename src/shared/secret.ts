import { inspect } from "node:util";
import { keepOut } from "../domain/redact.ts";

/**
 * A value that prints as `***` wherever it ends up: logs, JSON, errors, the debugger's console; and is taken out of what
 * others say, from the moment it is made.
 */
export class Secret {
  readonly #value: string;

  /** @param isOthers It belongs to one of many whom the gateway serves (a workspace), and not to itself. */
  constructor(value: string, isOthers = false) {
    this.#value = value;
    keepOut(value, isOthers);
  }

  /** The only way to the value. Call it where it is used, and keep the result nowhere. */
  reveal(): string {
    return this.#value;
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
