import { expect, it } from "vitest";
import { breakerWatch } from "../../src/app/breaker-watch.ts";
import { Breakers } from "../../src/domain/breaker.ts";
import type { HookMessage } from "../../src/domain/hook.ts";
import { toldQueue } from "../../src/hooks/told-queue.ts";
import type { Hooks } from "../../src/ports/hooks.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { anOffer, LEASE_MS, openTestStore } from "../support/store.ts";

/** What stands there, in order. */
function heard(steps: string[] = []) {
  const messages: HookMessage[] = [];
  const hooks: Hooks = {
    async publish(message) {
      steps.push(`publish ${message.type}`);
      messages.push(message);
      return async () => {
        steps.push("take back");
      };
    },
    emit: (message) => messages.push(message),
  };
  return { messages, hooks };
}

it("hooks hear of a dead letter before it is one, and of each death by a key of its own", async () => {
  const clock = new FakeClock();
  const { inbox, queue, archive } = await openTestStore(clock);
  const steps: string[] = [];
  const { messages, hooks } = heard(steps);
  const settle: typeof queue.settle = (job, settlement) => {
    steps.push(`settle ${settlement.kind}`);
    return queue.settle(job, settlement);
  };
  const told = toldQueue({ ...queue, settle, claim: (options) => queue.claim(options) }, hooks, clock);
  const event = anEvent({ id: "slack:1", text: "my words" });
  const claimed = async () =>
    (await told.claim({ jobsMax: 1, leaseMs: LEASE_MS }))[0] ?? expect.fail("nothing to claim");
  await inbox.accept(anOffer(event));
  const job = await claimed();
  expect(await told.settle(job, { kind: "dead", cause: "gave up" })).toBe(true);
  expect(steps).toEqual(["publish event.dead", "settle dead"]);
  expect(messages[0]).toMatchObject({
    type: "event.dead",
    eventId: "slack:1",
    data: { event_id: "slack:1", cause: "gave up", attempts: 1, agent: job.agent },
  });
  expect(JSON.stringify(messages)).not.toContain("my words");
  // Somebody else has it by now: it did not die here.
  expect(await told.settle(job, { kind: "dead", cause: "gave up" })).toBe(false);
  expect(steps.slice(2)).toEqual(["publish event.dead", "settle dead", "take back"]);
  expect(messages[1]?.key).toBe(messages[0]?.key);

  clock.advance(1_000);
  expect(await archive.replay("slack:1", { by: "ann", mode: "anew", states: ["dead"] })).toBe("queued");
  const again = await claimed();
  await told.settle(again, { kind: "dead", cause: "gave up" });
  expect(messages.at(-1)?.key).not.toBe(messages[0]?.key);
  await told.settle(again, { kind: "dropped", cause: "x" });
  expect(messages).toHaveLength(3);
});

it("hooks hear when a model is left alone, and that it refuses us, and when it is well", () => {
  const clock = new FakeClock();
  const { messages, hooks } = heard();
  const watch = breakerWatch("model", { hooks, clock, log: silentLogger(), metrics: createMetrics() });
  const breaker = new Breakers(clock, watch).of("anthropic/x");
  breaker.enter()("refused", { code: "MODEL_AUTH", message: "a key that is not valid" });
  breaker.reset();
  expect(messages.map(({ type, data }) => [type, data.name, data.code])).toEqual([
    ["breaker.opened", "anthropic/x", "MODEL_AUTH"],
    ["model.refused", "anthropic/x", "MODEL_AUTH"],
    ["breaker.closed", "anthropic/x", undefined],
  ]);
});
