import { expect, it } from "vitest";
import { BodyBudget, type Held } from "../../src/ingress/body-budget.ts";

function bodies(budget: BodyBudget) {
  const shed: string[] = [];
  const body = (name: string): Held => ({ bytes: 0, shed: () => void shed.push(name) });
  return { shed, small: body("small"), large: body("large"), larger: body("larger"), budget };
}

it("gives up the largest body when there is too much, and no small one for it", () => {
  const { budget, shed, small, large, larger } = bodies(new BodyBudget(100));
  budget.hold(small, 10);
  budget.hold(large, 40);
  budget.hold(larger, 50);
  expect(shed).toEqual([]);
  budget.hold(small, 12);
  expect([shed, budget.bytes]).toEqual([["larger"], 52]);
  budget.hold(large, 99);
  expect([shed, budget.bytes]).toEqual([["larger", "large"], 12]);
});

it("has nothing left when all is given back, however often that is said", () => {
  const { budget, small, large } = bodies(new BodyBudget(100));
  budget.hold(small, 10);
  budget.hold(small, 20);
  budget.hold(large, 30);
  for (const one of [small, large, small]) budget.release(one);
  expect(budget.bytes).toBe(0);
});
