import type { ToolCall, Usage } from "../domain/run.ts";

export type Message =
  | { readonly role: "user"; readonly text: string }
  | { readonly role: "assistant"; readonly text: string; readonly toolCalls: readonly ToolCall[] }
  | { readonly role: "tool"; readonly callId: string; readonly result: string; readonly isError: boolean };

export interface ToolSpec {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: object;
}

export interface Prompt {
  readonly system: string;
  readonly messages: readonly Message[];
  readonly tools: readonly ToolSpec[];
  readonly maxTokens: number;
}

export type Chunk =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "tool-call"; readonly call: ToolCall }
  /** Always the last. A stream that ends without one was cut. */
  | {
      readonly kind: "end";
      readonly stop: "end" | "tools" | "length" | "refusal" | "pause";
      readonly usage: Usage;
    };

/** One model at one provider. Throws ModelError; never retries by itself. */
export interface ChatModel {
  readonly provider: string;
  readonly name: string;
  /** Highest cost of this call in US cents, for the budget. */
  costCeilingCents(prompt: Prompt): number;
  generate(prompt: Prompt, signal: AbortSignal): AsyncIterable<Chunk>;
}
