import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { Secret } from "../shared/secret.ts";
import { got, type Problem } from "./problems.ts";
import { type Guard, wrongSecret } from "./secret-forms.ts";
import { VARIABLES } from "./variables.ts";

export type Env = Readonly<Record<string, string | undefined>>;

const SECRET_FILE_BYTES_MAX = 64 * 1024;

/** Reads variables one by one and collects what is wrong with them. Empty means not set. */
export interface EnvReader {
  readonly problems: readonly Problem[];
  text(name: string): string | null;
  /** A text of this form; `expected` says which. */
  matching(name: string, form: RegExp, expected: string): string | null;
  oneOf<T extends string>(name: string, choices: readonly T[]): T | null;
  truth(name: string): boolean | null;
  url(name: string): string | null;
  secret(name: string, form?: RegExp, expected?: string): Secret | null;
  /** A secret that opens something here, and must be hard to guess. */
  guard(name: Guard): Secret | null;
  /** One value, or two during a rotation, separated by a comma, whatever they are. Empty when not set. */
  pair(name: string): readonly string[];
  /** The same of secrets that open something here. */
  guards(name: Guard): readonly string[];
  complain(name: string, message: string): void;
}

export function createEnvReader(env: Env, cwd: string): EnvReader {
  const problems: Problem[] = [];

  function complain(name: string, message: string): void {
    problems.push({ file: "environment", line: null, column: null, path: name, message });
  }

  function raw(name: string): { name: string; value: string } | null {
    const variable = VARIABLES.find((one) => one.name === name);
    if (variable?.secret === true) {
      return secretText(name);
    }
    for (const alias of [name, ...(variable?.aliases ?? [])]) {
      const value = env[alias]?.trim();
      if (value !== undefined && value !== "" && !isServiceLink(alias, value)) return { name: alias, value };
    }
    return null;
  }

  function secretText(name: string): { name: string; value: string } | null {
    const direct = env[name]?.trim() ?? "";
    const file = env[`${name}_FILE`]?.trim() ?? "";
    if (file === "") return direct === "" ? null : { name, value: direct };
    if (direct !== "") {
      complain(name, `expected either ${name} or ${name}_FILE, got both`);
      return null;
    }
    const read = readSecretFile(resolve(cwd, file));
    if (read.ok) return { name: `${name}_FILE`, value: read.text };
    complain(`${name}_FILE`, `expected a readable file with the secret, got ${read.reason} for ${file}`);
    return null;
  }

  function checked<T>(name: string, check: (value: string) => T | undefined, expected: string): T | null {
    const found = raw(name);
    if (found === null) return null;
    const value = check(found.value);
    if (value !== undefined) return value;
    const shown = VARIABLES.some((one) => one.name === name && one.secret)
      ? "something else"
      : got(found.value.replace(/\/\/.*@/, "//***@"));
    complain(found.name, `expected ${expected}, got ${shown}`);
    return null;
  }

  function guards(name: Guard): readonly string[] {
    const found = raw(name);
    if (found === null) return [];
    const values = partsOf(found.value);
    if (values.length > 2)
      complain(found.name, `expected one value, or two during a rotation, got ${values.length}`);
    else if (values.length === 0) complain(found.name, "expected one value, got none between the commas");
    for (const [i, value] of values.slice(0, 2).entries()) {
      const wrong = wrongSecret(name, value);
      if (wrong !== null) complain(found.name, values.length > 1 ? `${wrong}, as value ${i + 1}` : wrong);
    }
    return values;
  }

  function guard(name: Guard): Secret | null {
    const found = raw(name);
    if (found === null) return null;
    const wrong = wrongSecret(name, found.value);
    if (wrong === null) return new Secret(found.value);
    complain(found.name, wrong);
    return null;
  }

  const matching = (name: string, form: RegExp, expected: string) =>
    checked(name, (value) => (form.test(value) ? value : undefined), expected);

  return {
    problems,
    complain,
    guard,
    guards,
    pair: (name) => partsOf(raw(name)?.value ?? ""),
    matching,
    text: (name) => raw(name)?.value ?? null,
    oneOf: (name, choices) =>
      checked(name, (value) => choices.find((choice) => choice === value.toLowerCase()), choices.join(", ")),
    truth: (name) => checked(name, asTruth, "true or false"),
    url(name) {
      const value = checked(name, asHttpUrl, "an http:// or https:// address");
      const url = value === null ? null : new URL(value);
      if (url === null || (url.username === "" && url.password === "")) return value;
      // No client calls such an address, and whoever prints it prints the password.
      complain(name, "expected an address without a user name and password, got one with them");
      return null;
    },
    secret(name, form = /^\S(.*\S)?$/s, expected = "a secret") {
      const value = matching(name, form, expected);
      return value === null ? null : new Secret(value);
    },
  };
}

function partsOf(value: string): readonly string[] {
  return value
    .split(/[,\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** In Kubernetes a service named `parley` puts `PARLEY_PORT=tcp://10.0.0.1:8080` into every pod beside it. */
function isServiceLink(name: string, value: string): boolean {
  return name.endsWith("PORT") && /^(tcp|udp|sctp):\/\//.test(value);
}

function asTruth(value: string): boolean | undefined {
  if (/^(true|1|yes|on)$/i.test(value)) return true;
  return /^(false|0|no|off)$/i.test(value) ? false : undefined;
}

function asHttpUrl(value: string): string | undefined {
  const url = URL.parse(value);
  return url !== null && /^https?:$/.test(url.protocol) ? value : undefined;
}

function readSecretFile(path: string): { ok: true; text: string } | { ok: false; reason: string } {
  try {
    const found = statSync(path);
    if (!found.isFile()) return { ok: false, reason: "no file" };
    if (found.size > SECRET_FILE_BYTES_MAX) return { ok: false, reason: `${found.size} bytes` };
    const text = readFileSync(path, "utf8").trim();
    return text === "" ? { ok: false, reason: "an empty file" } : { ok: true, text };
  } catch (error) {
    return { ok: false, reason: (error as NodeJS.ErrnoException).code ?? "an error" };
  }
}
