import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import type { Ending } from "../support/child.ts";
import { promtool } from "../support/promtool.ts";
import { type Setup, startWithPlatforms } from "./gateway-with-platforms.ts";
import { CHAT_PLATFORMS, deliver, privateMessage, SECRETS, webhook } from "./platforms.ts";
import { said } from "./records.ts";
import { type Scrape, scrapeWhenIdle } from "./scrape.ts";

/** What a person wrote. It belongs to that person and the agent, and to no log. */
const MARKER = "confidential-5f2c91";

let setup: Setup;
let metrics: Scrape;
let ending: Ending;

beforeAll(async () => {
  setup = await startWithPlatforms({ PARLEY_LOG_LEVEL: "trace" });
  const { platforms, gateway } = setup;
  platforms.telegram.faults.push({
    kind: "reset-after",
    match: ({ body }) => body.includes("You said"),
  });
  platforms.whatsapp.faults.push({
    kind: "status",
    status: 500,
    match: ({ body }) => body.includes("You said"),
  });
  for (const [n, platform] of CHAT_PLATFORMS.entries()) {
    const request = privateMessage(platform, { person: 7_000 + n, text: MARKER });
    await deliver(gateway.url, request);
    await deliver(gateway.url, request);
    await deliver(gateway.url, { ...request, headers: { "content-type": "application/json" } });
  }
  await deliver(gateway.url, webhook("slack", { kind: "message", text: MARKER }));
  await Promise.all(CHAT_PLATFORMS.map((platform) => said(platforms, platform, MARKER)));
  await said(platforms, "telegram", "This may be a repeat");
  metrics = await scrapeWhenIdle(gateway.url);
  ending = await gateway.end("SIGTERM");
});
afterAll(() => setup[Symbol.asyncDispose]());

describe("the metrics", () => {
  it("are what promtool calls clean", async () => {
    expect(await promtool(metrics.text)).toEqual({ code: 0, output: "" });
  });

  it("are all there", async () => {
    const names = createMetrics()
      .registry.getMetricsAsArray()
      .map(({ name }) => name);
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !metrics.text.includes(`# TYPE ${name} `))).toEqual([]);
  });

  it.each([
    ['parley_webhooks_total{platform="slack",outcome="accepted"}', 1],
    ['parley_webhooks_total{platform="discord",outcome="duplicate"}', 1],
    ['parley_webhooks_total{platform="whatsapp",outcome="forged"}', 1],
    ['parley_webhook_items_ignored_total{platform="slack",reason="not_addressed"}', 1],
    ['parley_duplicates_total{platform="telegram"}', 1],
    ['parley_webhook_ack_duration_seconds_count{platform="telegram"}', 3],
    ['parley_runs_total{agent="assistant",outcome="answered"}', 4],
    ['parley_replies_total{platform="slack",outcome="sent"}', 1],
    ['parley_replies_total{platform="telegram",outcome="unknown"}', 1],
    ['parley_replies_total{platform="telegram",outcome="sent_marked"}', 1],
    ['parley_replies_total{platform="whatsapp",outcome="retry"}', 1],
    ['parley_http_requests_total{method="POST",route="/webhooks/discord",status="401"}', 1],
    ["parley_paused", 0],
    ["parley_runs_active", 0],
  ])("count %s", (series, value) => {
    expect(metrics.value(series)).toBe(value);
  });
});

describe("the log", () => {
  it("is JSON, a line each, with nothing else on stdout", () => {
    const lines = setup.gateway.stdout().trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(20);
    for (const line of lines) {
      const { level, time, msg } = JSON.parse(line);
      expect({ level, time, msg }).toEqual({
        level: expect.any(String),
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        msg: expect.stringMatching(/^[a-z]+(\.[a-z_]+)+$/),
      });
    }
    expect(ending).toBe(0);
  });

  it("has one wide line for each webhook, run and reply, by which an event can be followed", () => {
    const lines = setup.gateway.logLines();
    const received = lines.find(
      ({ msg, platform, outcome }) => [msg, platform, outcome].join() === "webhook.received,slack,accepted",
    );
    expect(received).toMatchObject({
      request_id: expect.stringMatching(/^req_/),
      event_id: expect.stringMatching(/^slack:T1:D7000:/),
      conversation_id: "slack:T1:D7000",
      duration_ms: expect.any(Number),
    });
    const of = (name: string) =>
      lines.filter(({ msg, event_id }) => msg === name && event_id === received?.event_id);
    const [run] = of("run.finished");
    expect(of("run.finished")).toHaveLength(1);
    expect(run).toMatchObject({
      conversation_id: "slack:T1:D7000",
      run_id: expect.stringMatching(/^run_/),
      agent: "assistant",
      attempt: 1,
      outcome: "answered",
      model_calls: 1,
      duration_ms: expect.any(Number),
    });
    expect(of("reply.sent")).toEqual([
      expect.objectContaining({
        conversation_id: "slack:T1:D7000",
        run_id: run?.run_id,
        part: 0,
        duration_ms: expect.any(Number),
      }),
    ]);
  });

  it("holds nothing that a person wrote and no secret, at the most talkative level", () => {
    const output = setup.gateway.stdout() + setup.gateway.stderr();
    const { DISCORD_BOT_TOKEN, ...others } = SECRETS;
    for (const secret of [MARKER, DISCORD_BOT_TOKEN, ...Object.values(others)])
      expect(output).not.toContain(secret);
    // Telegram's token is two halves; the second alone is enough to be one.
    expect(output).not.toContain(SECRETS.TELEGRAM_BOT_TOKEN.split(":")[1]);
  });
});
