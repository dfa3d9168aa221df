import { expect, it } from "vitest";
import { countsMerged } from "../../src/dispatch/merged.ts";
import type { Job, Queue, Settlement } from "../../src/ports/queue.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { anEvent } from "../support/event.ts";
import { countOf } from "../support/metrics.ts";

const DONE = { kind: "done" } as Settlement;
const [one, two, three] = ["one", "two", "three"].map((id) => anEvent({ id }));

function claimed(events: Job["events"] = [one].flatMap((event) => event ?? [])): Job {
  return { event: events[0], events } as Job;
}

it("counts what was answered together once, however often its attempt was repeated, and when it was", async () => {
  const metrics = createMetrics();
  let isHeld = false;
  const inner = {
    join: async () => [two, three],
    settle: async () => isHeld,
  } as unknown as Queue;
  const queue = countsMerged(inner, metrics);
  const merged = () => countOf(metrics, "eventsMerged", { platform: "slack" });

  const first = claimed();
  // Who works on it may have looked up the roles of its sender.
  await queue.join({ ...first });
  await queue.settle(first, DONE);
  expect(await merged()).toBe(0);

  isHeld = true;
  const second = claimed([one, two, three].flatMap((event) => event ?? []));
  await queue.settle(second, { kind: "retry" } as Settlement);
  expect(await merged()).toBe(0);
  await queue.settle(second, DONE);
  expect(await merged()).toBe(2);

  const third = claimed();
  await queue.join({ ...third });
  await queue.settle(third, DONE);
  expect(await merged()).toBe(4);
});
