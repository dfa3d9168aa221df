import type { Clock } from "../../src/ports/clock.ts";
import type { ChatModel, Chunk, Prompt } from "../../src/ports/model.ts";
import { timerOf } from "../support/timer.ts";

/** A clock that stands still until it is told to go on. */
export class StillClock implements Clock {
  #nowMs = 1_700_000_000_000;
  readonly sleeps: { readonly durationMs: number; readonly wake: () => void }[] = [];
  #watchers: (() => void)[] = [];
  readonly timer = timerOf(this);

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = { durationMs, wake: resolve };
      this.sleeps.push(sleeper);
      signal?.addEventListener("abort", () => {
        this.sleeps.splice(this.sleeps.indexOf(sleeper), 1);
        reject(signal.reason);
      });
      for (const watcher of this.#watchers.splice(0)) watcher();
    });
  }

  /** Resolves once somebody sleeps. */
  async asleep(): Promise<void> {
    if (this.sleeps.length === 0) await new Promise<void>((resolve) => this.#watchers.push(resolve));
  }

  /** Ends the sleep that began first. */
  wake(): void {
    const sleeper = this.sleeps.shift();
    if (sleeper === undefined) throw new Error("Expected somebody asleep, got nobody");
    this.#nowMs += sleeper.durationMs;
    sleeper.wake();
  }
}

export function promptOf(text: string, more: Partial<Prompt> = {}): Prompt {
  return { system: "", messages: [{ role: "user", text }], tools: [], maxTokens: 1000, ...more };
}

export async function chunksOf(
  model: ChatModel,
  prompt: Prompt,
  signal = new AbortController().signal,
): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for await (const chunk of model.generate(prompt, signal)) chunks.push(chunk);
  return chunks;
}

export function textOf(chunks: readonly Chunk[]): string {
  return chunks.map((chunk) => (chunk.kind === "text" ? chunk.text : "")).join("");
}

/** What a promise was rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("Expected a failure, got none");
}
