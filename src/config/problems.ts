import type { z } from "zod";
import { closest } from "./closest.ts";

/** One thing wrong with the configuration. */
export interface Problem {
  /** As the operator would name it, relative to the working directory; `environment` for a variable. */
  readonly file: string;
  /** From 1; null where there is no line (a variable, a missing file). */
  readonly line: number | null;
  readonly column: number | null;
  /** `spec.routes[0].agent`, or the name of a variable; empty for the file as a whole. */
  readonly path: string;
  /** `expected …, got …`. Never holds a secret. */
  readonly message: string;
}

/** `config/gateway.yaml:12:7 spec.queue.waiting: expected a whole number, got "many"` */
export function formatProblem(problem: Problem): string {
  const place = problem.line === null ? problem.file : `${problem.file}:${problem.line}:${problem.column}`;
  return problem.path === ""
    ? `${place}: ${problem.message}`
    : `${place} ${problem.path}: ${problem.message}`;
}

export type Path = readonly PropertyKey[];

/** `spec.routes[0].match` */
export function formatPath(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    return text === "" ? String(key) : `${text}.${String(key)}`;
  }, "");
}

/** What was found, short enough for one line, and without the password of an address. */
export function got(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "a mapping";
  const text = (JSON.stringify(value) ?? typeof value).replace(/\/\/.*@/, "//***@");
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text;
}

/** What stands under one of these is a secret, whoever wrote it into the file itself, and whatever is wrong with it. */
const SECRET_KEYS: ReadonlySet<PropertyKey> = new Set([
  ...["secret", "api_key", "client_secret", "refresh_token", "headers", "env"],
]);

/** As `got`, of a value at a path: of a secret, its kind alone. */
export function gotAt(path: Path, value: unknown): string {
  const isShown = value === null || typeof value === "object" || !path.some((key) => SECRET_KEYS.has(key));
  if (isShown || value === undefined) return got(value);
  return value === "" ? "an empty text" : "something else, which is not shown";
}

/** What was found, and which keys would have been right there. */
export interface Input {
  /** `got …` for the value at a path. */
  readonly got: (path: Path) => string;
  readonly keysAt: (path: Path) => readonly string[];
}

export interface Finding {
  readonly path: Path;
  /** True: the key itself is wrong, not its value. */
  readonly isKey: boolean;
  readonly message: string;
  /** Of a wrong key: the one that was probably meant. */
  readonly near?: string | undefined;
}

type Issue = z.core.$ZodIssue;

/** The schema's complaints in the words of the person who wrote the file. */
export function findings(issues: readonly Issue[], input: Input, base: Path = []): Finding[] {
  const found = issues.flatMap((issue) => findingsOf(issue, input, [...base, ...issue.path]));
  // A misspelt key is one mistake: that the right one is missing needs no line of its own.
  const meant = new Set(found.flatMap(({ path, near }) => near && formatPath([...path.slice(0, -1), near])));
  return found.filter(
    ({ path, isKey }) => isKey || !meant.has(formatPath(path)) || input.got(path) !== "nothing",
  );
}

function findingsOf(issue: Issue, input: Input, path: Path): Finding[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => {
      const near = closest(key, input.keysAt(path));
      return {
        path: [...path, key],
        isKey: true,
        message: unknownKey(key, near, input.keysAt(path)),
        near,
      };
    });
  }
  if (issue.code === "invalid_union") {
    // The branch that got furthest is the one that was meant.
    const inside = issue.errors.find((branch) => branch.every((one) => reachesInside(one)));
    if (inside !== undefined) return findings(inside, input, path);
  }
  const expected = expectedBy(issue);
  const message = expected.includes(", got ")
    ? expected
    : `${expected}, got ${input.got(path)}${nearBy(issue, input.got(path))}`;
  return [{ path, isKey: false, message }];
}

/** The choice that a typing error may have meant. */
function nearBy(issue: Issue, got: string): string {
  const given = /^"(.*)"$/.exec(got)?.[1];
  const choices = choicesOf(issue);
  const near = given === undefined ? undefined : closest(given, choices);
  return near === undefined ? "" : ` (did you mean ${near}?)`;
}

function choicesOf(issue: Issue): string[] {
  if (issue.code === "invalid_value") return issue.values.map(String);
  return issue.code === "invalid_union" ? issue.errors.flat().flatMap((one) => choicesOf(one)) : [];
}

function reachesInside(issue: Issue): boolean {
  return issue.path.length > 0 || issue.code === "unrecognized_keys";
}

function unknownKey(key: string, near: string | undefined, known: readonly string[]): string {
  const hint = near === undefined ? `expected one of ${known.join(", ")}` : `expected ${near}`;
  const question = near === undefined ? "" : ` (did you mean ${near}?)`;
  return known.length === 0
    ? `expected no key here, got ${key}`
    : `${hint}, got the unknown key ${key}${question}`;
}

const TYPES: Readonly<Record<string, string>> = {
  number: "a number",
  int: "a whole number",
  string: "text",
  boolean: "true or false",
  object: "a mapping",
  record: "a mapping",
  array: "a list",
};

function expectedBy(issue: Issue): string {
  if (issue.message.startsWith("expected ")) return issue.message;
  switch (issue.code) {
    case "invalid_type":
      return `expected ${TYPES[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `expected ${issue.values.map(String).join(" or ")}`;
    case "too_small":
      return `expected ${bound(issue.origin, "at least", Number(issue.minimum))}`;
    case "too_big":
      return `expected ${bound(issue.origin, "at most", Number(issue.maximum))}`;
    case "invalid_union":
      return expectedByUnion(issue.errors);
    case "invalid_key":
      return issue.issues
        .slice(0, 1)
        .map((one) => `${expectedBy(one)} as the key`)
        .join("");
    default:
      return `expected something else (${issue.message})`;
  }
}

function bound(origin: string, word: string, limit: number): string {
  if (origin === "string") return `${word} ${limit} characters`;
  if (origin === "array") return `${word} ${limit} items`;
  return `a number of ${word} ${limit}`;
}

function expectedByUnion(branches: readonly (readonly Issue[])[]): string {
  const parts = branches.flatMap((branch) =>
    branch.slice(0, 1).map((issue) => expectedBy(issue).replace(/^expected /, "")),
  );
  return `expected ${[...new Set(parts)].join(" or ")}`;
}
