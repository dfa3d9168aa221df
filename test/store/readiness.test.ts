import { expect, it } from "vitest";
import { Readiness } from "../../src/store/sqlite/readiness.ts";
import { FakeClock } from "../support/clock.ts";

/** What the system says of the time may be set; its timers do not hear of it. */
class SetClock extends FakeClock {
  setMs = 0;

  override nowMs(): number {
    return super.nowMs() + this.setMs;
  }

  override sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    const { setMs } = this;
    this.setMs = 0;
    const sleeping = super.sleep(durationMs, signal);
    this.setMs = setMs;
    return sleeping;
  }
}

it("what is due soon is not waited for longer because the clock was set forward meanwhile", async () => {
  const clock = new SetClock();
  const readiness = new Readiness(clock, { claimable: false, wakeAtMs: clock.nowMs() + 60_000 });
  let isReady = false;
  const ready = readiness.wait(new AbortController().signal).then(() => {
    isReady = true;
  });
  clock.setMs = 3_600_000;
  readiness.update({ claimable: false, wakeAtMs: clock.nowMs() + 1_000 });
  clock.advance(999);
  await Promise.resolve();
  expect(isReady).toBe(false);
  clock.advance(1);
  await ready;
});

it("a nap that ends sooner serves what is due later", () => {
  const clock = new FakeClock();
  const readiness = new Readiness(clock, { claimable: false, wakeAtMs: clock.nowMs() + 1_000 });
  void readiness.wait(new AbortController().signal);
  const firstAtMs = clock.nextWakeMs;
  readiness.update({ claimable: false, wakeAtMs: clock.nowMs() + 60_000 });
  expect(clock.nextWakeMs).toBe(firstAtMs);
});
