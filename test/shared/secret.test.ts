import { format, inspect } from "node:util";
import { expect, it } from "vitest";
import { Secret } from "../../src/shared/secret.ts";

const secret = new Secret("hunter2");

it("a secret gives its value only when it is asked to reveal it", () => {
  expect(secret.reveal()).toBe("hunter2");
  expect(Object.keys(secret)).toEqual([]);
  expect(Object.assign({}, secret)).toEqual({});
});

it.each<[string, () => string]>([
  ["String()", () => String(secret)],
  ["JSON", () => JSON.stringify({ secret })],
  ["the debugger's console", () => inspect({ secret }, { showHidden: true, depth: 9 })],
  ["a format", () => format("%s %o %j", secret, secret, secret)],
  ["an error", () => inspect(new Error("failed", { cause: secret }))],
  ["concatenation", () => `x${["a", secret].join()}`],
])("a secret prints as *** in %s", (_place, print) => {
  expect(print()).not.toContain("hunter2");
  expect(print()).toContain("***");
});

it("a secret is two values during a rotation: the first is shown, both are live, and a new one reaches who holds it", () => {
  const pair = new Secret(["hunter3", "hunter2"]);
  expect([pair.reveal(), pair.live()]).toEqual(["hunter3", ["hunter3", "hunter2"]]);
  expect(String(pair) + inspect(pair) + JSON.stringify(pair)).not.toMatch(/hunter/);
  const held = { by: pair };
  pair.renew(new Secret("hunter4"));
  expect(held.by.live()).toEqual(["hunter4"]);
});
