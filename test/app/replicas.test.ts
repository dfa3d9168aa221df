import { randomBytes } from "node:crypto";
import { beforeEach, expect, it } from "vitest";
import { Replicas, SAY_MS } from "../../src/app/replicas.ts";
import type { Store } from "../../src/ports/store.ts";
import { Seal } from "../../src/shared/seal.ts";
import { resealAll } from "../../src/store/secrets.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { FakeClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";
import { openTestStore } from "../support/store.ts";

let clock: FakeClock;
let store: Store;
beforeEach(async () => {
  clock = new FakeClock();
  store = await openTestStore(clock);
});

function replica(id: string, role = "all", vault = store.vault): Replicas {
  const self = { id, host: "here", pid: 7, role, version: "1.2.3", startedAtMs: clock.nowMs() };
  return new Replicas({ vault, clock, log: silentLogger(), self, configuration: () => "c0ffee" });
}
const idsOf = async (one: Replicas) => (await one.list()).map(({ id }) => id);

it("lists those that have said that they are there, the one that answers first", async () => {
  const [one, other] = [replica("rep_b"), replica("rep_a", "worker")];
  const stop = new AbortController();
  const saying = other.keepSaying(stop.signal);
  await eventually(async () => expect(clock.sleeping).toBe(1), 5_000);
  clock.advance(SAY_MS);
  await eventually(async () => expect(clock.sleeping).toBe(1), 5_000);
  expect(await one.list()).toEqual([
    expect.objectContaining({ id: "rep_b", role: "all", seenAtMs: clock.nowMs() }),
    {
      ...{ id: "rep_a", host: "here", pid: 7, role: "worker", version: "1.2.3", configuration: "c0ffee" },
      ...{ startedAtMs: clock.nowMs() - SAY_MS, seenAtMs: clock.nowMs() },
    },
  ]);
  stop.abort();
  await saying;
});

it("is no secret that no key opens, as a process looks through them at its start", async () => {
  await replica("rep_a").list();
  expect(await resealAll(new Seal([randomBytes(32)]), store.vault)).toEqual({ resealed: 0, unreadable: [] });
});

it("lists one that was killed for an hour, and one that left no more", async () => {
  const [one, killed, left] = [replica("rep_1"), replica("rep_2"), replica("rep_3")];
  await killed.list();
  await left.list();
  await left.leave();
  clock.advance(3_600_000);
  expect(await idsOf(one)).toEqual(["rep_1", "rep_2"]);
  clock.advance(1);
  expect(await idsOf(one)).toEqual(["rep_1"]);
  expect(await store.vault.get("replica/rep_2")).toBeNull();
});

it("takes what it cannot read out of the list", async () => {
  await store.vault.put("replica/rep_x", "[1]");
  await store.vault.put("replica/rep_y", '{"host":"here"}');
  expect(await idsOf(replica("rep_1"))).toEqual(["rep_1"]);
});

it("goes on when the store is away", async () => {
  let isAway = true;
  const vault: Store["vault"] = {
    ...store.vault,
    put: (...args) => (isAway ? Promise.reject(new Error("away")) : store.vault.put(...args)),
  };
  const one = replica("rep_1", "all", vault);
  const stop = new AbortController();
  const saying = one.keepSaying(stop.signal);
  await eventually(async () => expect(clock.sleeping).toBe(1), 5_000);
  await expect(one.list()).rejects.toThrow("away");
  isAway = false;
  clock.advance(SAY_MS);
  await eventually(async () => expect(await store.vault.get("replica/rep_1")).not.toBeNull(), 5_000);
  stop.abort();
  await saying;
});
