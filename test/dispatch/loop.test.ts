import { describe, expect, it } from "vitest";
import { goesRound } from "../../src/dispatch/loop.ts";
import { LOOP_ECHOES_MAX } from "../../src/domain/bounds.ts";
import type { Turn } from "../../src/domain/run.ts";

const turn = (role: Turn["role"], text: string): Turn => ({ role, name: null, text, atMs: 0 });

/** Somebody says what `next` makes of the last answer, and is answered by `answer`; gives when the guard steps in. */
function roundsUntilStopped(
  next: (answer: string) => string,
  answer: (said: string) => string,
): number | null {
  const history: Turn[] = [];
  let said = "Is the pump still running?";
  for (let round = 0; round < 20; round++) {
    if (goesRound(history, { text: said })) return round;
    const answered = answer(said);
    history.push(turn("user", said), turn("assistant", answered));
    said = next(answered);
  }
  return null;
}

describe("a conversation", () => {
  it.each<[string, (said: string) => string]>([
    ["repeats what was said", (said) => `You said: ${said}`],
    ["always says the same", () => "I cannot help with that."],
  ])("whose answers come back as messages is stopped, when the model %s", (_, answer) => {
    expect(roundsUntilStopped((answered) => answered, answer)).toBe(LOOP_ECHOES_MAX + 1);
    expect(roundsUntilStopped((answered) => `*${answered}*`, answer)).toBe(LOOP_ECHOES_MAX + 1);
  });

  it("in which a person says the same again and again goes on, also when the model repeats it", () => {
    const same = () => "Is the pump still running?";
    expect(roundsUntilStopped(same, (said) => `You said: ${said}`)).toBeNull();
    expect(roundsUntilStopped(same, () => "Yes, at 1,400 a minute.")).toBeNull();
  });
});
