import type { Turn } from "../../domain/run.ts";
import { theirWords } from "../../domain/text.ts";
import type { Tool } from "../../ports/tool.ts";
import { get, getString } from "../../shared/json.ts";
import { iso } from "../../shared/time.ts";

const FOUND_MAX = 20;
const WORDS_MAX = 20;
const TURN_CHARS_MAX = 1_000;

/** Finds what was said in this conversation, also where it is too long ago to be shown. */
export function createSearchTool(): Omit<Tool, "name"> {
  return {
    description:
      "Finds earlier messages of this conversation that hold all of the given words, the newest first.",
    effect: "read",
    repeatable: true,
    inputSchema: {
      type: "object",
      properties: {
        query: { type: "string", description: "Words that the message holds." },
        limit: { type: "integer", minimum: 1, maximum: FOUND_MAX },
      },
      required: ["query"],
      additionalProperties: false,
    },
    async call(input, _signal, _approvedBy, caller) {
      const words = wordsOf(getString(input, "query") ?? "");
      if (words.length === 0) return { text: "Expected words to look for, got none", isError: true };
      const limit = Number(get(input, "limit") ?? FOUND_MAX);
      const found = (caller?.history ?? [])
        .filter(({ role, text }) => role !== "summary" && holds(text, words))
        .toReversed();
      if (found.length === 0) return "Nothing was found.";
      return found
        .slice(0, Math.min(FOUND_MAX, Math.max(1, limit)))
        .map(lineOf)
        .join("\n");
    },
  };
}

function wordsOf(query: string): readonly string[] {
  return query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "")
    .slice(0, WORDS_MAX);
}

function holds(text: string, words: readonly string[]): boolean {
  const plain = text.toLowerCase();
  return words.every((word) => plain.includes(word));
}

function lineOf({ role, name, text, atMs }: Turn): string {
  const who = role === "assistant" ? "you" : (name ?? "somebody");
  const words = theirWords(text).slice(0, TURN_CHARS_MAX).toWellFormed().replaceAll("\n", "\n  | ");
  return `${iso(atMs)} ${who}: ${words}`;
}
