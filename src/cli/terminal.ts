import type { Command } from "commander";
import type { Env } from "../config/env-reader.ts";

/** What a command sees of the outside. Data goes to `out`, talk to `talk`. */
export interface Terminal {
  readonly out: (text: string) => void;
  readonly talk: (text: string) => void;
  readonly env: Env;
  readonly cwd: string;
  /** Asks the person yes or no. Absent: nobody is there to be asked. */
  readonly confirm?: (question: string) => Promise<boolean>;
  /** Takes Ctrl-C over from its default, an end at once. The second one ends at once all the same. */
  readonly interrupted?: () => AbortSignal;
}

/** Takes the exit code of a command that ended without an error. */
export type Settle = (code: number) => void;
export type AddCommand = (program: Command, terminal: Terminal, settle: Settle) => void;

/** Ends a command with an exit code and a line for the person. */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.name = "CommandError";
    this.exitCode = exitCode;
  }
}
