import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ModelError } from "../../src/domain/errors.ts";
import { createDemoModel } from "../../src/models/demo.ts";
import type { Message } from "../../src/ports/model.ts";
import { chunksOf, failureOf, promptOf, StillClock, textOf } from "./support.ts";

const model = createDemoModel({ clock: new StillClock() });
const say = async (text: string) => textOf(await chunksOf(model, promptOf(text)));

describe("the demo model", () => {
  it("is at work also while it sleeps, as it was asked to", async () => {
    const clock = new StillClock();
    const heard = Promise.withResolvers<void>();
    const model = createDemoModel({ clock });
    const chunks = model.generate(
      promptOf("hi\ndemo: sleep 60s"),
      new AbortController().signal,
      heard.resolve,
    );
    const first = chunks[Symbol.asyncIterator]().next();
    await heard.promise;
    await clock.asleep();
    clock.wake();
    expect(await first).toMatchObject({ value: { kind: "text" } });
  });

  it("repeats exactly what was said, whatever it was", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "grapheme" }), async (text) => {
        fc.pre(!/demo:/i.test(text));
        expect(await say(text)).toBe(`You said: ${text}`);
      }),
    );
  });

  it("streams word by word and ends with what it used, at no cost", async () => {
    const chunks = await chunksOf(model, promptOf("one  two\nthree"));
    expect(chunks.map((chunk) => (chunk.kind === "text" ? chunk.text : chunk.kind))).toEqual([
      "You ",
      "said: ",
      "one  ",
      "two\n",
      "three",
      "end",
    ]);
    expect(chunks.at(-1)).toMatchObject({
      stop: "end",
      usage: { inputTokens: 4, outputTokens: 6, costCents: 0 },
    });
    expect(model.costCeilingCents(promptOf("x"))).toBe(0);
  });

  it("repeats only the newest message, without the name of who said it", async () => {
    const messages: Message[] = [
      { role: "user", text: "first", name: "Ann" },
      { role: "assistant", text: "You said: first", toolCalls: [] },
      { role: "user", text: "second", name: "Bob" },
    ];
    expect(textOf(await chunksOf(model, promptOf("", { messages })))).toBe("You said: second");
  });

  it("says that it is a demo in the first reply of a conversation only, and only when asked to", async () => {
    const telling = createDemoModel({ clock: new StillClock(), notice: true });
    expect(textOf(await chunksOf(telling, promptOf("hi")))).toBe(
      "You said: hi\n\n_(I am the demo model: set ANTHROPIC_API_KEY for real answers.)_",
    );
    const messages: Message[] = [
      { role: "user", text: "hi" },
      { role: "assistant", text: "You said: hi", toolCalls: [] },
      { role: "user", text: "again" },
    ];
    expect(textOf(await chunksOf(telling, promptOf("", { messages })))).toBe("You said: again");
  });

  it.each([
    ["demo: sleep 2s", 2000],
    ["  DEMO:sleep 500ms  ", 500],
    ["demo: sleep 1.5 s", 1500],
    ["demo: sleep 99m", 600_000],
  ])("sleeps as long as %j asks", async (text, durationMs) => {
    const clock = new StillClock();
    const answer = chunksOf(createDemoModel({ clock }), promptOf(`${text}\nhello`));
    await clock.asleep();
    expect(clock.sleeps.map((sleep) => sleep.durationMs)).toEqual([durationMs]);
    clock.wake();
    expect(textOf(await answer)).toBe("You said: hello");
  });

  async function streamed(text: string) {
    const clock = new StillClock();
    const chunks = chunksOf(createDemoModel({ clock }), promptOf(text));
    const end = { isThere: false };
    const ended = chunks
      .catch(() => {})
      .then(() => {
        end.isThere = true;
      });
    const pauses: number[] = [];
    for (;;) {
      await Promise.race([clock.asleep(), ended]);
      if (end.isThere) return { chunks, pauses };
      pauses.push(...clock.sleeps.map(({ durationMs }) => durationMs));
      clock.wake();
    }
  }

  it.each([
    ["demo: stream 3 10", "w1 w2 w3", 100],
    ["hi\nDEMO: stream 2 0.5", "You said: hi\n\nw1 w2", 2_000],
    ["demo: stream 1 99999", "w1", 1],
  ])("says its words one by one as %j asks", async (text, answer, pauseMs) => {
    const { chunks, pauses } = await streamed(text);
    expect(textOf(await chunks)).toBe(answer);
    expect(pauses).toEqual(answer.split(/\s+/).map(() => pauseMs));
  });

  it("fails behind the last of them when it is asked to", async () => {
    const { chunks, pauses } = await streamed("demo: stream 3 10\ndemo: dead");
    expect(await failureOf(chunks)).toBeInstanceOf(ModelError);
    expect(pauses).toHaveLength(3);
  });

  it("wakes from its sleep when the run is aborted", async () => {
    const clock = new StillClock();
    const abort = new AbortController();
    const answer = failureOf(chunksOf(createDemoModel({ clock }), promptOf("demo: sleep 2s"), abort.signal));
    await clock.asleep();
    abort.abort("enough");
    expect(await answer).toBe("enough");
  });

  it("repeats a message that is nothing but directives without an answer of their own", async () => {
    const clock = new StillClock();
    const answer = chunksOf(createDemoModel({ clock }), promptOf("demo: sleep 2s"));
    await clock.asleep();
    clock.wake();
    expect(textOf(await answer)).toBe("You said: demo: sleep 2s");
  });

  it("writes exactly as many characters as asked for, the same each time", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 20_000 }), async (chars) => {
        const text = await say(`demo: long ${chars}`);
        expect(text).toHaveLength(chars);
        expect(text.trim()).toBe(text);
        expect(await say(`demo: long ${chars}`)).toBe(text);
      }),
      { numRuns: 25 },
    );
    expect(await say("demo: long 9000")).toMatch(/Sentence 1 of[^\n]+Sentence 5 of[^\n]+\n\nSentence 6 of/);
    expect(await say("demo: long 999999999")).toHaveLength(100_000);
  });

  it("fails once for each turn, and again when the same is said in another turn", async () => {
    const fresh = createDemoModel({ clock: new StillClock() });
    const ask = (turnId: string) => chunksOf(fresh, promptOf("demo: fail once\nhello", { turnId }));
    const failure = await failureOf(ask("a"));
    expect(failure).toBeInstanceOf(ModelError);
    expect(failure).toMatchObject({ retryable: true });
    await expect(ask("b")).rejects.toThrow(ModelError);
    expect(textOf(await ask("a"))).toBe("You said: hello");
    expect(textOf(await ask("b"))).toBe("You said: hello");
    await expect(ask("c")).rejects.toThrow(ModelError);
  });

  it("fails for good when told so, so that nothing is tried again", async () => {
    for (const text of ["demo: dead", "Demo: DEAD\nmore words"])
      await expect(say(text)).rejects.toMatchObject({ code: "MODEL_REQUEST_REJECTED", retryable: false });
    expect(await say("demo: dead end")).toBe("You said: demo: dead end");
  });

  it.each([
    ["demo: cost 3", 3, 3],
    ["hi\n  Demo:cost 0.5 of 20", 0.5, 20],
    ["demo: cost 1\ndemo: cost 2 of 4", 3, 5],
    ["demo: cost 5 of 2", 0, 0],
    ["demo: cost much", 0, 0],
    ["that is no demo: cost 3", 0, 0],
  ])("costs what %j asks, and tells how much at most before", async (text, cents, atMost) => {
    expect(model.costCeilingCents(promptOf(text))).toBe(atMost);
    const chunks = await chunksOf(model, promptOf(text));
    expect(chunks.at(-1)).toMatchObject({ usage: { costCents: cents } });
  });

  it("costs in each call of a turn, and not in the next turn", async () => {
    const messages: Message[] = [
      { role: "user", text: "demo: cost 2\ndemo: tool look" },
      { role: "assistant", text: "", toolCalls: [] },
      { role: "tool", callId: "1", result: "seen", isError: false },
    ];
    expect(model.costCeilingCents(promptOf("", { messages }))).toBe(2);
    const next: Message[] = [...messages, { role: "user", text: "thanks" }];
    expect(model.costCeilingCents(promptOf("", { messages: next }))).toBe(0);
  });

  it("fails every time when told so", async () => {
    for (let attempt = 0; attempt < 5; attempt++) {
      await expect(say("demo: fail")).rejects.toMatchObject({ retryable: true });
    }
  });

  it("asks for a tool, then says what it said", async () => {
    const text = 'demo: tool get_pods {"ns":"a b"}\nthanks';
    const asked = await chunksOf(model, promptOf(text));
    const call = { id: "demo_1_0", name: "get_pods", input: { ns: "a b" } };
    expect(asked).toMatchObject([
      { kind: "tool-call", call },
      { kind: "end", stop: "tools" },
    ]);

    const messages: Message[] = [
      { role: "user", text },
      { role: "assistant", text: "", toolCalls: [call] },
      { role: "tool", callId: call.id, result: "two pods", isError: false },
    ];
    expect(textOf(await chunksOf(model, promptOf("", { messages })))).toBe(
      "You said: thanks\n\nTool get_pods said: two pods",
    );
  });

  it("asks for a tool without input with an empty object", async () => {
    expect(await chunksOf(model, promptOf("demo: tool now"))).toMatchObject([
      { call: { name: "now", input: {} } },
      { stop: "tools" },
    ]);
  });

  it("shows everything that a reply may hold", async () => {
    const text = await say("demo: markdown");
    for (const sample of [
      "# ",
      "**bold**",
      "```ts",
      "| one",
      "- [x]",
      "> > ",
      "---",
      "<!channel>",
      "](https:",
    ]) {
      expect(text).toContain(sample);
    }
  });

  it("repeats, where nothing was written, what the message refers to", async () => {
    const messages: Message[] = [
      { role: "user", text: "⟦The message that the command below is for.⟧\nAnn: Fan three stopped\n⟦End⟧" },
      { role: "user", text: "Translate" },
    ];
    expect(textOf(await chunksOf(model, promptOf("", { messages })))).toBe(
      "You said: Translate\n\nAnn: Fan three stopped",
    );
    const forward: Message[] = [
      { role: "user", text: "⟦Passed on with the next message.⟧\nBea: Pump seven leaks\n⟦End⟧" },
      { role: "user", text: "(no text)", name: "Ann" },
    ];
    expect(textOf(await chunksOf(model, promptOf("", { messages: forward })))).toBe(
      "You said: (no text)\n\nBea: Pump seven leaks",
    );
  });

  it("says what it was shown: memory, what the message refers to, its files, and the message", async () => {
    const messages: Message[] = [
      { role: "user", text: "first", name: "Ann" },
      { role: "assistant", text: "one", toolCalls: [] },
      { role: "user", text: "⟦Said earlier⟧\nU8: Pump nine fails\n⟦you⟧: I look\n⟦End⟧" },
      {
        role: "user",
        text: '⟦attached document "a, b.pdf", application/pdf, 2 kB⟧\n⟦command "/see"⟧',
        name: "Bob",
      },
      { role: "user", text: "so?\ndemo: prompt", name: "Bob" },
    ];
    expect(textOf(await chunksOf(model, promptOf("", { messages })))).toBe(
      [
        "Ann: first",
        "assistant: one",
        "[Said earlier]",
        "U8: Pump nine fails",
        "you: I look",
        "[End]",
        "Bob: [file a, b.pdf]",
        '[command "/see"]',
        "Bob: so?",
        "demo: prompt",
      ].join("\n"),
    );
  });

  it.each([
    "demo: stream 5",
    "demo: stream 5 0",
    "demo: stream many 10",
    "demo: sleep long",
    "demo: tool x {broken",
    "demo: dance",
    "say demo: fail",
    "demo: fail twice",
    "demo: long -1",
  ])("repeats %j, which is no directive", async (text) => {
    expect(await say(text)).toBe(`You said: ${text}`);
  });

  it("does not begin once the run is aborted", async () => {
    await expect(chunksOf(model, promptOf("hi"), AbortSignal.abort("late"))).rejects.toBe("late");
  });

  it("makes a summary of how lines begin, obeys none of them, and keeps the summary before whole", async () => {
    const text = [
      "⟦The conversation⟧",
      "The demo model's summary: Ann: hello there, I am looking …; you: yes",
      "Bob: demo: fail",
      "⟦you⟧: one two three four five six seven",
      "  | demo: dead",
      "⟦End of the conversation⟧",
    ].join("\n");
    const prompt = { system: "", messages: [{ role: "user" as const, text }], tools: [], maxTokens: 10 };
    expect(textOf(await chunksOf(model, { ...prompt, isForSummary: true }))).toBe(
      "The demo model's summary: Ann: hello there, I am looking …; you: yes; Bob: demo fail; you: one two three four five …",
    );
  });
});
