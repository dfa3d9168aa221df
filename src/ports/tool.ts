import type { TriggerEvent } from "../domain/event.ts";
import type { ToolEffect, ToolPicture, Turn } from "../domain/run.ts";
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
  /** Of one call, with all that is repeated of it; absent: as the agent has it. */
  readonly timeoutMs?: number;
  /** Of calls that failed on the way, where doing it twice is safe; absent: never. */
  readonly retry?: { readonly maxAttempts: number; readonly backoffMs: number };
  /**
   * Present: a person must approve each call. `call`: one who has not asked for it, unless the agent's file says so, and who
   * is shown the tool, its effect and the exact arguments. A function gives what is asked instead: also of whoever asked.
   */
  readonly asks?: "call" | ((input: unknown) => string);
  /** What may be answered to what is asked, the first when it is approved: that is all that the call gives, and it is not made. */
  readonly offers?: (input: unknown) => readonly string[];
  /** `approvedBy`: who let it, where somebody was asked. Throws ToolFault where it is known what became of the call. */
  call(
    input: unknown,
    signal: AbortSignal,
    approvedBy?: Sender,
    caller?: ToolCaller,
  ): Promise<string | ToolOutput>;
}

export interface ToolOutput {
  readonly text: string;
  readonly isError: boolean;
  /** Beside the text, which names them. */
  readonly pictures?: readonly ToolPicture[];
  /** Made for people, beside the text, which names them. */
  readonly files?: readonly (FoundFile | LeftFile)[];
}

/** A file as a tool gives it: name and type are its word for it. */
export interface FoundFile {
  readonly name: string;
  readonly mime: string | undefined;
  readonly data: Buffer;
}

/** One that was not taken. */
export interface LeftFile {
  readonly name: string;
  /** As in `UnsentFile`. */
  readonly why: string;
}

/** For whom a tool is called: told to it as data, never as words. */
export interface ToolCaller {
  readonly runId: string;
  readonly event: Pick<
    TriggerEvent,
    "platform" | "tenant" | "place" | "conversation" | "sender" | "isDirect"
  >;
  /** What was said in the conversation before. */
  readonly history: readonly Turn[];
  /** W3C Trace Context, for whoever goes on with the trace; absent: there is none. */
  readonly traceparent?: string;
}

/** What an agent has beside its own tools, which may change while it runs. */
export interface Toolbox {
  /** All that there is for this caller right now; waits for what is being started. Rejects with the signal's reason alone. */
  open(caller: ToolCaller, signal: AbortSignal): Promise<Equipment>;
}

export interface Equipment {
  readonly tools: readonly Tool[];
  /** For the model, beside the system prompt. */
  readonly notes: readonly string[];
  /** Why a tool of this name cannot be called now; null: there is none. */
  readonly whyMissing: (name: string) => string | null;
}
