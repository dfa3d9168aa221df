import { describe, expect, it } from "vitest";
import {
  CALL_AGAIN_MS,
  CALL_LINE_MAX,
  CALL_WAIT_MS_MAX,
  RATE_RESET_MS_MAX,
} from "../../src/domain/bounds.ts";
import { ModelBusy } from "../../src/domain/errors.ts";
import { Account, type AccountObserver, type ModelGate } from "../../src/models/account.ts";
import { calm, SimClock } from "../agent/support.ts";

const ENDLESS = new AbortController().signal;

interface Entered {
  readonly name: string;
  readonly over: () => void;
}

function bench() {
  const clock = new SimClock();
  const now = { inFlight: 0, waiting: 0 };
  const waits: Parameters<AccountObserver["waited"]>[0][] = [];
  const account = new Account("anthropic", clock, {
    inFlight: (_, more) => {
      now.inFlight += more;
    },
    waiting: (_, more) => {
      now.waiting += more;
    },
    waited: (wait) => waits.push(wait),
  });
  /** Who was let in, in that order, and who was turned away. */
  const entered: Entered[] = [];
  const failures: unknown[] = [];
  const enter = (
    gate: ModelGate,
    name: string,
    { signal = ENDLESS, leftMs = 300_000 }: { signal?: AbortSignal; leftMs?: number } = {},
  ) => {
    gate.enter(signal, { leftMs, waits: () => {} }).then(
      (over) => entered.push({ name, over }),
      (error: unknown) => failures.push(error),
    );
  };
  const names = async () => {
    await calm();
    return entered.map(({ name }) => name);
  };
  const end = (name: string) => entered.find((one) => one.name === name)?.over();
  const used = (resetsInMs: number, status = 200) => ({
    status,
    headers: new Headers({
      "anthropic-ratelimit-requests-remaining": "0",
      "anthropic-ratelimit-requests-reset": new Date(clock.nowMs() + resetsInMs).toISOString(),
    }),
  });
  return { clock, now, waits, account, enter, names, end, failures, used };
}

describe("the calls of one account", () => {
  it("are made so many at a time, whichever model they are of, in the order in which they came", async () => {
    const { account, enter, names, end, now, waits, clock } = bench();
    const [large, small] = [account.gateOf("large", 2), account.gateOf("small", 2)];
    enter(large, "a");
    enter(small, "b");
    enter(large, "c");
    enter(small, "d");
    expect(await names()).toEqual(["a", "b"]);
    expect(now).toEqual({ inFlight: 2, waiting: 2 });
    clock.advance(1_000);
    end("b");
    end("b");
    expect(await names()).toEqual(["a", "b", "c"]);
    end("a");
    end("c");
    expect(await names()).toEqual(["a", "b", "c", "d"]);
    end("d");
    expect(now).toEqual({ inFlight: 0, waiting: 0 });
    const wait = { provider: "anthropic", why: "concurrency", end: "called", ms: 1_000 };
    expect(waits).toEqual([wait, wait]);
  });

  it("leave the line when whoever waits is stopped", async () => {
    const { account, enter, names, end, now, waits, failures } = bench();
    const gate = account.gateOf("large", 1);
    const stop = new AbortController();
    enter(gate, "a");
    enter(gate, "b", { signal: stop.signal });
    enter(gate, "c");
    stop.abort(new Error("stopped"));
    enter(gate, "d", { signal: stop.signal });
    expect(await names()).toEqual(["a"]);
    end("a");
    expect(await names()).toEqual(["a", "c"]);
    expect(failures).toEqual([new Error("stopped"), new Error("stopped")]);
    expect(now).toEqual({ inFlight: 1, waiting: 0 });
    expect(waits.map(({ end: how }) => how)).toEqual(["given_up", "called"]);
  });

  it("wait until the reset when nothing is left; then one goes, and its answer lets the others follow", async () => {
    const { account, enter, names, used, clock, waits } = bench();
    const gate = account.gateOf("large");
    enter(gate, "a");
    gate.heard(used(30_000));
    for (const name of ["b", "c", "d"]) enter(gate, name);
    clock.advance(29_999);
    expect(await names()).toEqual(["a"]);
    clock.advance(1);
    expect(await names()).toEqual(["a", "b"]);
    gate.heard({ status: 200, headers: new Headers() });
    expect(await names()).toEqual(["a", "b", "c", "d"]);
    expect(waits).toHaveLength(3);
    expect(waits[0]).toEqual({ provider: "anthropic", why: "rate_limit", end: "called", ms: 30_000 });
  });

  it("follow when the first after a reset has ended without an answer", async () => {
    const { account, enter, names, end, used, clock } = bench();
    const gate = account.gateOf("large");
    gate.heard(used(1_000));
    enter(gate, "a");
    enter(gate, "b");
    clock.advance(1_000);
    expect(await names()).toEqual(["a"]);
    end("a");
    expect(await names()).toEqual(["a", "b"]);
  });

  it("are not more than what is left, until the provider says that there is more", async () => {
    const { account, enter, names, clock } = bench();
    const gate = account.gateOf("large");
    const left = (remaining: string) => ({
      status: 200,
      headers: new Headers({
        "x-ratelimit-remaining-requests": remaining,
        "x-ratelimit-reset-requests": "20s",
      }),
    });
    gate.heard(left("1"));
    for (const name of ["a", "b", "c"]) enter(gate, name);
    expect(await names()).toEqual(["a"]);
    gate.heard(left("1"));
    expect(await names()).toEqual(["a", "b"]);
    clock.advance(20_000);
    expect(await names()).toEqual(["a", "b", "c"]);
  });

  it("wait as long as a refused one was asked to, and those of other models go on", async () => {
    const { account, enter, names, clock } = bench();
    const [large, small] = [account.gateOf("large", 1), account.gateOf("small", 1)];
    large.heard({ status: 429, headers: new Headers({ "retry-after": "10" }) });
    enter(large, "a");
    enter(small, "b");
    expect(await names()).toEqual(["b"]);
    clock.advance(10_000);
    expect(await names()).toEqual(["b"]);
  });

  it.each([
    ["a day, of which no more than some minutes are believed", 86_400_000, 300_000, RATE_RESET_MS_MAX],
    ["longer than a call may wait here", CALL_WAIT_MS_MAX, 300_000, CALL_WAIT_MS_MAX],
    ["longer than the run has time", 20_000, 20_000, 20_000],
  ])("go back to the queue when the reset is in %s", async (_, resetsInMs, leftMs, retryAfterMs) => {
    const { account, enter, names, failures, used, waits, now } = bench();
    const gate = account.gateOf("large");
    gate.heard(used(resetsInMs));
    enter(gate, "a", { leftMs });
    expect(await names()).toEqual([]);
    expect(failures).toEqual([expect.any(ModelBusy)]);
    expect(failures[0]).toMatchObject({ code: "MODEL_RATE_LIMITED", retryable: true, retryAfterMs });
    expect(waits).toMatchObject([{ why: "rate_limit", end: "deferred" }]);
    expect(now).toEqual({ inFlight: 0, waiting: 0 });
  });

  it("go back to the queue when they have waited in line for long, and when the line is full", async () => {
    const { account, enter, names, failures, clock, now, waits } = bench();
    const gate = account.gateOf("large", 1);
    enter(gate, "a");
    for (let one = 0; one < CALL_LINE_MAX; one++) enter(gate, "b");
    await calm();
    expect(failures).toEqual([]);
    enter(gate, "c");
    await calm();
    expect(failures).toEqual([expect.objectContaining({ retryAfterMs: CALL_AGAIN_MS })]);
    expect(now).toEqual({ inFlight: 1, waiting: CALL_LINE_MAX });
    clock.advance(CALL_WAIT_MS_MAX);
    await calm();
    expect(await names()).toEqual(["a"]);
    expect(failures).toHaveLength(CALL_LINE_MAX + 1);
    expect(now).toEqual({ inFlight: 1, waiting: 0 });
    expect(new Set(waits.map(({ end: how }) => how))).toEqual(new Set(["deferred"]));
  });
});
