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
  let answer: string | null = null;
  let echoes = 0;
  for (const turn of history.toReversed()) {
    if (turn.role === "assistant") {
      answer = turn.text;
      continue;
    }
    if (answer !== null) {
      if (!isEcho(said, answer, turn.text)) return false;
      if (++echoes > LOOP_ECHOES_MAX) return true;
    }
    said = turn.text;
    answer = null;
  }
  return answer !== null && isEcho(said, answer, "") && echoes === LOOP_ECHOES_MAX;
}

/**
 * Dialects differ in markup, and a long answer comes back in parts: letters and digits tell. Who says the same again
 * (`asked` is what was answered) is no echo of an answer that repeats it, as the demo model's does.
 */
function isEcho(said: string, answer: string, asked: string): boolean {
  const letters = lettersOf(said);
  const answered = lettersOf(answer);
  if (letters.length < LETTERS_MIN || !answered.includes(letters)) return false;
  return answered === letters || !lettersOf(asked).includes(letters);
}

function lettersOf(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}]+/gu, "");
}
