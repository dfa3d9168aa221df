import { describe, expect, it } from "vitest";
import { Forms, formsOption } from "../../../adapters/shared/forms.ts";
import { anEvent } from "../../support/event.ts";

const option = formsOption(["user"]);
const field = { id: "n", label: "N" };
const formOf = (changes: object = {}) => ({
  id: "f",
  opened_by: ["/f"],
  title: "F",
  fields: [field],
  ...changes,
});
const read = (changes: object) => option.safeParse([formOf(changes)]).success;

describe("the option forms", () => {
  it("takes what every platform can show", () => {
    expect(option.parse([formOf()])).toEqual([
      { id: "f", opened_by: ["/f"], title: "F", fields: [{ ...field, type: "text", required: true }] },
    ]);
    expect(read({ fields: [{ ...field, type: "user" }] })).toBe(true);
    expect(read({ fields: [{ ...field, type: "choice", choices: ["a"] }] })).toBe(true);
  });

  it.each<[string, object]>([
    ["a title of 25 characters", { title: "x".repeat(25) }],
    ["six fields", { fields: Array.from({ length: 6 }, (_, n) => ({ ...field, id: `n${n}` })) }],
    ["a label of 46 characters", { fields: [{ ...field, label: "x".repeat(46) }] }],
    ["a choice without choices", { fields: [{ ...field, type: "choice" }] }],
    ["choices of a text", { fields: [{ ...field, choices: ["a"] }] }],
    ["26 choices", { fields: [{ ...field, type: "choice", choices: Array(26).fill("a") }] }],
    ["another type", { fields: [{ ...field, type: "date" }] }],
    ["an id with a space", { id: "a b" }],
    ["nothing that opens it", { opened_by: [] }],
  ])("refuses %s", (_, changes) => {
    expect(read(changes)).toBe(false);
  });
});

describe("what was filled in", () => {
  it.each([
    ["integer", "3", "+12", "three", "1.5"],
    ["number", "2.5", "-3", "3,5", "1e9"],
    ["email", "ann@example.org", "a.b@x.co.uk", "ann", "ann@example"],
    ["url", "https://example.org", "http://x/y", "example.org", "ftp://example.org"],
  ] as const)("of the format %s is %s or %s, not %s or %s", (format, ...values) => {
    const forms = new Forms([{ ...formOf(), fields: [{ ...field, type: "text", required: true, format }] }]);
    const wrong = values.map((value) => forms.faultsIn("f", () => value).length);
    expect(wrong).toEqual([0, 0, 1, 1]);
    expect(forms.faultsIn("f", () => "")).toEqual([]);
    expect(forms.faultsIn("other", () => "x")).toEqual([]);
  });
});

it("a form opens for a bare command or a button of its name, and not for what was merely said", () => {
  const forms = new Forms([{ ...formOf(), opened_by: ["/Deploy Run", "go"], fields: [] }]);
  const opened = (changes: object) => forms.openedBy(anEvent({ text: "", ...changes }))?.id ?? null;
  expect(opened({ trigger: "command", command: "/deploy run" })).toBe("f");
  expect(opened({ trigger: "command", command: "/deploy run", text: "now" })).toBeNull();
  expect(opened({ trigger: "button", command: "go", text: "42" })).toBe("f");
  expect(opened({ trigger: "mention", command: null })).toBeNull();
  expect(opened({ trigger: "command", command: "/deploy" })).toBeNull();
});
