import { describe, expect, it } from "vitest";
import type { SaidOn } from "../e2e/judge.ts";
import { type Conversation, nextQuestion, openConversations } from "../e2e/load.ts";
import type { ModelCall } from "./model-server.ts";
import { type Evidence, verdictOn } from "./verdict.ts";

/** One conversation of three questions, each asked, run, answered and done as it should be. */
function cleanRun(): Evidence & { calls: ModelCall[]; said: SaidOn[]; saidAtMs: Map<string, number> } {
  const [conversation] = openConversations(2).slice(1);
  if (conversation === undefined) throw new Error("Expected a conversation, got none");
  const questions = Array.from({ length: 3 }, () => nextQuestion(conversation));
  for (const question of questions) question.isAcknowledged = true;
  const topics = questions.map(({ topic }) => topic);
  const atMs = (n: number) => n * 1_000;
  return {
    conversations: [conversation],
    calls: topics.map((topic, n) => ({
      ...{ by: "all-1-1", topic, history: topics.slice(0, n) },
      ...{ beganAtMs: atMs(n), endedAtMs: atMs(n) + 10 },
    })),
    said: questions.map(({ expected }) => answer(conversation, expected.join(". "))),
    saidAtMs: new Map(topics.map((topic, n) => [topic, atMs(n) + 20])),
    deaths: [],
    endings: [0, 0],
    stuck: [],
  };
}

function answer({ platform, place }: Conversation, text: string): SaidOn {
  return { platform, place, text: `You said: ${text}`, isMarked: false };
}

const TOPIC = "ask-100001-1";

/** What the verdict says when this is changed in a clean run. */
function verdictWhen(
  change: (run: ReturnType<typeof cleanRun>) => Partial<Evidence> | undefined,
): readonly string[] {
  const run = cleanRun();
  return verdictOn({ ...run, ...change(run) }).violations;
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new Error(`Expected more than ${index}, got ${list.length}`);
  return found;
}

describe("the verdict", () => {
  it("finds nothing wrong with a clean run", () => {
    expect(verdictOn(cleanRun()).violations).toEqual([]);
  });

  it("misses an answer", () => {
    expect(verdictWhen(({ said }) => ({ said: said.filter(({ text }) => !text.includes(TOPIC)) }))).toEqual([
      `acknowledged and not answered: discord 100001 ${TOPIC}: 1 of 1 parts are missing`,
    ]);
  });

  it("misses a part of a long answer", () => {
    const run = cleanRun();
    const long = at(run.conversations, 0);
    expect(long.asked).toHaveLength(3);
    const other = { ...at(long.asked, 0), expected: ["ask-100001-0", "Sentence 1", "Sentence 2"] };
    const conversation = { ...long, asked: [other, ...long.asked.slice(1)] };
    expect(verdictOn({ ...run, conversations: [conversation] }).violations).toEqual([
      "acknowledged and not answered: discord 100001 ask-100001-0: 2 of 3 parts are missing",
    ]);
  });

  it("does not miss the answer to what was never acknowledged", () => {
    const violations = verdictWhen(({ conversations, said }) => {
      at(at(conversations, 0).asked, 2).isAcknowledged = false;
      return { said: said.slice(0, 2) };
    });
    expect(violations).toEqual([]);
  });

  it("finds what was said twice, unless it says so of itself", () => {
    const twice = (isMarked: boolean) =>
      verdictWhen(({ said }) => ({ said: [...said, { ...at(said, 2), isMarked }] }));
    expect(twice(false)).toEqual(["said more than once, unmarked: discord 100001 ask-100001-2"]);
    expect(twice(true)).toEqual([]);
    const run = cleanRun();
    const { replies } = verdictOn({ ...run, said: [...run.said, { ...at(run.said, 2), isMarked: true }] });
    expect([replies.marked, replies.repeats]).toEqual([1, 1]);
  });

  it("finds answers out of order", () => {
    expect(verdictWhen(({ said }) => ({ said: [at(said, 1), at(said, 0), at(said, 2)] }))).toEqual([
      "answered out of order: discord 100001 ask-100001-1,ask-100001-0,ask-100001-2",
    ]);
  });

  it("finds two runs at once", () => {
    const violations = verdictWhen(({ calls }) => {
      at(calls, 0).endedAtMs = at(calls, 1).beganAtMs + 1;
    });
    expect(violations).toEqual([
      "two runs of one conversation at once: ask-100001-0 by all-1-1, ask-100001-1 by all-1-1",
    ]);
  });

  it("finds runs out of order", () => {
    const violations = verdictWhen(({ calls }) => ({
      calls: [{ ...at(calls, 1), beganAtMs: -100, endedAtMs: -90 }, at(calls, 0), at(calls, 2)],
    }));
    expect(violations).toEqual(["run out of order: ask-100001-1 by all-1-1, ask-100001-0 by all-1-1"]);
  });

  it.each<[string, readonly string[]]>([
    ["nothing", []],
    ["something twice", ["ask-100001-0", "ask-100001-0"]],
    ["something else", ["ask-100001-1"]],
  ])("finds a run that remembers %s", (_, history) => {
    const violations = verdictWhen(({ calls }) => ({ calls: [at(calls, 0), { ...at(calls, 1), history }] }));
    expect(violations).toEqual([`not shown exactly what was said before: ${TOPIC} after ${history.join()}`]);
  });

  describe("on a second run of a message", () => {
    const again = (when: { diedAtMs?: number; saidAtMs?: number }) => {
      const run = cleanRun();
      const [first, second] = [at(run.calls, 0), at(run.calls, 1)];
      if (when.saidAtMs === undefined) run.saidAtMs.delete(TOPIC);
      else run.saidAtMs.set(TOPIC, when.saidAtMs);
      const deaths = when.diedAtMs === undefined ? [] : [{ who: second.by, atMs: when.diedAtMs }];
      const repeat = { ...second, by: "all-2-1", beganAtMs: 1_500, endedAtMs: 1_510 };
      const { violations, runs } = verdictOn({ ...run, deaths, calls: [first, second, repeat] });
      return { violations, resumed: runs.resumed };
    };
    const violations = [`run again although nobody died in it: ${TOPIC} by all-1-1, ${TOPIC} by all-2-1`];

    it("finds it when nobody died", () => expect(again({})).toEqual({ violations, resumed: 0 }));
    it("finds it when the answer was out before", () =>
      expect(again({ diedAtMs: 1_200, saidAtMs: 1_100 })).toEqual({ violations, resumed: 0 }));
    it("finds it when the death came later", () =>
      expect(again({ diedAtMs: 1_600 })).toEqual({ violations, resumed: 0 }));
    it("allows it when a death cut the first one off", () =>
      expect(again({ diedAtMs: 1_200, saidAtMs: 1_600 })).toEqual({ violations: [], resumed: 1 }));
  });

  it("finds what did not come to its end, or ended badly", () => {
    expect(verdictWhen(() => ({ stuck: ["a queue"], endings: [0, "SIGKILL"] }))).toEqual([
      "not come to its end: a queue",
      "did not end well: SIGKILL",
    ]);
  });
});
