import { expect, it } from "vitest";
import { Batcher } from "../../src/store/sqlite/batcher.ts";
import { createFront } from "../../src/store/sqlite/front.ts";
import type { Request, Status } from "../../src/store/sqlite/protocol.ts";
import { Readiness } from "../../src/store/sqlite/readiness.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { anOffer } from "../support/store.ts";

const NOTHING: Status = { claimable: false, wakeAtMs: null };

it("an event that is offered wakes who waits to claim, so that both share a commit", async () => {
  const sent: string[][] = [];
  const clock = new FakeClock();
  const readiness = new Readiness(clock, NOTHING);
  const batcher: Batcher = new Batcher({
    transport: { send: (requests: readonly Request[]) => void sent.push(requests.map(([kind]) => kind)) },
    schedule: setImmediate,
    onStatus: (status) => readiness.update(status),
  });
  const nothing = {
    file: "none",
    scrub: async () => 0,
    lookAt: async () => "busy" as const,
    close: async () => {},
  };
  const store = createFront({ batcher, readiness, clock, durability: "power", ...nothing });
  const { signal } = new AbortController();
  const claimed = store.queue
    .ready(signal)
    .then(() => store.queue.claim({ jobsMax: 1, leaseMs: 1_000, controlOnly: false }));
  const accepted = store.inbox.accept(anOffer(anEvent()));
  await new Promise((done) => setImmediate(done));
  expect(sent).toEqual([["accept", "claim"]]);
  // One that was known already leaves nothing to claim, and nobody asks again for it.
  batcher.onReply({ results: ["duplicate", []], failures: [], status: NOTHING });
  expect([await accepted, await claimed]).toEqual([{ kind: "duplicate" }, []]);
  let isReady = false;
  store.queue.ready(signal).then(
    () => {
      isReady = true;
    },
    () => {},
  );
  await new Promise((done) => setImmediate(done));
  expect([isReady, sent.length]).toEqual([false, 1]);
});
