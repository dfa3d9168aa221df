import type { Place, Report } from "./source.ts";

/** No secret goes from one file into another: where one stood, a variable is read. */

const NAME =
  /token|secret|passw|pwd|passphrase|api_?key|access_?key|private|credential|authorization|cookie|bearer|dsn|(?:^|_)(?:pat|key|auth)$/i;

/** As providers write them, wherever they stand in a text. */
const KNOWN = new RegExp(
  [
    String.raw`\bx(?:ox[a-z]|app)-[\w-]{8,}`,
    String.raw`\b(?:gh[opsur]|glpat|gsk|dop_v1|npm|pypi|hf|shpat|sq0[a-z]{3}|r8)[_-][\w-]{16,}`,
    String.raw`\bgithub_pat_\w{20,}`,
    String.raw`\bsk-[\w-]{16,}`,
    String.raw`\b(?:AKIA|ASIA)[0-9A-Z]{16}\b`,
    String.raw`\bAIza[\w-]{30,}`,
    String.raw`\bEAA[A-Za-z0-9]{20,}`,
    String.raw`\b\d{6,12}:[\w-]{30,}`,
    String.raw`\bwhsec_[A-Za-z0-9+/=]{16,}`,
    String.raw`\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*`,
    String.raw`-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`,
    String.raw`(?<=\b(?:Bearer|Basic|Token) )[\w+/=.~-]{12,}`,
    String.raw`(?<=://[^\s/:@]{0,200}:)[^\s/@]{1,200}(?=@)`,
  ].join("|"),
  "g",
);

export function isSecretName(name: string): boolean {
  return NAME.test(name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").replaceAll("-", "_"));
}

export function looksSecret(value: string): boolean {
  KNOWN.lastIndex = 0;
  if (KNOWN.test(value)) return true;
  const isDense = /^[\w+/=.~-]{32,}$/.test(value);
  return isDense && /\d/.test(value) && /[a-z]/.test(value) && /[A-Z]/.test(value);
}

export function withoutSecrets(text: string, place: Place, report: Report): string {
  const clean = text.replaceAll(KNOWN, "***");
  if (clean !== text) report(place, "holds a secret, which was not copied: *** stands in its place");
  return clean;
}

export interface Variables {
  /** Parley reads these by itself, and no file may: another name has to be found. */
  readonly own: ReadonlySet<string>;
  /** `KUBECTL_GITHUB` for a header or variable without a name of its own. */
  readonly prefix: string;
}

/**
 * A value in which AOF reads `${NAME}`, as one that can be loaded before the variable is set. `fallback` holds its place
 * where nothing would be a mistake.
 */
export function withVariables(
  text: string,
  { place, own, prefix, fallback = "" }: Variables & { readonly place: Place; readonly fallback?: string },
  report: Report,
): string {
  return text.replaceAll(/\$\{([^}]*)\}|\$\{/g, (whole: string, inner: string | undefined) => {
    const [, name, given] = /^([A-Za-z_]\w{0,199})(?::-([^{}]*))?$/.exec(inner ?? "") ?? [];
    if (name === undefined) return `$${whole}`;
    const free = own.has(name) ? variableOf(prefix, name) : name;
    if (free !== name) report(place, `\${${name}} is read by Parley alone; set ${free} for this`);
    else if (given === undefined) report(place, `kept as a variable; set ${name}`);
    const isSafe = given !== undefined && given !== "" && !looksSecret(given) && !isSecretName(name);
    if (given !== undefined && given !== "" && !isSafe && isSecretName(name))
      report(place, `the default of ${name} may be a secret and was not copied; set ${name}`);
    return `\${${free}:-${isSafe ? given : fallback}}`;
  });
}

/** `kubectl`, `authorization` → `KUBECTL_AUTHORIZATION` */
export function variableOf(...parts: readonly string[]): string {
  const name = parts
    .join("_")
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]+/g, "_")
    .replaceAll(/^_+|_+$/g, "")
    .slice(0, 100);
  return /^[A-Z]/.test(name) ? name : `IMPORTED_${name}`;
}
