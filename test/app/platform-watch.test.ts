import { beforeEach, describe, expect, it } from "vitest";
import { PlatformWatch } from "../../src/app/platform-watch.ts";
import type { Adapter, ProbeFinding } from "../../src/ports/adapter.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { FakeAdapter } from "../support/adapter.ts";
import { FakeClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";

const WELL: ProbeFinding = { status: "ok", message: "takes it", fix: null, code: null };
const REFUSED: ProbeFinding = { status: "fail", message: "no", fix: "another", code: "PLATFORM_REFUSED" };
const MISMATCH: ProbeFinding = { status: "fail", message: "not one", fix: "one", code: "PLATFORM_MISMATCH" };
const DOUBTFUL: ProbeFinding = { status: "warn", message: "hm", fix: "look", code: null };
const LOST = { code: "DELIVERY_UNKNOWN", message: "connection lost" };

let clock: FakeClock;
let watch: PlatformWatch;
let findings: readonly ProbeFinding[];
let probes: number;
let adapter: Adapter;
let over: AbortController;

beforeEach(() => {
  clock = new FakeClock();
  watch = new PlatformWatch({ clock, random: () => 0.5, log: silentLogger() });
  findings = [WELL];
  probes = 0;
  over = new AbortController();
  adapter = Object.assign(new FakeAdapter("slack"), {
    probe: async () => {
      probes++;
      return findings;
    },
  });
});

const report = () => watch.report("slack");
/** Until it has looked for the nth time, and sleeps. */
const looked = (n: number) =>
  eventually(async () => expect([probes, clock.sleeping]).toEqual([n, 1]), 10_000);

describe("the watch over a platform", () => {
  it("knows nothing against one that is well, or only doubtful, and looks every five minutes", async () => {
    findings = [WELL, DOUBTFUL];
    const watching = watch.watch(adapter, over.signal);
    await looked(1);
    expect(report()).toBe(null);
    for (let at = 0; at < 10; at++) {
      expect(probes).toBe(1);
      clock.advance(30_000);
      await eventually(async () => expect(clock.sleeping).toBe(1), 10_000);
    }
    await looked(2);
    over.abort();
    await watching;
  });

  it("tells that one refuses us since when, looks sooner, and forgets it when it is well", async () => {
    findings = [WELL, REFUSED];
    void watch.watch(adapter, over.signal);
    await looked(1);
    const since = new Date(clock.nowMs()).toISOString();
    const told = { status: "degraded", code: "PLATFORM_REFUSED", details: "no", since };
    expect(report()).toEqual(told);
    clock.advance(30_000);
    await looked(2);
    expect(report()).toEqual(told);
    findings = [WELL];
    clock.advance(30_000);
    await looked(3);
    expect(report()).toBe(null);
    over.abort();
  });

  it("goes by the last reply, which brings the next look forward", async () => {
    void watch.watch(adapter, over.signal);
    await looked(1);
    watch.called("slack", "failed", LOST);
    expect(report()).toMatchObject({ code: "DELIVERY_UNKNOWN", details: "connection lost" });
    watch.called("slack", "unknown");
    expect(report()).not.toBe(null);
    watch.called("slack", "ok");
    expect(report()).toBe(null);
    watch.called("slack", "failed", LOST);
    clock.advance(30_000);
    await looked(2);
    expect(report()).toBe(null);
    over.abort();
  });

  it("does not take a reply that got through for settings that belong together", async () => {
    findings = [MISMATCH];
    void watch.watch(adapter, over.signal);
    await looked(1);
    watch.called("slack", "ok");
    expect(report()).toMatchObject({ code: "PLATFORM_MISMATCH" });
    over.abort();
  });

  it("of a platform that cannot be looked at goes by its replies alone", async () => {
    await watch.watch(new FakeAdapter("slack"), over.signal);
    watch.called("slack", "refused", { code: "PLATFORM_REFUSED", message: "no" });
    expect(report()).toMatchObject({ code: "PLATFORM_REFUSED" });
  });
});
