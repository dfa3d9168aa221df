import { LOOP_ECHOES_MAX } from "../domain/bounds.ts";
import type { TriggerEvent } from "../domain/event.ts";
import type { Turn } from "../domain/run.ts";

/** Shorter words are repeated by people, too: "yes", "thanks". */
const LETTERS_MIN = 12;

/**
 * Whether a conversation goes round in a circle: this message and those before it, more in a row than people do,
 * each said nothing but what we had just answered. Then our own posts come back as if somebody had written them,
 * under a name that nothing tells us is ours, and each would be answered for ever.
 */
export function goesRound(history: readonly Turn[], event: Pick<TriggerEvent, "text">): boolean {
  let said: string = event.text;
  let echoes = 0;
  for (const turn of history.toReversed()) {
    if (turn.role === "user") said = turn.text;
    else if (!isEcho(said, turn.text)) return false;
    else if (++echoes > LOOP_ECHOES_MAX) return true;
  }
  return false;
}

/** Dialects differ in markup, and a long answer comes back in parts: letters and digits tell. */
function isEcho(said: string, answer: string): boolean {
  const letters = lettersOf(said);
  return letters.length >= LETTERS_MIN && lettersOf(answer).includes(letters);
}

function lettersOf(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}]+/gu, "");
}
