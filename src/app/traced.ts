import type { Agent, RunModels } from "../agent/agent.ts";
import type { Reception } from "../ingress/reception.ts";
import type { Adapter, Inbound, RawRequest } from "../ports/adapter.ts";
import type { AgentRuntime } from "../ports/agent.ts";
import type { Inbox } from "../ports/inbox.ts";
import type { ChatModel, Prompt } from "../ports/model.ts";
import type { Job, Settlement } from "../ports/queue.ts";
import type { Tool } from "../ports/tool.ts";
import { type Span, type Tracing, traceParentOf } from "../telemetry/trace.ts";
import * as names from "../telemetry/trace-names.ts";

/** Each part of the path as it is, in a span of its own. Where nothing is traced, each is given back untouched. */

/** Of these nobody knows who sent them: they are told to no collector. */
const UNKNOWN_SENDER: ReadonlySet<string> = new Set(["forged", "stale", "handshake-refused"]);

export function tracedReceive<P extends string>(
  receive: (request: RawRequest, platform: P) => Promise<Reception>,
  tracing: Tracing,
): (request: RawRequest, platform: P) => Promise<Reception> {
  if (!tracing.isOn) return receive;
  return (request, platform) => {
    const parent = traceParentOf(request.header("traceparent"));
    const attributes = { [names.PLATFORM]: platform, [names.MESSAGING_SYSTEM]: platform };
    return tracing.span(`receive ${platform}`, { kind: "server", parent, attributes }, async (span) =>
      told(await receive(request, platform), span),
    );
  };
}

/** What came over a connection of ours. */
export function tracedTake<P extends string>(
  take: (inbound: Inbound, platform: P, requestId?: string) => Promise<Reception>,
  tracing: Tracing,
): (inbound: Inbound, platform: P, requestId?: string) => Promise<Reception> {
  if (!tracing.isOn) return take;
  return (inbound, platform, requestId) =>
    tracing.span(
      `receive ${platform}`,
      { kind: "consumer", attributes: { [names.PLATFORM]: platform } },
      async (span) => told(await take(inbound, platform, requestId), span),
    );
}

function told(reception: Reception, span: Span): Reception {
  if (UNKNOWN_SENDER.has(reception.outcome)) {
    span.drop();
    return reception;
  }
  span.set({ [names.OUTCOME]: reception.outcome, [names.MESSAGE_ID]: reception.eventId });
  return span.ids === null ? reception : { ...reception, trace: span.ids };
}

/** An event takes its trace along, to whatever replica runs it. */
export function tracedInbox(inbox: Inbox, tracing: Tracing): Inbox {
  if (!tracing.isOn) return inbox;
  return {
    accept(offer) {
      const traceparent = tracing.current();
      if (traceparent === undefined) return inbox.accept(offer);
      return inbox.accept({ ...offer, event: { ...offer.event, traceparent } });
    },
  };
}

/** From the claim to the settlement, after the time in the queue. */
export function tracedWork(
  tracing: Tracing,
  nowMs: () => number,
): (job: Job, work: () => Promise<Settlement>) => Promise<Settlement> {
  if (!tracing.isOn) return (_, work) => work();
  return (job, work) => {
    const { event, attempt, acceptedAtMs } = job;
    const parent = traceParentOf(event.traceparent);
    const attributes = {
      [names.MESSAGE_ID]: event.id,
      [names.PLATFORM]: event.platform,
      [names.CONVERSATION]: event.conversation,
      [names.ATTEMPT]: attempt,
    };
    // What it waited for later is no time in the queue alone.
    if (attempt === 1)
      tracing.begin("queue", { parent, attributes, startMs: Math.min(acceptedAtMs, nowMs()) }).end();
    return tracing.span("process", { kind: "consumer", parent, attributes }, async (span) => {
      const settlement = await work();
      span.set({ [names.OUTCOME]: settlement.kind });
      return settlement;
    });
  };
}

export function tracedRuntime(runtime: AgentRuntime, tracing: Tracing): AgentRuntime {
  if (!tracing.isOn) return runtime;
  return {
    run(run, hold, signal) {
      const attributes = {
        [names.OPERATION]: names.INVOKE_AGENT,
        [names.AGENT_NAME]: run.agent,
        [names.CONVERSATION]: run.event.conversation,
        [names.RUN_ID]: run.id,
      };
      return tracing.span(`${names.INVOKE_AGENT} ${run.agent}`, { attributes }, async (span) => {
        const result = await runtime.run(run, hold, signal);
        if ("outcome" in result) span.set({ [names.OUTCOME]: result.outcome });
        return result;
      });
    },
  };
}

export function tracedAgent(agent: Agent, tracing: Tracing): Agent {
  if (!tracing.isOn) return agent;
  const { toolbox, fallbacks, cheaper, guard } = agent;
  return {
    ...agent,
    model: tracedModel(agent.model, tracing),
    ...(fallbacks !== undefined && { fallbacks: fallbacks.map((one) => tracedModel(one, tracing)) }),
    ...(cheaper !== undefined && { cheaper: { ...cheaper, model: tracedModel(cheaper.model, tracing) } }),
    ...(guard?.model && { guard: { ...guard, model: tracedModel(guard.model, tracing) } }),
    tools: agent.tools.map((one) => tracedTool(one, tracing)),
    ...(toolbox !== undefined && {
      toolbox: {
        async open(caller, signal) {
          const equipment = await toolbox.open(caller, signal);
          return { ...equipment, tools: equipment.tools.map((one) => tracedTool(one, tracing)) };
        },
      },
    }),
  };
}

export function tracedModels(models: RunModels, tracing: Tracing): RunModels {
  if (!tracing.isOn) return models;
  const { model, fallbacks = [], cheaper, tools, maxTokens } = models;
  return {
    model: tracedModel(model, tracing),
    fallbacks: fallbacks.map((one) => tracedModel(one, tracing)),
    ...(cheaper !== undefined && { cheaper: { ...cheaper, model: tracedModel(cheaper.model, tracing) } }),
    tools: tools.map((one) => tracedTool(one, tracing)),
    maxTokens,
  };
}

function tracedModel(model: ChatModel, tracing: Tracing): ChatModel {
  return {
    ...model,
    async *generate(prompt, signal, heard) {
      const attributes = {
        [names.OPERATION]: names.CHAT,
        [names.PROVIDER]: model.provider,
        [names.REQUEST_MODEL]: model.name,
        [names.MAX_TOKENS]: prompt.maxTokens,
      };
      const span = tracing.begin(`${names.CHAT} ${model.name}`, { kind: "client", attributes });
      try {
        for await (const chunk of model.generate(withParent(prompt, span), signal, heard)) {
          if (chunk.kind === "end")
            span.set({
              [names.FINISH_REASONS]: [chunk.stop],
              [names.INPUT_TOKENS]: chunk.usage.inputTokens,
              [names.OUTPUT_TOKENS]: chunk.usage.outputTokens,
              [names.COST_CENTS]: chunk.usage.costCents,
            });
          yield chunk;
        }
      } catch (error) {
        span.fail(error instanceof Error ? error.name : "error");
        throw error;
      } finally {
        span.end();
      }
    },
  };
}

/** For a remote agent, which may trace by itself. */
function withParent(prompt: Prompt, { parent }: Span): Prompt {
  if (prompt.about === undefined || parent === undefined) return prompt;
  return { ...prompt, about: { ...prompt.about, traceparent: parent } };
}

function tracedTool(tool: Tool, tracing: Tracing): Tool {
  const attributes = {
    [names.OPERATION]: names.EXECUTE_TOOL,
    [names.TOOL_NAME]: tool.name,
    [names.TOOL_TYPE]: "function",
  };
  return {
    ...tool,
    call: (input, signal, approvedBy, caller) =>
      tracing.span(`${names.EXECUTE_TOOL} ${tool.name}`, { attributes }, async (span) => {
        const { parent: traceparent } = span;
        const traced = caller && traceparent !== undefined ? { ...caller, traceparent } : caller;
        const output = await tool.call(input, signal, approvedBy, traced);
        if (typeof output === "object" && output.isError) span.fail("tool_error");
        return output;
      }),
  };
}

/** Everything of an adapter is as it is but what says something. */
export function tracedAdapters(
  adapters: ReadonlyMap<string, Adapter>,
  tracing: Tracing,
): ReadonlyMap<string, Adapter> {
  if (!tracing.isOn) return adapters;
  return new Map([...adapters].map(([name, adapter]) => [name, tracedAdapter(adapter, tracing)]));
}

function tracedAdapter(adapter: Adapter, tracing: Tracing): Adapter {
  const { platform } = adapter;
  const span = <T>(what: string, partId: string, work: () => Promise<T>) =>
    tracing.span(
      `${what} ${platform}`,
      { kind: "producer", attributes: { [names.PLATFORM]: platform, [names.PART_ID]: partId } },
      work,
    );
  const send: Adapter["send"] = (delivery, signal, permit) =>
    span("send", delivery.partId, () => adapter.send(delivery, signal, permit));
  return new Proxy(adapter, {
    get(target, key) {
      if (key === "send") return send;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
