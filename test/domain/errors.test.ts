import { expect, it } from "vitest";
import { codeIn } from "../../src/domain/errors.ts";

it.each([
  ["MODEL_AUTH: the key is not taken", "MODEL_AUTH"],
  ["gave up after 12 attempts: DELIVERY_RETRY: Slack: could not connect", "DELIVERY_RETRY"],
  ["the platform says MODEL_AUTH: x", undefined],
  ["NOT_OURS: x", undefined],
  ["MODEL_AUTH", undefined],
  ["", undefined],
  [undefined, undefined],
])("the code in %j is %s", (cause, code) => {
  expect(codeIn(cause)).toBe(code);
});
