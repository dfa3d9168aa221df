import { beforeEach, describe, expect, it } from "vitest";
import { Scrapes } from "../../../src/app/processes/scrapes.ts";
import { createMetrics, type Metrics } from "../../../src/telemetry/metrics.ts";
import { FakeClock } from "../../support/clock.ts";
import { FakeChild } from "./children.ts";

let clock: FakeClock;
let own: Metrics;
let scrapes: Scrapes;

beforeEach(() => {
  clock = new FakeClock();
  own = createMetrics();
  scrapes = new Scrapes(clock, async () => [await own.processDeaths.get()]);
});

/** A process with these metrics, as they look after having been sent. */
function childWith(metrics: Metrics): FakeChild {
  const child = new FakeChild(1);
  child.answer = (message) => {
    if (message.kind !== "snapshot") return;
    void metrics.snapshot().then((snapshot) => {
      scrapes.answered(message.id, JSON.parse(JSON.stringify(snapshot)));
    });
  };
  return child;
}

function metricsOf(accepted: number, queued: number, up: 0 | 1): Metrics {
  const metrics = createMetrics();
  metrics.webhooks.inc({ platform: "slack", outcome: "accepted" }, accepted);
  metrics.ackSeconds.observe({ platform: "slack" }, accepted);
  metrics.runsActive.set(accepted);
  metrics.queueEvents.set({ state: "queued" }, queued);
  metrics.storeUp.set(up);
  metrics.spoolEvents.set(accepted);
  metrics.buildInfo.set({ version: "1" }, 1);
  return metrics;
}

describe("the metrics of several processes", () => {
  it("are sums, but for what each reads from the store that they share", async () => {
    own.processDeaths.inc(2);
    const text = await scrapes.scrape([childWith(metricsOf(3, 50, 1)), childWith(metricsOf(4, 50, 1))]);
    for (const line of [
      'parley_webhooks_total{platform="slack",outcome="accepted"} 7',
      'parley_webhook_ack_duration_seconds_sum{platform="slack"} 7',
      'parley_webhook_ack_duration_seconds_bucket{le="+Inf",platform="slack"} 2',
      'parley_webhook_ack_duration_seconds_count{platform="slack"} 2',
      "parley_runs_active 7",
      "parley_spool_events 7",
      'parley_queue_events{state="queued"} 50',
      "parley_store_up 1",
      "parley_process_deaths_total 2",
      'parley_build_info{version="1"} 1',
    ])
      expect(text.split("\n")).toContain(line);
  });

  it("say that the store is away when it is for one", async () => {
    const text = await scrapes.scrape([childWith(metricsOf(1, 9, 0)), childWith(metricsOf(1, 8, 1))]);
    expect(text).toContain("parley_store_up 0\n");
    expect(text).toContain('parley_queue_events{state="queued"} 9\n');
  });

  it("keep what an ended process had counted, and not how things were with it", async () => {
    const [one, other] = [childWith(metricsOf(3, 50, 0)), childWith(metricsOf(4, 50, 1))];
    await scrapes.scrape([one, other]);
    scrapes.ended(one);
    const next = childWith(metricsOf(10, 50, 1));
    const text = await scrapes.scrape([other, next]);
    expect(text).toContain('parley_webhooks_total{platform="slack",outcome="accepted"} 17\n');
    expect(text).toContain('parley_webhook_ack_duration_seconds_sum{platform="slack"} 17\n');
    expect(text).toContain("parley_runs_active 14\n");
    expect(text).toContain("parley_store_up 1\n");
    scrapes.ended(next);
    expect(await scrapes.scrape([other])).toContain(
      'parley_webhooks_total{platform="slack",outcome="accepted"} 17\n',
    );
  });

  it("do not count a process twice that ends while it is looked at", async () => {
    const [one, slow] = [childWith(metricsOf(3, 5, 1)), childWith(metricsOf(4, 5, 1))];
    await scrapes.scrape([one, slow]);
    slow.answer = () => {};
    const scraped = scrapes.scrape([one, slow]);
    await new Promise((resolve) => setImmediate(resolve));
    scrapes.ended(one);
    clock.advance(3_000);
    expect(await scraped).toContain('parley_webhooks_total{platform="slack",outcome="accepted"} 7\n');
  });

  it("count one that is stuck as it was last seen", async () => {
    const [one, stuck] = [childWith(metricsOf(3, 5, 1)), childWith(metricsOf(4, 5, 1))];
    await scrapes.scrape([one, stuck]);
    stuck.answer = () => {};
    const scraped = scrapes.scrape([one, stuck]);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(3_000);
    expect(await scraped).toContain("parley_runs_active 7\n");
    expect(clock.sleeping).toBe(0);
  });

  it("are looked at once for all who ask at the same time", async () => {
    const child = childWith(metricsOf(3, 5, 1));
    const [first, second] = await Promise.all([scrapes.scrape([child]), scrapes.scrape([child])]);
    expect(first).toBe(second);
    expect(child.heard).toHaveLength(1);
    await scrapes.scrape([child]);
    expect(child.heard).toHaveLength(2);
  });
});
