import { describe, expect, it } from "vitest";
import { attemptOutcome } from "../../src/dispatch/outage.ts";
import { causeOf, Deferred, settlementFor } from "../../src/dispatch/settle.ts";
import { type AbortReason, RunAborted } from "../../src/domain/abort.ts";
import { BreakerOpen } from "../../src/domain/breaker.ts";
import { DeliveryError, GatewayError, ModelBusy, ModelError } from "../../src/domain/errors.ts";
import { NO_USAGE, type Progress } from "../../src/domain/run.ts";
import type { Job, Settlement } from "../../src/ports/queue.ts";
import { anEvent } from "../support/event.ts";

const POLICY = { attemptsMax: 3, baseMs: 2_000 };

/** After so many failures to say an answer that was there from the first attempt on. */
function jobAt(attempt: number): Job {
  const event = anEvent();
  return {
    event,
    events: [event],
    lane: event.conversation,
    kind: "message",
    agent: "assistant",
    busy: "queue",
    refusal: null,
    attempt,
    failures: attempt - 1,
    cutOffs: 0,
    crashes: 0,
    replay: 0,
    signals: [],
    token: 1,
    progress: ANSWERED,
    acceptedAtMs: event.occurredAtMs,
    waitsSinceMs: event.occurredAtMs,
  };
}

const ANSWERED: Progress = {
  runId: "run_1",
  agent: "assistant",
  startedAtMs: 0,
  steps: [],
  answer: { outcome: "answered", text: "yes", parts: [], usage: NO_USAGE },
};

function settled(error: unknown, { attempt = 1, random = 0.5 } = {}): Settlement | null {
  return settlementFor(error, jobAt(attempt), POLICY, () => random);
}

const busy = (retryAfterMs: number | null) =>
  new ModelError("MODEL_OVERLOADED", "busy", { retryable: true, retryAfterMs });

describe("a failure", () => {
  it("of a lost lease changes nothing: the event is somebody else's", () => {
    expect(settled(new RunAborted("lease-lost"))).toBeNull();
    expect(settled(new RunAborted("lease-lost"), { attempt: 99 })).toBeNull();
  });

  it.each<AbortReason>(["draining", "stopped"])("of a run that is %s hands the event back at once", (why) => {
    expect(settled(new RunAborted(why), { attempt: 99 })).toEqual({ kind: "defer", afterMs: 0, cause: why });
  });

  it("that only waits uses up no attempt, also the last one", () => {
    expect(settled(new Deferred("paused"), { attempt: 3 })).toEqual({
      kind: "defer",
      afterMs: 5_000,
      cause: "paused",
    });
    expect(settled(new Deferred("later", 70_000))).toMatchObject({ kind: "defer", afterMs: 70_000 });
  });

  it("of what no call may be made for now waits as long as its provider said, and uses up no attempt", () => {
    const busy = new ModelBusy("openai/gpt-5", 240_000);
    expect(settled(busy, { attempt: 3 })).toMatchObject({ kind: "defer", afterMs: 240_000 });
    expect(attemptOutcome(busy, new AbortController().signal)).toBe("deferred");
  });

  it("of what is left alone for now waits until it is asked again, and uses up no attempt", () => {
    expect(settled(new BreakerOpen("slack", 41_000), { attempt: 3 })).toEqual({
      kind: "defer",
      afterMs: 41_000,
      cause: "BREAKER_OPEN: Too many calls of slack failed: it is left alone for a while",
    });
  });

  it.each(["STORE_WRITE_FAILED", "STORE_UNAVAILABLE", "STORE_CLOSED"] as const)(
    "of the store (%s) waits until it is back, and uses up no attempt",
    (code) => {
      expect(settled(new GatewayError(code, "away"), { attempt: 3 })).toEqual({
        kind: "defer",
        afterMs: 5_000,
        cause: `${code}: away`,
      });
    },
  );

  it("of a delivery that is refused for good is dead at once", () => {
    expect(settled(new DeliveryError("rejected", "channel gone", { status: 404 }))).toEqual({
      kind: "dead",
      cause: "DELIVERY_REJECTED: channel gone",
    });
  });

  it.each([
    { what: "a delivery that was not sent", error: new DeliveryError("retry", "x") },
    { what: "a delivery that may have been sent", error: new DeliveryError("unknown", "x") },
    { what: "a busy model", error: busy(null) },
    { what: "our own code", error: new TypeError("x is not a function") },
    { what: "something that is not an error", error: "thrown text" },
  ])("of $what is tried again, later each time", ({ error }) => {
    const cause = causeOf(error);
    expect(settled(error, { attempt: 1, random: 0 })).toEqual({ kind: "retry", afterMs: 1_000, cause });
    expect(settled(error, { attempt: 2, random: 0 })).toEqual({ kind: "retry", afterMs: 2_000, cause });
    expect(settled(error, { attempt: 2, random: 0.5 })).toMatchObject({ afterMs: 3_000 });
  });

  it("to say an answer is counted from when there was an answer", () => {
    const failed = new DeliveryError("retry", "x");
    const retry = { kind: "retry", afterMs: 1_000 };
    const running = { ...ANSWERED, answer: null };
    for (const progress of [null, running]) {
      const firstTry = { ...jobAt(3), progress };
      expect(settlementFor(failed, firstTry, POLICY, () => 0)).toMatchObject(retry);
    }
    const secondTry = { ...jobAt(3), failures: 1 };
    expect(settlementFor(failed, secondTry, POLICY, () => 0)).toMatchObject({
      kind: "retry",
      afterMs: 2_000,
    });
    expect(settlementFor(failed, jobAt(3), POLICY, () => 0)).toMatchObject({ kind: "dead" });
  });

  it("to say a notice is counted from the first, for there is no answer behind it", () => {
    const refusal = { cause: "paused", detail: "kill_switch", noticeWindowMs: 1_000 } as const;
    const at = (attempt: number): Job => ({ ...jobAt(attempt), progress: null, refusal });
    const failed = new DeliveryError("retry", "x");
    expect(settlementFor(failed, at(2), POLICY, () => 0)).toMatchObject({ kind: "retry", afterMs: 2_000 });
    expect(settlementFor(failed, at(3), POLICY, () => 0)).toMatchObject({ kind: "dead" });
  });

  it("by too many calls waits as long as it was told, and uses up no attempt", () => {
    const throttled = (retryAfterMs: number | null) =>
      new DeliveryError("retry", "x", { status: 429, retryAfterMs });
    expect(settled(throttled(41_000), { attempt: 3 })).toMatchObject({ kind: "defer", afterMs: 41_000 });
    expect(settled(throttled(null), { attempt: 3 })).toMatchObject({ kind: "defer", afterMs: 1_000 });
  });

  it("after many deaths of the process is only the first failure", () => {
    const job = { ...jobAt(19), failures: 0 };
    expect(settlementFor(busy(null), job, POLICY, () => 0)).toMatchObject({ kind: "retry", afterMs: 1_000 });
  });

  it("of the last attempt is dead, with the cause", () => {
    const dead = { kind: "dead", cause: "gave up after 3 attempts: MODEL_OVERLOADED: busy" };
    expect(settled(busy(null), { attempt: 2 })).toMatchObject({ kind: "retry" });
    expect(settled(busy(null), { attempt: 3 })).toEqual(dead);
  });

  it("is not tried again before the other side said, nor sooner than our own delay", () => {
    const limited = new DeliveryError("retry", "slow down", { status: 503, retryAfterMs: 60_000 });
    expect(settled(limited)).toMatchObject({ kind: "retry", afterMs: 60_000 });
    expect(settled(busy(45_000))).toMatchObject({ kind: "retry", afterMs: 45_000 });
    expect(settled(busy(10))).toMatchObject({ kind: "retry", afterMs: 1_500 });
  });
});

describe("a cause", () => {
  it("is the code and the message of a fault, the name and the message of a bug", () => {
    expect(causeOf(new GatewayError("STORE_CLOSED", "closed"))).toBe("STORE_CLOSED: closed");
    expect(causeOf(new TypeError("no"))).toBe("TypeError: no");
    expect(causeOf(42)).toBe("42");
  });
});
