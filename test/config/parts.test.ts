// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references to variables are what is tested

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { MODULES } from "../../adapters/index.ts";
import { closest } from "../../src/config/closest.ts";
import { expand, retype } from "../../src/config/expand.ts";
import { formatSchema, jsonSchemaOf, keysAt } from "../../src/config/json-schema.ts";
import { allowance } from "../../src/config/limits.ts";
import { compilePattern, patternFault } from "../../src/config/pattern.ts";
import { variablesOf } from "../../src/config/variables.ts";

const root = resolve(import.meta.dirname, "../..");
const fileText = (name: string) => readFileSync(resolve(root, name), "utf8");

describe("the JSON Schemas", () => {
  const files = { gateway: "config/schema.json", agent: "config/agent.schema.json" } as const;

  it.each(["gateway", "agent"] as const)("%s in config/ is what `parley config schema` prints", (name) => {
    expect(fileText(files[name])).toBe(formatSchema(jsonSchemaOf(name, MODULES)));
  });

  it.each([
    ["gateway", "config/gateway.yaml"],
    ["agent", "config/agents/assistant.yaml"],
  ] as const)("%s accepts the shipped %s and refuses an unknown key", (name, file) => {
    const validate = new Ajv({ strict: false }).compile(jsonSchemaOf(name, MODULES));
    const value: unknown = parse(fileText(file));
    expect(validate(value)).toBe(true);
    expect(validate({ ...(value as object), sepc: {} })).toBe(false);
  });

  it("is named on the first line of each shipped file", () => {
    expect(fileText("config/gateway.yaml")).toMatch(/^# yaml-language-server: \$schema=\.\/schema\.json\n/);
    expect(fileText("config/agents/assistant.yaml")).toMatch(
      /^# yaml-language-server: \$schema=\.\.\/agent\.schema\.json\n/,
    );
  });

  it("knows the keys at a path, through lists and alternatives", () => {
    const schema = jsonSchemaOf("gateway", MODULES);
    expect(keysAt(schema, [])).toEqual(["apiVersion", "kind", "spec"]);
    expect(keysAt(schema, ["spec", "limits", "user"])).toEqual(["messages", "per_seconds", "burst"]);
    expect(keysAt(schema, ["spec", "routes", 3])).toEqual(["match", "agent", "model", "busy"]);
    expect(keysAt(schema, ["constructor", "x"])).toEqual([]);
  });
});

describe("documentation of the configuration", () => {
  it("names every variable and its aliases", () => {
    const text = fileText("docs/configuration.md");
    const absent = variablesOf(MODULES)
      .flatMap(({ name, aliases }) => [name, ...aliases])
      .filter((name) => !text.includes(`\`${name}\``));
    expect(absent).toEqual([]);
  });
});

describe("expansion", () => {
  const variable = (name: string) => ({ A: "1", EMPTY: "", NESTED: "${A}" })[name];

  it.each([
    ["$A", "$A"],
    ["${A}", "1"],
    ["x${A}y${A}", "x1y1"],
    ["${B:-two}", "two"],
    ["${B:-}", ""],
    ["${EMPTY:-two}", "two"],
    ["$${A}", "${A}"],
    ["$$${A}", "$${A}"],
    ["${NESTED}", "${A}"],
    ["${B:-a b:c}", "a b:c"],
  ])("makes %s into %s", (text, value) => {
    expect(expand(text, variable)).toMatchObject({ value, missing: [], malformed: null });
  });

  it("reports what is not set and what is no reference", () => {
    expect(expand("${B} ${EMPTY}", variable).missing).toEqual(["B", "EMPTY"]);
    expect(expand("${A ${A}", variable).malformed).toBe("${A ${A}");
    expect(expand("${1}", variable).malformed).toBe("${1}");
  });

  it("leaves a text without a reference as it is", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!text.includes("${"));
        expect(expand(text, variable).value).toBe(text);
      }),
    );
  });

  it.each([
    ["true", true],
    ["False", false],
    ["", null],
    ["~", null],
    ["8080", 8080],
    ["-0.5e3", -500],
    ["1100000000000000001", "1100000000000000001"],
    ["yes", "yes"],
    ["1.2.3", "1.2.3"],
    ["0x1f", "0x1f"],
  ])("retypes %s", (text, value) => {
    expect(retype(text)).toBe(value);
  });
});

describe("a suggestion", () => {
  it.each([
    ["limts", "limits"],
    ["lmiits", "limits"],
    ["Limits", "limits"],
    ["routes", "routes"],
    ["colour", undefined],
    ["", undefined],
  ])("for %s is %s", (name, near) => {
    expect(closest(name, ["limits", "routes", "queue"])).toBe(near);
  });
});

describe("a pattern", () => {
  it.each([
    "^deploy\\s+(\\w+) to (prod|test)$",
    "a*b+c?",
    "(abc)+",
    "(?:ab){2}",
    "[(+)]+",
    "\\(a+\\)",
    "(?<n>a+)*",
    "\\p{L}+\\u00e4",
  ])("%s is sound", (pattern) => {
    expect(patternFault(pattern)).toBeNull();
  });

  it.each([
    "(a+)+",
    "(a|a)*",
    "(aa?)*b",
    "((a*)b)+",
    "(?:\\w+\\s*){2,}",
    "\\w+\\s*\\w+\\s*\\w+\\s*!",
    "(.*)(.*)(.*)!",
  ])("%s is sound, and searched once over the text", (pattern) => {
    expect(patternFault(pattern)).toBeNull();
    // A backtracking engine would not come back from this within the time of a test.
    expect(compilePattern(`${pattern}#$`).test("a".repeat(20_000))).toBe(false);
  });

  it.each(["[a-z]{0,1000}[a-z]{0,1000}!", "a{1000}b{1000}"])("%s is refused for its size", (pattern) => {
    expect(patternFault(pattern)).toMatch(/^expected a pattern of at most 1000 states, got \d+/);
  });

  it("has no way to look around or back, and must compile", () => {
    expect(patternFault("(a)\\1")).toContain("without a back-reference");
    expect(patternFault("(?<n>a)\\k<n>")).toContain("without a back-reference");
    expect(patternFault("(?=x)y")).toContain("without look-ahead");
    expect(patternFault("(?<!x)y")).toContain("without look-ahead");
    expect(patternFault("(a")).toMatch(/^expected a regular expression \(.+\)$/);
    expect(patternFault("((a{1,100}){1,100}){1,100}")).toMatch(/^expected a regular expression \(.+\)$/);
  });

  it("takes time that goes with the text, whatever passes the check", () => {
    const piece = fc.constantFrom("a", "b", "(", ")", "|", "*", "+", "?", "(?:", "[ab]", "{2,}", "\\w");
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join("")),
        (pattern) => {
          fc.pre(patternFault(pattern) === null);
          // An exponential or high polynomial search would not come back.
          expect(compilePattern(`(?:${pattern})c`).test("a".repeat(1_000))).toBe(false);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it("is searched anywhere, whatever the case", () => {
    expect(compilePattern("deploy").test("please DEPLOY")).toBe(true);
  });
});

describe("an allowance", () => {
  it("is what the limit says, a burst with the same rate, or nothing", () => {
    expect(allowance({ messages: 20, per_seconds: 60 })).toEqual({ messages: 20, perMs: 60_000 });
    expect(allowance({ messages: 20, per_seconds: 60, burst: 5 })).toEqual({ messages: 5, perMs: 15_000 });
    expect(allowance("off")).toBeNull();
  });
});
