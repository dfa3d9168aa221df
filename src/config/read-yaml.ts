import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  Scalar,
} from "yaml";
import { exactNumber, expand, retype } from "./expand.ts";
import { formatPath, gotAt, type Path, type Problem } from "./problems.ts";

const NODES_MAX = 100_000;
const DEPTH_MAX = 64;
/** One slip of the pen can make a parser complain about every line after it. */
const COMPLAINTS_MAX = 5;

/** A YAML file as plain values, and where each of them stands. */
export interface YamlFile {
  readonly file: string;
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** False: not even YAML, so that there is no value to look at. */
  readonly isYaml: boolean;
  /** The value at a path; undefined when there is none. */
  readonly at: (path: Path) => unknown;
  /** `"abc"`, `nothing`; a value that came from a variable is named, not shown. */
  readonly got: (path: Path) => string;
  /** The variables of which the value at a path is made. */
  readonly variables: (path: Path) => readonly string[];
  /** All variables that stand somewhere in it. */
  readonly used: ReadonlySet<string>;
  /** A problem at a path: at the key when `isKey`, else at the value, else at what encloses it. */
  readonly problem: (path: Path, message: string, isKey?: boolean) => Problem;
}

interface Place {
  readonly keyOffset: number;
  readonly offset: number;
  readonly variables: readonly string[];
  readonly isQuoted: boolean;
}

/** Reads YAML text. Never throws; what is wrong is in `problems`. `refused` names variables that may not be expanded. */
export function readYaml(
  file: string,
  text: string,
  options: { variable: (name: string) => string | undefined; refused: ReadonlySet<string> },
): YamlFile {
  const lines = new LineCounter();
  const places = new Map<string, Place>();
  const problems: Problem[] = [];
  const used = new Set<string>();
  let nodes = 0;
  let deepest = 0;

  function problemAt(offset: number, path: Path, message: string): Problem {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1), path: formatPath(path), message };
  }

  function scalar(node: Scalar, path: Path, place: Place): unknown {
    const { value } = node;
    if (typeof value === "number") return exactNumber(value, node.source ?? String(value));
    if (typeof value !== "string" || !value.includes("${")) return value;
    const expansion = expand(value, options.variable);
    for (const name of expansion.used) used.add(name);
    const complain = (message: string) => problems.push(problemAt(place.offset, path, message));
    for (const name of expansion.missing) {
      complain(
        `expected the environment variable ${name} to be set, got nothing; \${${name}:-…} gives a default`,
      );
    }
    for (const name of expansion.used.filter((used) => options.refused.has(used))) {
      complain(`expected no secret in a file, got \${${name}}; Parley reads this variable by itself`);
    }
    if (expansion.malformed !== null) {
      complain(
        `expected \${NAME} or \${NAME:-default}, got ${gotAt(path, expansion.malformed)}; $\${ stands for \${`,
      );
    }
    places.set(keyOf(path), { ...place, variables: expansion.used });
    return node.type === Scalar.PLAIN ? retype(expansion.value) : expansion.value;
  }

  function alias(node: Alias, path: Path, depth: number, place: Place): unknown {
    const target = node.resolve(document);
    if (target !== undefined) return read(target, path, depth + 1, place.keyOffset);
    problems.push(
      problemAt(
        place.offset,
        path,
        `expected an anchor of that name before, got ${gotAt(path, `*${node.source}`)}`,
      ),
    );
    return undefined;
  }

  function entry(pair: Pair<unknown, unknown>, path: Path, depth: number): [string, unknown] {
    const key = isScalar(pair.key) ? String(pair.key.value) : "";
    const keyOffset = offsetOf(pair.key);
    const inner = [...path, key];
    const value = read(pair.value, inner, depth, keyOffset);
    // An option whose value is commented out, or whose parts all are, is an option not given.
    return [key, value === null ? undefined : value];
  }

  function read(node: unknown, path: Path, depth: number, keyOffset: number): unknown {
    nodes++;
    deepest = Math.max(deepest, depth);
    if (nodes > NODES_MAX || depth > DEPTH_MAX) return undefined;
    const offset = isNode(node) && node.range ? node.range[0] : keyOffset;
    const place = {
      keyOffset,
      offset,
      variables: [],
      isQuoted: isScalar(node) && node.type !== Scalar.PLAIN,
    };
    places.set(keyOf(path), place);
    if (isAlias(node)) return alias(node, path, depth, place);
    if (isScalar(node)) return scalar(node, path, place);
    if (isSeq(node)) return node.items.map((item, i) => read(item, [...path, i], depth + 1, offset));
    if (isMap(node)) return Object.fromEntries(node.items.map((pair) => entry(pair, path, depth + 1)));
    return null;
  }

  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    resolveKnownTags: false,
  });
  for (const error of [...document.errors, ...document.warnings].slice(0, COMPLAINTS_MAX)) {
    const message = error.code === "MULTIPLE_DOCS" ? "expected one document" : tidy(error.message);
    problems.push(problemAt(error.pos[0], [], message));
  }
  const isYaml = problems.length === 0;
  const value = isYaml ? (read(document.contents, [], 0, 0) ?? {}) : null;
  if (nodes > NODES_MAX) problems.push(problemAt(0, [], `expected at most ${NODES_MAX} values, got more`));
  else if (deepest > DEPTH_MAX)
    problems.push(problemAt(0, [], `expected at most ${DEPTH_MAX} levels, got more`));
  const at = (path: Path) => path.reduce<unknown>(child, value);

  return {
    file,
    value,
    problems,
    isYaml,
    at,
    got(path) {
      const place = places.get(keyOf(path));
      if (place !== undefined && place.variables.length > 0)
        return `what \${${place.variables.join("}, ${")}} holds${place.isQuoted ? " (in quotes it is always text)" : ""}`;
      return gotAt(path, at(path));
    },
    used,
    variables: (path) => places.get(keyOf(path))?.variables ?? [],
    problem(path, message, isKey = false) {
      let depth = path.length;
      while (depth > 0 && !places.has(keyOf(path.slice(0, depth)))) depth--;
      const place = places.get(keyOf(path.slice(0, depth)));
      const offset = isKey ? place?.keyOffset : place?.offset;
      return problemAt(offset ?? 0, path, message);
    },
  };
}

/** Behind a colon the parser quotes the file, which may be in the middle of a secret. */
function tidy(message: string): string {
  return `expected YAML, got something else (${message.split(/\n|: | %/, 1)[0]})`;
}

function keyOf(path: Path): string {
  return JSON.stringify(path);
}

function child(value: unknown, key: PropertyKey): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;
}

function isNode(value: unknown): value is Node {
  return isScalar(value) || isMap(value) || isSeq(value) || isAlias(value);
}

function offsetOf(value: unknown): number {
  return isNode(value) ? (value.range?.[0] ?? 0) : 0;
}
