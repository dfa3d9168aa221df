import { describe, expect, it } from "vitest";
import { type Heap, Leftovers, UsedUp } from "../../src/telemetry/heap.ts";

const MIB = 1024 * 1024;

function heapOf(livingMib: number) {
  const state = { mib: livingMib, livingMib, busy: 0, collections: 0 };
  const heap: Heap = {
    bytes: () => state.mib * MIB,
    busy: () => state.busy,
    collect() {
      state.collections++;
      state.mib = state.livingMib;
    },
  };
  return { state, heap };
}

describe("what a busy time leaves behind", () => {
  it("is collected once nothing happens, and once", () => {
    const { state, heap } = heapOf(40);
    const leftovers = new Leftovers(heap);
    state.mib = 200;
    expect([leftovers.look(), leftovers.look()]).toEqual([true, false]);
    expect(state).toMatchObject({ mib: 40, collections: 1 });
  });

  it("stays while there is something to do, and while it is little", () => {
    const { state, heap } = heapOf(40);
    const leftovers = new Leftovers(heap);
    state.mib = 47;
    expect(leftovers.look()).toBe(false);
    state.mib = 200;
    state.busy = 0.5;
    expect(leftovers.look()).toBe(false);
    state.busy = 0.1;
    expect(leftovers.look()).toBe(true);
  });

  it("is left to V8 where much lives, because everybody would wait for a collection", () => {
    const { state, heap } = heapOf(40);
    const leftovers = new Leftovers(heap);
    state.mib = state.livingMib = 400;
    expect([leftovers.look(), state.collections]).toEqual([true, 1]);
    state.mib = 500;
    expect([leftovers.look(), state.collections]).toEqual([false, 1]);
  });

  it("is collected again once less lives", () => {
    const { state, heap } = heapOf(40);
    const leftovers = new Leftovers(heap);
    state.mib = state.livingMib = 400;
    leftovers.look();
    state.mib = state.livingMib = 60;
    leftovers.look();
    state.mib = 90;
    expect(leftovers.look()).toBe(true);
  });
});

describe("buffers that are used up", () => {
  it("are collected each time that there are so many", () => {
    let collections = 0;
    const usedUp = new UsedUp(8 * MIB, () => collections++);
    for (let i = 0; i < 100; i++) usedUp.add(MIB / 2);
    expect(collections).toBe(6);
  });

  it("are gone after that", () => {
    const usedUp = new UsedUp(MIB);
    const before = process.memoryUsage().arrayBuffers;
    // Each is dropped at once.
    for (let i = 0; i < 64; i++) usedUp.add(Buffer.alloc(MIB, 1).length);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * MIB);
  });
});
