import type { ToolCall } from "../domain/run.ts";

/** What only its provider understands (signed or sealed reasoning): given back to the model that wrote it, item for item. */
export function echoOf(provider: string, model: string, content: readonly unknown[]): string {
  return JSON.stringify({ provider, model, content });
}

/** Null where there is none, or another model wrote it: reasoning is bound to the model that it came from. */
export function echoFrom<Item>(opaque: string | undefined, provider: string, model: string): Item[] | null {
  if (opaque === undefined) return null;
  try {
    const echo = JSON.parse(opaque) as { provider?: unknown; model?: unknown; content?: unknown };
    const isOurs = echo.provider === provider && echo.model === model && Array.isArray(echo.content);
    return isOurs ? (echo.content as Item[]) : null;
  } catch {
    return null;
  }
}

/** A call that was not kept will have no result, and providers refuse one without. */
export function isKept(callId: string, toolCalls: readonly ToolCall[]): boolean {
  return toolCalls.some(({ id }) => id === callId);
}
