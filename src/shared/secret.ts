import { inspect } from "node:util";
import { keepOut } from "../domain/redact.ts";

/**
 * A value that prints as `***` wherever it ends up: logs, JSON, errors, the debugger's console; and is taken out of what
 * others say, from the moment it is made.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
    keepOut(value);
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
