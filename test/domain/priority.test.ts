import { expect, it } from "vitest";
import { PRIORITIES, turnOf } from "../../src/domain/priority.ts";
import { anEvent } from "../support/event.ts";

it("what has no priority is claimed in its sender's turn, and what has one in one of those of its priority", () => {
  expect(turnOf(anEvent({ sender: { id: "U1", name: "ann", isBot: false } }))).toBe("U1");
  const turns = PRIORITIES.map(
    (priority) =>
      new Set(Array.from({ length: 200 }, (_, n) => turnOf(anEvent({ id: `test:task_${n}`, priority })))),
  );
  expect(turns.map(({ size }) => size)).toEqual([1, 2, 4]);
  expect(new Set(turns.flatMap((some) => [...some])).size).toBe(7);
});
