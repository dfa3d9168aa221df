import { beforeEach, describe, expect, it } from "vitest";
import { Breaker, BreakerOpen, Breakers, type CallEnd } from "../../src/domain/breaker.ts";
import { FakeClock } from "../support/clock.ts";

let clock: FakeClock;
let breaker: Breaker;
beforeEach(() => {
  clock = new FakeClock();
  breaker = new Breaker("fake/fake-1", clock);
});

function calls(count: number, end: CallEnd): void {
  for (let n = 0; n < count; n++) breaker.enter()(end);
}

describe("a breaker", () => {
  it("opens after ten failures in a row, not before", () => {
    calls(9, "failed");
    calls(1, "ok");
    calls(9, "failed");
    expect(breaker.state()).toBe("closed");
    calls(1, "failed");
    expect(breaker.state()).toBe("open");
  });

  it("opens when half of the calls of a minute failed", () => {
    for (let n = 0; n < 9; n++) {
      calls(1, "failed");
      calls(1, "ok");
    }
    calls(1, "ok");
    expect(breaker.state()).toBe("closed");
    calls(1, "failed");
    expect(breaker.state()).toBe("open");
  });

  it("forgets what is older than a minute", () => {
    for (let n = 0; n < 9; n++) {
      calls(1, "failed");
      calls(1, "ok");
    }
    clock.advance(60_000);
    calls(1, "ok");
    calls(1, "failed");
    expect(breaker.state()).toBe("closed");
  });

  it("says how long it will stay open", () => {
    calls(10, "failed");
    clock.advance(45_000);
    expect(() => breaker.enter()).toThrow(BreakerOpen);
    expect(() => breaker.enter()).toThrow(expect.objectContaining({ retryable: true, retryAfterMs: 15_000 }));
  });

  it("lets one call through after a minute, and closes when that succeeds", () => {
    calls(10, "failed");
    clock.advance(60_000);
    expect(breaker.state()).toBe("half-open");
    const leave = breaker.enter();
    expect(() => breaker.enter()).toThrow(BreakerOpen);
    leave("ok");
    expect(breaker.state()).toBe("closed");
    calls(9, "failed");
    expect(breaker.state()).toBe("closed");
  });

  it("stays open for another minute when the probe fails", () => {
    calls(10, "failed");
    clock.advance(60_000);
    calls(1, "failed");
    expect(breaker.state()).toBe("open");
    clock.advance(59_999);
    expect(breaker.state()).toBe("open");
    clock.advance(1);
    expect(breaker.state()).toBe("half-open");
  });

  it("lets another call probe when the first was broken off", () => {
    calls(10, "failed");
    clock.advance(60_000);
    calls(1, "unknown");
    expect(breaker.state()).toBe("half-open");
    calls(1, "ok");
    expect(breaker.state()).toBe("closed");
  });

  it("learns nothing from calls that began before it opened", () => {
    const early = breaker.enter();
    calls(10, "failed");
    early("ok");
    expect(breaker.state()).toBe("open");
  });

  const refusal = { code: "MODEL_AUTH", message: "401" };

  it("opens with the first refusal, and asks again one at a time until we are taken", () => {
    breaker.enter()("refused", refusal);
    expect(breaker.report()).toMatchObject({ state: "open", cause: refusal, sinceMs: clock.nowMs() });
    const sinceMs = clock.nowMs();
    for (let n = 0; n < 3; n++) {
      clock.advance(14_999);
      expect(() => breaker.enter()).toThrow("MODEL_AUTH");
      clock.advance(1);
      const leave = breaker.enter();
      expect(() => breaker.enter()).toThrow(BreakerOpen);
      leave("refused", refusal);
      expect(breaker.report()).toMatchObject({ state: "open", sinceMs });
    }
    clock.advance(15_000);
    breaker.enter()("ok");
    expect(breaker.report()).toEqual({
      ...{ name: "fake/fake-1", state: "closed", cause: null, sinceMs: null, retryAtMs: null },
      ...{ calls: 0, failures: 0, failuresInRow: 0, opens: 1 },
    });
  });

  it("says how calls of the last minute went, and when it asks again", () => {
    calls(2, "ok");
    clock.advance(60_000);
    calls(1, "ok");
    calls(2, "failed");
    expect(breaker.report()).toMatchObject({ calls: 3, failures: 2, failuresInRow: 2, opens: 0 });
    breaker.enter()("refused", refusal);
    expect(breaker.report()).toMatchObject({ opens: 1, retryAtMs: clock.nowMs() + 15_000 });
  });

  it("that an operator resets begins anew", () => {
    const closed: string[] = [];
    const told = new Breaker("told", clock, { opened: () => {}, closed: (name) => closed.push(name) });
    for (let n = 0; n < 10; n++) told.enter()("failed");
    told.reset();
    expect([told.state(), closed]).toEqual(["closed", ["told"]]);
    for (let n = 0; n < 9; n++) told.enter()("failed");
    told.reset();
    told.enter()("failed");
    expect(told.state()).toBe("closed");
  });

  it("tells once that it has opened, and why, and once that it has closed", () => {
    const told: unknown[] = [];
    const watched = new Breaker("m", clock, {
      opened: (name, { code }) => told.push([name, code]),
      closed: (name, openMs) => told.push([name, openMs]),
    });
    for (let n = 0; n < 10; n++) watched.enter()("failed", { code: "MODEL_OVERLOADED", message: "529" });
    expect(told).toEqual([["m", "MODEL_OVERLOADED"]]);
    clock.advance(60_000);
    watched.enter()("failed", refusal);
    clock.advance(60_000);
    watched.enter()("ok");
    watched.enter()("ok");
    expect(told).toEqual([
      ["m", "MODEL_OVERLOADED"],
      ["m", 120_000],
    ]);
  });

  it("is one for each name", () => {
    const all = new Breakers(clock);
    expect(all.of("a/x")).toBe(all.of("a/x"));
    for (let n = 0; n < 10; n++) all.of("a/x").enter()("failed");
    all.of("b/x");
    expect(all.reports().map(({ name, state }) => [name, state])).toEqual([
      ["a/x", "open"],
      ["b/x", "closed"],
    ]);
  });
});

describe("rules of one's own", () => {
  it("say after how many failures it opens, and for how long, from now on", () => {
    const breakers = new Breakers(clock);
    const [one, other] = [breakers.of("one"), breakers.of("other")];
    breakers.configure({ one: { failuresInRow: 3, openMs: 10_000 } });
    for (let n = 0; n < 3; n++) for (const each of [one, other]) each.enter()("failed");
    expect([one.state(), other.state()]).toEqual(["open", "closed"]);
    clock.advance(9_999);
    expect(one.state()).toBe("open");
    breakers.configure({ one: { openMs: 5_000 } });
    expect(one.state()).toBe("half-open");
    breakers.configure({});
    expect(one.state()).toBe("open");
    expect(one.report().retryAtMs).toBe(clock.nowMs() + 50_001);
  });

  it("say at which share of the calls of a minute it opens", () => {
    const breakers = new Breakers(clock);
    breakers.configure({ m: { failureRate: 0.2 } });
    const one = breakers.of("m");
    for (let n = 0; n < 20; n++) one.enter()(n % 5 === 4 ? "failed" : "ok");
    expect(one.state()).toBe("open");
  });

  it("leave a refusal as it is: that is asked again after 15 s", () => {
    const breakers = new Breakers(clock);
    breakers.configure({ m: { openMs: 600_000 } });
    breakers.of("m").enter()("refused");
    clock.advance(15_000);
    expect(breakers.of("m").state()).toBe("half-open");
  });
});
