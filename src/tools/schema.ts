import type { Ajv2020 as Validator } from "ajv/dist/2020.js";
import { RE2JS } from "re2js";
import { isObject } from "../shared/json.ts";
import { SCHEMA_CHARS_MAX } from "./bounds.ts";

/** Null: it is as it should be; else what is wrong, for the model. */
export type Check = (input: unknown) => string | null;

/** Gives null for what is no schema of arguments. */
export type Compile = (schema: unknown) => Check | null;

/**
 * Compiles schemas of tools' arguments. They come from servers that may mean ill, so patterns run on RE2, whose time is
 * linear, and nothing is loaded from anywhere. One for each server: what it has compiled is remembered.
 */
export async function createCompiler(): Promise<Compile> {
  const { Ajv2020 } = await import("ajv/dist/2020.js");
  const ajv = new Ajv2020(OPTIONS);
  return (schema) => {
    if (!isObject(schema) || schema.type !== "object") return null;
    if (JSON.stringify(schema).length > SCHEMA_CHARS_MAX) return null;
    // The dialect of the validator holds: the words that arguments are described with are the same in all of them.
    const { $schema: _, $id: __, ...bare } = schema;
    try {
      const isValid = ajv.compile(bare);
      return (input) =>
        isValid(input) ? null : `Expected arguments as the tool's schema has them: ${problemsOf(isValid)}`;
    } catch {
      return null;
    }
  };
}

type Options = NonNullable<ConstructorParameters<typeof Validator>[0]>;
const linear: NonNullable<NonNullable<Options["code"]>["regExp"]> = Object.assign(
  (pattern: string) => compiled(pattern),
  { code: "undefined" },
);
const OPTIONS: Options = {
  strict: false,
  validateSchema: true,
  validateFormats: false,
  logger: false,
  code: { regExp: linear },
};

/** A pattern that RE2 does not have (it looks ahead or back) is left to the server. */
function compiled(pattern: string): RegExp {
  try {
    const program = RE2JS.compile(RE2JS.translateRegExp(pattern));
    return patternOf(pattern, (text) => program.test(text));
  } catch {
    return patternOf(pattern, () => true);
  }
}

/** The validator tells patterns apart by how they print. */
function patternOf(pattern: string, test: (text: string) => boolean): RegExp {
  return { test, toString: () => `RE2 ${pattern}` } as RegExp;
}

function problemsOf({ errors }: ReturnType<Validator["compile"]>): string {
  const [first] = errors ?? [];
  const place = first?.instancePath.replaceAll("/", ".").replace(/^\./, "") || "arguments";
  const extra = isObject(first?.params) ? first.params.additionalProperty : undefined;
  return `${place} ${first?.message ?? "are wrong"}${typeof extra === "string" ? ` (${extra})` : ""}`;
}
