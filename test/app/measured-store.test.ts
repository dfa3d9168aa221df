import { expect, it } from "vitest";
import { measured } from "../../src/app/measured-store.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { countOf } from "../support/metrics.ts";
import { anOffer, claimOne, openTestStore } from "../support/store.ts";

it("a measured store does what the store does, and counts its calls", async () => {
  const metrics = createMetrics();
  const store = measured(await openTestStore(new FakeClock()), metrics);
  expect(await store.inbox.accept(anOffer(anEvent()))).toEqual({ kind: "accepted" });
  const job = await claimOne(store.queue);
  expect(await store.outbox.reserve(job, `${job.event.id}/0`)).toEqual({ kind: "fresh", sendsBefore: 0 });
  await store.queue.settle(job, { kind: "done", outcome: "answered", turns: [] });
  expect(await store.journal.find(job.event.id)).toMatchObject({ state: "done" });

  const text = await metrics.scrape();
  for (const operation of ["accept", "claim", "reserve", "settle", "find"])
    expect(text).toContain(`parley_store_call_duration_seconds_count{operation="${operation}"} 1`);
  expect(text).not.toContain("parley_store_call_failures_total{");
});

it("a measured store counts failures by their code, and passes them on", async () => {
  const metrics = createMetrics();
  const inner = await openTestStore(new FakeClock());
  const fail = async () => {
    throw new GatewayError("STORE_UNAVAILABLE", "away");
  };
  const store = measured(
    {
      ...inner,
      inbox: { accept: fail },
      queue: { ...inner.queue, claim: () => Promise.reject(new TypeError("a fault of ours")) },
    },
    metrics,
  );
  await expect(store.inbox.accept(anOffer(anEvent()))).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  await expect(store.queue.claim({ jobsMax: 1, leaseMs: 1 })).rejects.toThrow("a fault of ours");
  const failures = { operation: "accept", code: "STORE_UNAVAILABLE" };
  expect(await countOf(metrics, "storeErrors", failures)).toBe(1);
  expect(await countOf(metrics, "storeErrors", { operation: "claim", code: "other" })).toBe(1);
});
