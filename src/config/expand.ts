/** What became of a text with `${NAME}` in it. */
export interface Expansion {
  readonly value: string;
  /** Variables whose value is part of it. */
  readonly used: readonly string[];
  /** Variables that are not set (or empty) and have no default. */
  readonly missing: readonly string[];
  /** The first `${` that is no reference; null when all are well formed. */
  readonly malformed: string | null;
}

const REFERENCE = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

/**
 * Replaces `${NAME}` and `${NAME:-default}`; `$${` stands for `${`. A variable that is empty counts as not set.
 * What comes in from a variable is not expanded again.
 */
export function expand(text: string, variable: (name: string) => string | undefined): Expansion {
  const used: string[] = [];
  const missing: string[] = [];
  let malformed: string | null = null;
  const value = text.replaceAll(
    REFERENCE,
    (whole: string, name: string | undefined, fallback: string | undefined, at: number) => {
      if (whole === "$${") return "${";
      if (name === undefined) {
        malformed ??= text.slice(at, at + 20);
        return whole;
      }
      const found = variable(name);
      if (found !== undefined && found !== "") {
        used.push(name);
        return found;
      }
      if (fallback === undefined) missing.push(name);
      return fallback ?? "";
    },
  );
  return { value, used, missing, malformed };
}

/** A plain YAML scalar's value by the core schema: `true`, `8080`, `0.5` are no texts. */
export function retype(text: string): unknown {
  if (/^(true|True|TRUE)$/.test(text)) return true;
  if (/^(false|False|FALSE)$/.test(text)) return false;
  if (/^(~|null|Null|NULL)?$/.test(text)) return null;
  if (/^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(text))
    return exactNumber(Number(text), text);
  return text;
}

/** An integer that a double cannot hold exactly stays text: it is a platform's id. */
export function exactNumber(value: number, source: string): number | string {
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? source : value;
}
