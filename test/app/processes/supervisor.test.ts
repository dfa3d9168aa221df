import { beforeEach, describe, expect, it } from "vitest";
import type { ToProcess } from "../../../src/app/processes/messages.ts";
import { Supervisor } from "../../../src/app/processes/supervisor.ts";
import { silentLogger } from "../../../src/telemetry/log.ts";
import { createMetrics, type Metrics } from "../../../src/telemetry/metrics.ts";
import { FakeClock } from "../../support/clock.ts";
import { countOf } from "../../support/metrics.ts";
import { FakeChild } from "./children.ts";

let clock: FakeClock;
let metrics: Metrics;
let said: string[];
/** In the order in which they were started. */
let started: FakeChild[];
let supervisor: Supervisor;
let exitCode: Promise<number>;

beforeEach(() => {
  clock = new FakeClock();
  metrics = createMetrics();
  said = [];
  started = [];
  supervisor = new Supervisor({
    processes: 2,
    fork(n) {
      const child = new FakeChild(n);
      started.push(child);
      return child;
    },
    clock,
    random: () => 0.999,
    log: silentLogger(),
    metrics,
    print: (text) => said.push(text),
  });
  exitCode = supervisor.run();
});

const soon = () => new Promise((resolve) => setImmediate(resolve));
const kindsHeard = (child: FakeChild | undefined) => child?.heard.map(({ kind }: ToProcess) => kind);

async function advance(ms: number): Promise<void> {
  clock.advance(ms);
  await soon();
}

function allUp(): void {
  for (const child of started) child.comesUp();
}

/** The process that runs as number `n`. */
function current(n: number): FakeChild {
  const child = started.findLast((one) => one.n === n);
  if (child === undefined) throw new Error(`Expected a process ${n}, got none`);
  return child;
}

describe("a supervisor", () => {
  it("says once where they listen, when all of them do", () => {
    expect(started.map(({ n }) => n)).toEqual([1, 2]);
    current(1).comesUp();
    expect(said).toEqual([]);
    current(2).comesUp();
    expect(said).toEqual(["banner of 2"]);
  });

  it("starts a process again that ends, and says nothing new", async () => {
    allUp();
    current(1).ends({ signal: "SIGKILL" });
    await soon();
    expect(started).toHaveLength(2);
    await advance(500);
    expect(started.map(({ n }) => n)).toEqual([1, 2, 1]);
    current(1).comesUp();
    expect(said).toEqual(["banner of 2"]);
    expect(await countOf(metrics, "processDeaths")).toBe(1);
  });

  it("waits longer each time, up to a quarter of a minute, and anew after a good while", async () => {
    allUp();
    const waits: number[] = [];
    for (let n = 0; n < 8; n++) {
      current(1).ends({ code: 1 });
      await soon();
      const waitMs = (clock.nextWakeMs ?? 0) - clock.nowMs();
      waits.push(waitMs);
      await advance(waitMs);
      current(1).comesUp();
    }
    expect(waits).toEqual([500, 1_000, 1_999, 3_998, 7_996, 14_993, 14_993, 14_993]);
    clock.advance(60_000);
    current(1).ends({ code: 1 });
    await soon();
    expect((clock.nextWakeMs ?? 0) - clock.nowMs()).toBe(500);
  });

  it("gives up when a process cannot start, with its exit code and its reason, once", async () => {
    current(1).tells({ kind: "failed", code: 78, reason: "STORE_UNSAFE: allkeys-lru" });
    current(1).ends({ code: 78 });
    await soon();
    expect(said).toEqual(["STORE_UNSAFE: allkeys-lru"]);
    expect(kindsHeard(current(2))).toEqual(["drain"]);
    current(2).tells({ kind: "failed", code: 78, reason: "STORE_UNSAFE: allkeys-lru" });
    current(2).ends({ code: 78 });
    expect(await exitCode).toBe(78);
    expect(said).toHaveLength(1);
  });

  it("does not take a kill for one that cannot start", async () => {
    current(1).ends({ signal: "SIGKILL" });
    await advance(500);
    allUp();
    expect(said).toEqual(["banner of 2"]);
  });

  it("goes on while one listens, however often another fails to start", async () => {
    allUp();
    for (let n = 0; n < 20; n++) {
      current(1).ends({ code: 69 });
      await soon();
      await advance(15_000);
    }
    expect(kindsHeard(current(2))).toEqual([]);
    expect(started.filter(({ n }) => n === 1)).toHaveLength(21);
  });

  it("gives up when none listens and starting does not help", async () => {
    allUp();
    current(2).ends({ code: 1 });
    for (let n = 0; n < 5; n++) {
      await advance(n === 0 ? 0 : 15_000);
      current(1).tells({ kind: "failed", code: 69, reason: "STORE_UNAVAILABLE: no connection" });
      current(1).ends({ code: 69 });
      await soon();
    }
    expect(said.at(-1)).toBe("STORE_UNAVAILABLE: no connection");
    for (const { heard, n } of started.slice(2)) if (n === 2) expect(heard).toEqual([{ kind: "drain" }]);
    current(2).ends({ code: 0 });
    expect(await exitCode).toBe(69);
  });
});

describe("a supervisor that is told to stop", () => {
  beforeEach(() => allUp());

  it("drains all, waits for the last, and gives 0", async () => {
    supervisor.stop();
    expect(started.map(kindsHeard)).toEqual([["drain"], ["drain"]]);
    current(1).ends({ code: 0 });
    expect(await Promise.race([exitCode, soon().then(() => "waits")])).toBe("waits");
    current(2).ends({ code: 0 });
    expect(await exitCode).toBe(0);
    await advance(60_000);
    expect(started).toHaveLength(2);
  });

  it("tells it again to one that could not hear it yet", async () => {
    current(1).ends({ signal: "SIGKILL" });
    await soon();
    await advance(500);
    supervisor.stop();
    current(1).tells({ kind: "here" });
    expect(kindsHeard(current(1))).toEqual(["drain", "drain"]);
  });

  it("does not start again what had ended before", async () => {
    current(1).ends({ code: 1 });
    await soon();
    supervisor.stop();
    current(2).ends({ code: 0 });
    expect(await exitCode).toBe(0);
    await advance(60_000);
    expect(started).toHaveLength(2);
  });

  it("ends them at once when told twice, and gives 130", async () => {
    supervisor.stop();
    supervisor.stop();
    expect(kindsHeard(current(1))).toEqual(["drain", "stop-at-once"]);
    for (const child of started) child.ends({ code: 130 });
    expect(await exitCode).toBe(130);
  });

  it("says by its exit code that a drain failed", async () => {
    supervisor.stop();
    current(1).ends({ code: 1 });
    current(2).ends({ code: 0 });
    expect(await exitCode).toBe(1);
  });

  it("kills what does not end by itself", async () => {
    supervisor.stop();
    current(1).ends({ code: 0 });
    await advance(32_000);
    expect(started.map(({ killed }) => killed)).toEqual([false, true]);
    expect(await exitCode).toBe(1);
  });
});

describe("a question of one process to the others", () => {
  const HOLD = { kind: "hold", identity: "1:2" } as const;
  const HELD = { kind: "held", id: "bak_1", path: "/data/spool-1.db", bytes: 1, identity: "1:2" } as const;

  function askedOf(child: FakeChild): number {
    const asked = child.heard.findLast((message) => message.kind === "asked");
    if (asked?.kind !== "asked") throw new Error(`Expected ${child.n} to be asked`);
    return asked.id;
  }
  const answers = () => current(1).heard.filter(({ kind }) => kind === "answered");

  beforeEach(() => allUp());

  it("gets to them, and not to itself, and the answer back to it", async () => {
    current(1).tells({ kind: "ask", id: 7, question: HOLD });
    expect(kindsHeard(current(1))).toEqual([]);
    current(2).tells({ kind: "answer", id: askedOf(current(2)), answer: HELD });
    await soon();
    expect(answers()).toEqual([{ kind: "answered", id: 7, answer: HELD }]);
  });

  it("is answered with nothing where none has it", async () => {
    current(1).tells({ kind: "ask", id: 8, question: HOLD });
    current(2).tells({ kind: "answer", id: askedOf(current(2)), answer: null });
    await soon();
    expect(answers()).toEqual([{ kind: "answered", id: 8, answer: null }]);
  });

  it("does not wait for ever for one that is stuck", async () => {
    current(1).tells({ kind: "ask", id: 9, question: HOLD });
    await soon();
    expect(answers()).toEqual([]);
    await advance(20_000);
    expect(answers()).toEqual([{ kind: "answered", id: 9, answer: null }]);
    // What comes after all is for nobody.
    current(2).tells({ kind: "answer", id: askedOf(current(2)), answer: HELD });
    await soon();
    expect(answers()).toHaveLength(1);
  });
});
