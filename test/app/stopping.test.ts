import process from "node:process";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { onSignals } from "../../src/app/stopping.ts";

type Signal = "SIGTERM" | "SIGINT";

describe("signals to stop", () => {
  let nowMs: number;
  let told: string[];
  let leave: () => void;
  beforeEach(() => {
    nowMs = 5_000;
    told = [];
    leave = onSignals(
      (how) => told.push(how),
      () => nowMs,
    );
  });
  afterEach(() => leave());

  function after(ms: number, signal: Signal): void {
    nowMs += ms;
    process.emit(signal);
  }

  it.each<[Signal, Signal]>([
    ["SIGTERM", "SIGTERM"],
    ["SIGINT", "SIGINT"],
    ["SIGTERM", "SIGINT"],
    ["SIGINT", "SIGTERM"],
  ])("%s and %s within a tenth of a second are one request", (first, second) => {
    after(0, first);
    after(8, second);
    after(91, second);
    expect(told).toEqual(["drain"]);
  });

  it("a tenth of a second apart are two, and the second means at once", () => {
    after(0, "SIGTERM");
    after(100, "SIGTERM");
    expect(told).toEqual(["drain", "at-once"]);
  });
});
