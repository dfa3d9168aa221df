import { describe, expect, it } from "vitest";
import { Turns } from "../../src/store/sqlite/turns.ts";

function shiftAll(turns: Turns<string>): string[] {
  const items: string[] = [];
  for (let item = turns.shift(); item !== undefined; item = turns.shift()) items.push(item);
  return items;
}

describe("nested turns", () => {
  it("go round each level, and keep the order at the last", () => {
    const turns = new Turns<string>(2);
    for (const name of ["1", "2", "3", "4"]) turns.push(["a", "x"], `ax${name}`);
    for (const name of ["1", "2"]) turns.push(["a", "y"], `ay${name}`);
    for (const name of ["1", "2"]) turns.push(["b", "x"], `bx${name}`);
    expect(shiftAll(turns)).toEqual(["ax1", "bx1", "ay1", "bx2", "ax2", "ay2", "ax3", "ax4"]);
    expect(turns.size).toBe(0);
  });

  it("put one that comes back behind those that have waited", () => {
    const turns = new Turns<string>(1);
    turns.push(["a"], "a1");
    turns.push(["b"], "b1");
    expect(turns.shift()).toBe("a1");
    turns.push(["a"], "a2");
    expect(shiftAll(turns)).toEqual(["b1", "a2"]);
  });

  it("give each of very many a turn, and nobody two", () => {
    const turns = new Turns<number>(3);
    const count = 200_000;
    for (let i = 0; i < count; i++) turns.push(["p", `t${i % 1_000}`, `s${i}`], i);
    const seen: number[] = [];
    for (let item = turns.shift(); item !== undefined; item = turns.shift()) seen.push(item);
    expect(seen).toHaveLength(count);
    expect(new Set(seen).size).toBe(count);
  });
});
