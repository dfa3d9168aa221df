import pino from "pino";
import { describe, expect, it } from "vitest";
import { choicesIn, ToolChoices } from "../../src/app/tool-choices.ts";
import type { Tool } from "../../src/ports/tool.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { createToolbox } from "../../src/tools/toolbox.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { countOf } from "../support/metrics.ts";

type Call = (input: unknown, signal: AbortSignal) => Promise<string>;

function choicesOf(call: Call, more: Partial<Tool> = {}) {
  const clock = new FakeClock();
  const metrics = createMetrics();
  const lines: Record<string, unknown>[] = [];
  const inputs: unknown[] = [];
  const tool: Tool = {
    ...{ name: "services", description: "", effect: "read", repeatable: true, inputSchema: {} },
    call: (input, signal) => {
      inputs.push(input);
      return call(input, signal);
    },
    ...more,
  };
  const toolbox = createToolbox({ servers: new Map(), own: [tool], isReadOnly: () => true });
  const choices = new ToolChoices({
    toolboxes: () => new Map([["assistant", toolbox]]),
    ...{ clock, metrics, newId: (kind: string) => `${kind}_1` },
    log: pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }),
  });
  const find = (typed: string, { by = "U1", tool = "services", agent = "assistant" } = {}) =>
    choices.find({
      source: { agent, tool, arguments: { search: "{typed}", limit: 5 } },
      typed,
      event: anEvent({ sender: { id: by, name: by, isBot: false } }),
      ackWith: () => ({ status: 200 }),
    });
  return { find, clock, metrics, lines, inputs };
}

describe("choices that a tool gives", () => {
  it("come of a call with what was typed, which is counted, and made once for the same person and words", async () => {
    const { find, clock, inputs, metrics } = choicesOf(async () => "api\nweb");
    const found = ["api", "web"].map((name) => ({ name, value: name }));
    expect(await Promise.all([find("$&"), find("$&")])).toEqual([found, found]);
    expect(inputs).toEqual([{ search: "$&", limit: 5 }]);
    await find("$&", { by: "U2" });
    expect(inputs).toHaveLength(2);
    clock.advance(10_001);
    await find("$&");
    expect(inputs).toHaveLength(3);
    expect(await countOf(metrics, "toolCalls", { agent: "assistant", tool: "services", outcome: "ok" })).toBe(
      3,
    );
  });

  it("are none when the tool is late, and the call is broken off", async () => {
    let broken: AbortSignal | undefined;
    let begun = () => {};
    const isCalled = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const { find, clock, lines } = choicesOf((_input, signal) => {
      broken = signal;
      begun();
      return new Promise(() => {});
    });
    const found = find("a");
    await isCalled;
    clock.advance(1_499);
    expect(broken?.aborted).toBe(false);
    clock.advance(1);
    expect(await found).toEqual([]);
    expect(broken?.aborted).toBe(true);
    expect(lines).toMatchObject([
      { msg: "choices.not_found", cause: expect.stringContaining("no answer within 1.5 s") },
    ]);
  });

  it.each<[string, Partial<Tool>, object, string]>([
    ["may write", { effect: "write" }, {}, "expected a tool that only reads"],
    ["needs an approval", { asks: "call" }, {}, "expected a tool that needs no approval"],
    ["is not there", {}, { tool: "other" }, "expected the tool other"],
    ["has no agent", {}, { agent: "other" }, "expected the tool services"],
  ])("are none, and nothing is called, when it %s", async (_why, more, of, cause) => {
    const { find, inputs, lines } = choicesOf(async () => "api", more);
    expect(await find("a", of)).toEqual([]);
    expect(inputs).toEqual([]);
    expect(lines).toMatchObject([{ msg: "choices.not_found", cause: expect.stringContaining(cause) }]);
  });

  it("are none when the tool fails", async () => {
    const { find, lines } = choicesOf(async () => {
      throw new Error("no database");
    });
    expect(await find("a")).toEqual([]);
    expect(lines).toMatchObject([{ cause: expect.stringContaining("no database") }]);
  });

  it("are asked for at most 16 times at once", async () => {
    const { find, clock, inputs } = choicesOf(() => new Promise(() => {}));
    const all = Array.from({ length: 20 }, (_, n) => find(String(n)));
    expect(await Promise.all(all.slice(16))).toEqual([[], [], [], []]);
    clock.advance(1_500);
    await Promise.all(all);
    expect(inputs.length).toBeLessThanOrEqual(16);
  });
});

it.each<[string, readonly unknown[]]>([
  ["a\n\n b \n", ["a", "b"]],
  ['["a",1,{"name":"The b","value":"b"},{"name":"no value"},null,""]', ["a", 1, "b"]],
  ['{"result":["a"]}', ["a"]],
  ["(no output)", []],
])("%j gives the choices %j", (text, values) => {
  expect(choicesIn(text).map(({ value }) => value)).toEqual(values);
});
