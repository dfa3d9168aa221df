import type { Sender } from "../domain/signal.ts";

/** Something a model may ask for. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /** Decides who must approve. */
  readonly effect: "read" | "write" | "delete";
  /** Safe to call again when it is unknown whether an earlier call ran. */
  readonly repeatable: boolean;
  readonly inputSchema: object;
  /** Present: a person must approve each call; gives what that person is asked. */
  readonly asks?: (input: unknown) => string;
  /** `approvedBy`: who let it, where somebody was asked. */
  call(input: unknown, signal: AbortSignal, approvedBy?: Sender): Promise<string>;
}
