import type { PdfView, PictureView } from "../domain/attachment.ts";
import type { TriggerEvent } from "../domain/event.ts";
import type { StopReason, ToolCall, Usage } from "../domain/run.ts";
import type { CallGate } from "./call-gate.ts";
import type { FoundFile } from "./tool.ts";

export type Message =
  /** `name`: who speaks, where several people do. `pictures` and `pdfs`: came with it; a model that sees none is told their names in `text`. */
  | {
      readonly role: "user";
      readonly text: string;
      readonly name?: string;
      readonly pictures?: readonly PictureView[];
      readonly pdfs?: readonly PdfView[];
      /** Nobody's words: the answer before it was paused, and a prompt must not end with the model's own. */
      readonly isGoOn?: true;
    }
  | {
      readonly role: "assistant";
      readonly text: string;
      readonly toolCalls: readonly ToolCall[];
      /** What the model's `end` chunk asked to be given back. */
      readonly opaque?: string;
    }
  | {
      readonly role: "tool";
      readonly callId: string;
      readonly result: string;
      readonly isError: boolean;
      /** Came with it, and `result` names them. */
      readonly pictures?: readonly PictureView[];
    };

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
  /** The turn being answered: the same on every attempt and after a restart. */
  readonly turnId?: string;
  /** For whoever is more than a model, and told as data what the words do not say. */
  readonly about?: TurnAbout;
  /** It asks for a summary of a conversation, which is its only message: nothing of that is said to the model. */
  readonly isForSummary?: true;
}

export interface TurnAbout {
  readonly runId: string;
  readonly agent: string;
  /** The message that is answered: the last of them. */
  readonly event: TriggerEvent;
  /** W3C Trace Context, for whoever goes on with the trace; absent: there is none. */
  readonly traceparent?: string;
  /** What is left to the run. */
  readonly budget: { readonly cents: number; readonly seconds: number };
}

export type Chunk =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "tool-call"; readonly call: ToolCall }
  /** Made for people: goes out with the answer. */
  | { readonly kind: "file"; readonly file: FoundFile }
  /** Always the last. A stream that ends without one was cut. */
  | {
      readonly kind: "end";
      readonly stop: StopReason;
      readonly usage: Usage;
      /** Belongs to the provider (signed reasoning, say): comes back with this answer in later prompts. */
      readonly opaque?: string;
    };

/** One model at one provider. Throws ModelError; never retries by itself. */
export interface ChatModel {
  readonly provider: string;
  readonly name: string;
  /** Asked again after a broken call, it goes on with that one: both are paid for once. */
  readonly goesOn?: true;
  /** How many tokens a prompt and its answer may have together; absent: nobody knows. */
  readonly contextTokens?: number;
  /** It can be shown PDFs. */
  readonly readsPdfs?: true;
  /** Through which each call goes before it is made; absent: nobody else's calls count with these. */
  readonly gate?: CallGate;
  /** Highest cost of this call in US cents, for the budget. */
  costCeilingCents(prompt: Prompt): number;
  /**
   * `heard` may be called at the first sign that the provider is at work, which may be long before the first chunk: it
   * may think for minutes. A chunk is such a sign too.
   */
  generate(prompt: Prompt, signal: AbortSignal, heard?: () => void): AsyncIterable<Chunk>;
}
