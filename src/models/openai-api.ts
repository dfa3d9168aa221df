import type OpenAI from "openai";
import type { Usage } from "../domain/run.ts";
import type { Chunk, Prompt } from "../ports/model.ts";

/** One of OpenAI's two interfaces to a model. */
export interface OpenAiApi<Body> {
  readsPdfs(model: string): boolean;
  requestFor(prompt: Prompt, options: Asked): Body;
  stream(client: OpenAI, body: Body, call: OpenAiCall): AsyncIterable<Chunk>;
}

/** What a request is made of, beside the prompt. */
interface Asked {
  readonly model: string;
  readonly maxTokens: number;
  /** Absent: OpenAI itself. */
  readonly baseUrl?: string;
  /** Absent: as the model has it. */
  readonly temperature?: number | undefined;
}

export interface OpenAiCall {
  readonly signal: AbortSignal;
  readonly model: string;
  readonly onBegin: () => void;
  readonly heard: (() => void) | undefined;
  readonly usageOf: (counted: Counted | null, saidBytes: number) => Usage;
}

/** As the provider counts: input with what came from the cache. */
export type Counted = Omit<Usage, "costCents">;

/**
 * Arguments of a call as the model wrote them. What is no JSON is handed on as it is: the tool's schema refuses it, and
 * the model reads why.
 */
export function argumentsIn(json: string): unknown {
  if (json.trim() === "") return {};
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
