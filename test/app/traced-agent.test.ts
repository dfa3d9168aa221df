import { describe, expect, it, onTestFinished } from "vitest";
import { tracedAgent } from "../../src/app/traced.ts";
import type { ToolCaller } from "../../src/ports/tool.ts";
import { openTracing } from "../../src/telemetry/otel.ts";
import type { Tracing } from "../../src/telemetry/trace.ts";
import { agentOf, eventOf, fakeModel, fakeTool } from "../agent/support.ts";
import { startCollector } from "../e2e/collector.ts";
import { chunksOf, promptOf } from "../models/support.ts";

it("a model that is traced can do what it can untraced", () => {
  const model = { ...fakeModel([]), goesOn: true as const, readsPdfs: true as const };
  const traced = tracedAgent({ ...agentOf(model), fallbacks: [model] }, { isOn: true } as Tracing);
  expect([traced.model, traced.fallbacks?.[0]]).toMatchObject([
    { goesOn: true, readsPdfs: true },
    { goesOn: true, readsPdfs: true },
  ]);
});

describe("whoever is called goes on with the trace", () => {
  async function tracing() {
    const collector = await startCollector();
    onTestFinished(() => collector[Symbol.asyncDispose]());
    const opened = openTracing({
      ...{ endpoint: collector.url, headers: () => ({}), serviceName: "parley", version: "1", share: 1 },
    });
    return {
      opened,
      /** Of the span with this name, as it was told. */
      parentOf: async (name: string) => {
        await opened.close();
        const span = collector.spans.find((one) => one.name === name);
        return `00-${span?.traceId}-${span?.spanId}-01`;
      },
    };
  }

  it("as a model that is told of the turn", async () => {
    const { opened, parentOf } = await tracing();
    const model = fakeModel([{ text: "ok" }, { text: "ok" }]);
    const traced = tracedAgent(agentOf(model), opened).model;
    const about = { runId: "run_1", agent: "own", event: eventOf("hi"), budget: { cents: 1, seconds: 1 } };
    await chunksOf(traced, promptOf("hi", { about }));
    expect(model.prompts[0]?.about?.traceparent).toBe(await parentOf("chat fake-1"));
  });

  it("as a tool", async () => {
    const { opened, parentOf } = await tracing();
    const callers: (ToolCaller | undefined)[] = [];
    const tool = {
      ...fakeTool("look"),
      call: async (...args: unknown[]) => {
        callers.push(args[3] as ToolCaller);
        return "seen";
      },
    };
    const [traced] = tracedAgent(agentOf(fakeModel([]), { tools: [tool] }), opened).tools;
    const caller = { runId: "run_1", event: eventOf("hi"), history: [] };
    await traced?.call({}, new AbortController().signal, undefined, caller);
    expect(callers).toEqual([{ ...caller, traceparent: await parentOf("execute_tool look") }]);
  });
});
