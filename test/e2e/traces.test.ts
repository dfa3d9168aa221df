import { expect, it } from "vitest";
import { startRedis } from "../support/redis.ts";
import { startCollector } from "./collector.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { startGateway, temporaryFolder } from "./gateway-process.ts";
import { eventLines } from "./request-ids.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER = "00f067aa0ba902b7";
const KEY = "a-developers-key-of-some-length";
const AGENT = `metadata: { name: assistant }
spec:
  model: { provider: demo }
  budgets: { tokens: 1000000 }
  tools: [{ name: clock, type: builtin, builtin: time }]
`;

it("a message is one trace from its webhook to its answer, over two replicas, and its lines have its ids", async () => {
  await using redis = await startRedis();
  await using collector = await startCollector();
  const start = (role: string) =>
    startGateway({
      dataDir: temporaryFolder(),
      config: configFolder(NO_LIMITS, AGENT),
      env: {
        REDIS_URL: redis.url,
        PARLEY_ROLE: role,
        OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`,
        OTEL_EXPORTER_OTLP_HEADERS: "x-key=a%20secret",
        PARLEY_DEV_KEY: KEY,
      },
    });
  await using ingress = await start("ingress");
  await using worker = await start("worker");
  const response = await fetch(`${ingress.url}/webhooks/test?wait=20`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-dev-key": KEY,
      traceparent: `00-${TRACE}-${CALLER}-01`,
      "x-request-id": "req-of-the-caller",
    },
    body: JSON.stringify({ message: "demo: tool clock {}", conversation: "traced" }),
  });
  expect([response.status, await response.text()]).toEqual([200, expect.stringContaining("Tool clock said")]);
  expect([await ingress.end("SIGTERM"), await worker.end("SIGTERM")]).toEqual([0, 0]);

  const { spans } = collector;
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([TRACE]));
  const of = (name: string) => spans.filter((span) => span.name === name);
  const [receive, queue, run, agent, tool, send] = [
    "receive test",
    "queue",
    "process",
    "invoke_agent assistant",
    "execute_tool clock",
    "send test",
  ].map((name) => of(name)[0]);
  const parents = [receive, queue, run, agent, tool, send].map((span) => span?.parentSpanId);
  const [first, work, turn] = [receive?.spanId, run?.spanId, agent?.spanId];
  expect(parents).toEqual([CALLER, first, first, work, turn, work]);
  const calls = spans.filter(({ attributes }) => attributes["gen_ai.operation.name"] === "chat");
  expect(calls.map(({ parentSpanId }) => parentSpanId)).toEqual([turn, turn]);
  expect(calls[0]?.attributes).toMatchObject({ "gen_ai.provider.name": "demo" });
  expect(agent?.attributes).toMatchObject({ "gen_ai.agent.name": "assistant", "parley.outcome": "answered" });
  expect(spans.every(({ isFailed, headers }) => !isFailed && headers["x-key"] === "a secret")).toBe(true);
  expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toContain("demo: tool");

  const traced = (lines: Record<string, unknown>[], name: string, field = "trace_id") =>
    lines.find(({ msg }) => msg === name)?.[field];
  expect(traced(ingress.logLines(), "webhook.received")).toBe(TRACE);
  for (const name of ["run.finished", "reply.sent"]) expect(traced(worker.logLines(), name)).toBe(TRACE);
  const { kinds, unnamed } = eventLines([ingress, worker]);
  expect([[...kinds], unnamed]).toEqual([["run.finished", "reply.sent"], []]);
  expect(traced(worker.logLines(), "run.finished", "request_id")).toBe("req-of-the-caller");
  expect(worker.stdout() + ingress.stdout()).not.toContain("a secret");
});

it("a failure is told; a stranger's request is not, and a collector that is away holds up nothing", async () => {
  await using collector = await startCollector();
  const start = (endpoint: string) =>
    startGateway({
      dataDir: temporaryFolder(),
      config: configFolder(NO_LIMITS),
      env: {
        PARLEY_DEV_KEY: KEY,
        TELEGRAM_BOT_TOKEN: "77:token",
        TELEGRAM_WEBHOOK_SECRET: "a-secret-of-telegram",
        TELEGRAM_API_ROOT: "http://127.0.0.1:9",
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      },
    });
  await using gateway = await start(collector.url);
  const forged = { method: "POST", body: "{}", headers: { "x-telegram-bot-api-secret-token": "another" } };
  expect((await fetch(`${gateway.url}/webhooks/telegram`, forged)).status).toBe(401);
  const asked = async (url: string, message: string) => {
    const headers = { "content-type": "application/json", "x-dev-key": KEY };
    const body = JSON.stringify({ message, conversation: "x" });
    return (await fetch(`${url}/webhooks/test?wait=20`, { method: "POST", headers, body })).json();
  };
  await asked(gateway.url, "demo: dead");
  expect(await gateway.end("SIGTERM")).toBe(0);
  expect(collector.spans.map(({ name }) => name)).not.toContain("receive telegram");
  expect(collector.spans.filter(({ isFailed }) => isFailed).map(({ name }) => name)).toContain("chat demo");

  await using alone = await start("http://127.0.0.1:9");
  expect(await asked(alone.url, "hello")).toMatchObject({
    reply: "You said: hello",
  });
  expect(await alone.end("SIGTERM")).toBe(0);
});
