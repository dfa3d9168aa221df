import { describe, expect, it } from "vitest";
import { createDemoModel } from "../../src/models/demo.ts";
import { agentOf, benchFor, eventOf, fakeTool, SimClock } from "./support.ts";

function benchWith(tools = [fakeTool("get_pods", () => "two pods")]) {
  const clock = new SimClock();
  return benchFor(agentOf(createDemoModel({ clock }), { tools }), clock);
}

describe("a run of the demo model", () => {
  it("repeats what was said, in a group without the name of who said it", async () => {
    const event = eventOf("hello", { isDirect: false });
    expect(await benchWith().run({ event })).toMatchObject({ outcome: "answered", text: "You said: hello" });
  });

  it("survives one failure", async () => {
    const bench = benchWith();
    const result = await bench.run({ event: eventOf("demo: fail once\nhello") });
    expect(result).toMatchObject({ outcome: "answered", text: "You said: hello" });
    expect(bench.retries).toHaveLength(1);
  });

  it("is given to the queue when it fails for good, and leaves the others alone", async () => {
    const bench = benchWith();
    for (let n = 0; n < 10; n++) {
      await expect(bench.run({ event: eventOf("demo: fail") })).rejects.toMatchObject({ retryable: true });
    }
    expect(await bench.run({ event: eventOf("hello", { id: "test:2" }) })).toMatchObject({
      outcome: "answered",
    });
  });

  it("uses a tool, and says when there is none of that name", async () => {
    const text = 'demo: tool get_pods {"ns":"web"}\ndemo: tool fly';
    const tool = fakeTool("get_pods", () => "two pods");
    expect(await benchWith([tool]).run({ event: eventOf(text) })).toMatchObject({
      outcome: "answered",
      text: "Tool get_pods said: two pods\n\nTool fly said: Expected one of these tools: get_pods. Got: fly",
      modelCalls: 2,
    });
    expect(tool.inputs).toEqual([{ ns: "web" }]);
  });

  it("sleeps as told, but not longer than the run may last", async () => {
    const bench = benchWith();
    await bench.run({ event: eventOf("demo: sleep 2s") });
    expect(bench.clock.nowMs() - bench.startedAtMs).toBe(2000);
    expect(await bench.run({ event: eventOf("demo: sleep 9m") })).toMatchObject({ outcome: "out-of-time" });
  });
});
