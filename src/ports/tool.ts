import type { ToolEffect } from "../domain/run.ts";
import type { Sender } from "../domain/signal.ts";

/** Something a model may ask for. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  /** Decides who must approve. */
  readonly effect: ToolEffect;
  /** Safe to call again when it is unknown whether an earlier call ran. */
  readonly repeatable: boolean;
  readonly inputSchema: object;
  /**
   * Present: a person must approve each call. `call`: one who has not asked for it, unless the agent's file says so, and who
   * is shown the tool, its effect and the exact arguments. A function gives what is asked instead: also of whoever asked.
   */
  readonly asks?: "call" | ((input: unknown) => string);
  /** `approvedBy`: who let it, where somebody was asked. */
  call(input: unknown, signal: AbortSignal, approvedBy?: Sender): Promise<string>;
}
