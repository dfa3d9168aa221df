import { describe, expect, it } from "vitest";
import { createDayBudgets } from "../../src/agent/day-budgets.ts";
import { createAgentRuntime } from "../../src/agent/runtime.ts";
import { RunControls } from "../../src/app/controls.ts";
import { KillSwitch } from "../../src/app/kill-switch.ts";
import { policyOf } from "../../src/app/policy.ts";
import { openRules } from "../../src/app/rules.ts";
import { Calendar } from "../../src/domain/day.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import { modelKeyOf } from "../../src/domain/route.ts";
import { type Step, usageByModel } from "../../src/domain/run.ts";
import type { Hold } from "../../src/ports/agent.ts";
import { systemClock } from "../../src/system/clock.ts";
import { createNewId } from "../../src/system/ids.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { agentOf, benchFor, eventOf, fakeModel, usage } from "../agent/support.ts";
import { load, problemsOf } from "../config/helpers.ts";
import { sseServer } from "../models/sse-server.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { openTestStore } from "../support/store.ts";

const agentFile = (model: string, name = "assistant") =>
  `metadata: { name: ${name} }\nspec: { model: ${model} }\n`;
const DEMO = {
  "agents/assistant.yaml": agentFile("{ provider: demo }"),
  "agents/other.yaml": agentFile("{ provider: demo }", "other"),
};

const HOLD: Hold = {
  record: async () => {},
  ensure: async () => {},
  heard: () => [],
  say: async () => {},
  amend: async () => {},
};

/** A stream that a server compatible with OpenAI's answers with. */
const saying = (content: string) => [
  { choices: [{ index: 0, delta: { content }, finish_reason: null }] },
  { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
];

describe("the model of a run", () => {
  it("is that of its command, of its route, or of its agent, as they are written", async () => {
    await using own = await sseServer({ events: saying("own") });
    await using routed = await sseServer({ events: saying("routed") });
    await using thinking = await sseServer({ events: saying("thinking") });
    const model = (url: string, name: string) =>
      `{ provider: openai, model: ${name}, base_url: "${url}/v1", api: chat, price: free }`;
    const spec = `spec:
  commands: [{ command: /think, aliases: [/t], model: ${model(thinking.url, "thinker")} }]
  routes:
    - { match: { channel: C9 }, agent: assistant, model: ${model(routed.url, "cheap")} }
    - { agent: assistant }
`;
    const loaded = load({ "gateway.yaml": spec, "agents/assistant.yaml": agentFile(model(own.url, "dear")) });
    if (!loaded.ok) throw new Error(problemsOf(loaded).join("\n"));
    const metrics = createMetrics();
    const rules = await openRules({
      config: loaded.config,
      load: async () => loaded,
      killSwitch: new KillSwitch(metrics),
      controls: new RunControls({
        log: silentLogger(),
        logLevel: "info",
        logLevels: {},
        setLevels: () => {},
      }),
      ...{ clock: systemClock, random: () => 0.5, log: silentLogger(), metrics, version: "1" },
    });
    const { agents, policy } = rules.current();
    const answerTo = async (event: TriggerEvent) => {
      const key = modelKeyOf(event, policy.routes, new Set(["think"]), "assistant");
      const run = { id: "run_1", agent: "assistant", event, history: [], steps: [], startedAtMs: Date.now() };
      const signal = new AbortController().signal;
      const result = await agents.runtime.run({ ...run, ...(key && { model: key }) }, HOLD, signal);
      return result.outcome === "parked" ? result : [result.text, result.model];
    };
    expect(await answerTo(anEvent())).toEqual(["own", "dear"]);
    expect(await answerTo(anEvent({ place: "C9" }))).toEqual(["routed", "cheap"]);
    const think = { trigger: "command", command: "/think" } as const;
    expect(await answerTo(anEvent({ place: "C9", ...think }))).toEqual(["thinking", "thinker"]);
    expect(routed.requests[0]?.body).toMatchObject({ model: "cheap" });
    expect([...agents.modelNames.keys()]).toEqual(["assistant", "the route 1", "the command /think"]);
    expect(agents.breakers().map(({ name }) => name)).toEqual([
      "openai/dear",
      "openai/cheap",
      "openai/thinker",
    ]);
    await rules.close();
  });

  it("goes with the agent of its route, and not with one that was chosen or asked for", () => {
    const routes = [{ match: {}, agent: "assistant", model: "routes[0]" }];
    const keyOf = (changes: Partial<TriggerEvent>, agent: string) =>
      modelKeyOf(anEvent(changes), routes, new Set(), agent);
    expect(keyOf({}, "assistant")).toBe("routes[0]");
    expect(keyOf({}, "other")).toBeNull();
    expect(keyOf({ agent: "assistant" }, "assistant")).toBeNull();
  });

  it("stands for the whole of the agent's, whose fallbacks and answers' length are not kept", async () => {
    const dear = fakeModel(() => ({ text: "dear" }));
    const broken = fakeModel(() => ({ text: "short" }), { name: "short" });
    const agent = agentOf(dear, { fallbacks: [dear], cheaper: { model: dear, pastShare: 0 } });
    const clock = new FakeClock();
    const runtime = createAgentRuntime({
      agents: new Map([["assistant", agent]]),
      models: new Map([["routes[0]", { model: broken, fallbacks: [], tools: [], maxTokens: 7 }]]),
      ...{ clock, random: () => 0 },
      observe: { modelCall: () => {}, retry: () => {}, toolCall: () => {}, compaction: () => {} },
    });
    const run = {
      id: "r",
      agent: "assistant",
      event: eventOf("hi"),
      history: [],
      steps: [],
      startedAtMs: clock.nowMs(),
    };
    const steps: (readonly Step[])[] = [];
    const hold = { ...HOLD, record: async (now: readonly Step[]) => void steps.push(now) };
    const result = await runtime.run({ ...run, model: "routes[0]" }, hold, new AbortController().signal);
    expect(result).toMatchObject({ text: "short", model: "short" });
    expect(dear.prompts).toEqual([]);
    expect(broken.prompts[0]?.maxTokens).toBe(7);
    expect(usageByModel(steps.at(-1) ?? [])).toMatchObject([{ model: "fake/short", calls: 1 }]);
    // Of a configuration that is gone.
    expect(
      await runtime.run({ ...run, model: "routes[9]" }, HOLD, new AbortController().signal),
    ).toMatchObject({ text: "dear" });
  });
});

it("what a model has cost on a day is counted, under no budget", async () => {
  const clock = new FakeClock();
  const store = await openTestStore(clock);
  const allowanceOf = createDayBudgets({
    ...{ purse: store.purse, warnAt: 0.8, calendar: new Calendar("UTC"), clock, newId: createNewId(clock) },
    limits: { user: null, conversation: null, tenant: null, agent: null, global: null },
    warn: () => {},
    unsettled: (_, error) => expect.fail(String(error)),
  });
  const model = fakeModel(() => ({ text: "hi", usage: usage(3, 2, 4) }), { ceilingCents: () => 10 });
  await benchFor(agentOf(model)).begin({ allowance: allowanceOf(eventOf("hi"), "assistant") });
  const [spent] = await store.purse.spent(new Calendar("UTC").dayAt(clock.nowMs()), ["model:fake/fake-1"]);
  expect(spent).toMatchObject({ amount: 4_000_000, inputTokens: 3, calls: 1, held: 0 });
});

describe("the configuration", () => {
  const isPriced = (_: string, name: string) => name !== "gpt-next";
  const problems = (spec: string, files: Record<string, string> = DEMO) =>
    problemsOf(load({ "gateway.yaml": `spec:\n${spec}`, ...files }, { isPriced }));

  it("refuses models of routes and commands whose price is not known, their fallbacks too", () => {
    expect(
      problems(`  commands: [{ command: /x, model: { provider: openai, model: gpt-next } }]
  routes:
    - { match: { channel: C1 }, agent: other, model: { provider: openai, model: gpt-5, fallback: [{ provider: openai, model: gpt-next }] } }
    - { agent: assistant }
`),
    ).toEqual([
      expect.stringMatching(
        /^config\/gateway\.yaml:4:.* spec\.routes\[0\]\.model\.fallback\[0\]\.model: expected a model whose price is known, got gpt-next/,
      ),
      expect.stringMatching(
        /^config\/gateway\.yaml:2:.* spec\.commands\[0\]\.model\.model: expected a model whose price is known, got gpt-next/,
      ),
    ]);
  });

  it("refuses a remote agent as one, and another model in place of a remote agent", () => {
    const remote = `{ provider: http, url: "https://a.example", secret: whsec_MDEyMzQ1Njc4OWFiY2RlZg== }`;
    expect(problems(`  routes: [{ agent: assistant, model: ${remote} }]\n`)).toEqual([
      expect.stringContaining(
        "spec.routes[0].model.provider: expected another provider: a remote agent is an agent of its own",
      ),
    ]);
    const files = { "agents/assistant.yaml": agentFile(remote) };
    expect(problems("  routes: [{ agent: assistant, model: { provider: demo } }]\n", files)).toEqual([
      expect.stringContaining(
        "spec.routes[0].model: expected none for assistant, whose provider: http answers for itself",
      ),
    ]);
  });

  it("says which fallbacks are left out", () => {
    const loaded = load({
      "gateway.yaml":
        "spec: { routes: [{ agent: assistant, model: { provider: demo, fallback: [{ provider: openai, model: gpt-5 }] } }] }\n",
      ...DEMO,
    });
    expect(loaded.ok && loaded.config.notes).toContain(
      "the fallback gpt-5 of the route 1 is left out: OPENAI_API_KEY is not set",
    );
    expect(
      loaded.ok && policyOf(loaded.config.gateway, loaded.config.agents, () => false).routes[0]?.model,
    ).toBe("routes[0]");
  });
});
