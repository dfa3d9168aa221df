import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { EnvReader } from "../ports/env-reader.ts";
import { errnoOf } from "../shared/fault.ts";
import { Secret } from "../shared/secret.ts";
import { type Form, type Variable, wrongSecret } from "../shared/variable.ts";
import { got, type Problem } from "./problems.ts";

export type Env = Readonly<Record<string, string | undefined>>;

const SECRET_FILE_BYTES_MAX = 64 * 1024;

/** Reads variables as they are declared, and collects what is wrong with them. */
export interface ConfigReader extends EnvReader {
  readonly problems: readonly Problem[];
  /** Of those read so far, the ones that are set, and as they should be. */
  readonly taken: ReadonlySet<string>;
  /** Those of them that are secrets, by name. */
  readonly secrets: ReadonlyMap<string, Secret>;
  /** `form`: another than is declared. */
  secret(name: string, form?: Form): Secret | null;
  oneOf<T extends string>(name: string, choices: readonly T[]): T | null;
  truth(name: string): boolean | null;
  complain(name: string, message: string): void;
}

export function createEnvReader(env: Env, cwd: string, variables: readonly Variable[]): ConfigReader {
  const problems: Problem[] = [];
  const taken = new Set<string>();
  const secrets = new Map<string, Secret>();
  const declared = new Map(variables.map((one) => [one.name, one]));

  function complain(name: string, message: string): void {
    problems.push({ file: "environment", line: null, column: null, path: name, message });
  }

  function raw(name: string): { name: string; value: string } | null {
    const variable = declared.get(name);
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
    if (value !== undefined) {
      taken.add(name);
      return value;
    }
    const shown = declared.get(name)?.secret
      ? "something else"
      : got(found.value.replace(/\/\/.*@/, "//***@"));
    complain(found.name, `expected ${expected}, got ${shown}`);
    return null;
  }

  function formOf(name: string): Form {
    const form = declared.get(name)?.form;
    if (form === undefined) throw new Error(`Expected a variable whose form is declared, got ${name}`);
    return form;
  }

  function guards(name: string): readonly string[] {
    const found = raw(name);
    if (found === null) return [];
    const values = partsOf(found.value);
    if (values.length > 2)
      complain(found.name, `expected one value, or two during a rotation, got ${values.length}`);
    else if (values.length === 0) complain(found.name, "expected one value, got none between the commas");
    for (const [i, value] of values.slice(0, 2).entries()) {
      const wrong = wrongSecret(formOf(name), value);
      if (wrong !== null) complain(found.name, values.length > 1 ? `${wrong}, as value ${i + 1}` : wrong);
    }
    if (values.length > 0) taken.add(name);
    return values;
  }

  function guard(name: string): Secret | null {
    if (declared.get(name)?.isPair === true) {
      const values = guards(name);
      return values.length === 0 ? null : made(name, new Secret(values));
    }
    const found = raw(name);
    if (found === null) return null;
    const wrong = wrongSecret(formOf(name), found.value);
    if (wrong === null) {
      taken.add(name);
      return made(name, new Secret(found.value));
    }
    complain(found.name, wrong);
    return null;
  }

  function made(name: string, secret: Secret): Secret {
    secrets.set(name, secret);
    return secret;
  }

  const inForm = (name: string, { pattern, words }: Form) =>
    checked(name, (value) => (pattern.test(value) ? value : undefined), words);

  return {
    problems,
    taken,
    secrets,
    complain,
    guard,
    guards,
    pair: (name) => partsOf(raw(name)?.value ?? ""),
    matching: (name) => inForm(name, formOf(name)),
    text: (name) => raw(name)?.value ?? null,
    oneOf: (name, choices) =>
      checked(name, (value) => choices.find((choice) => choice === value.toLowerCase()), choices.join(", ")),
    truth: (name) => checked(name, asTruth, "true or false"),
    url(name) {
      const value = checked(name, asHttpUrl, "an http:// or https:// address");
      const url = value === null ? null : new URL(value);
      if (url === null || (url.username === "" && url.password === "")) return value;
      // No client calls such an address, and whoever prints it prints the password.
      taken.delete(name);
      complain(name, "expected an address without a user name and password, got one with them");
      return null;
    },
    secret(name, form = declared.get(name)?.form ?? ANY_SECRET) {
      const value = inForm(name, form);
      return value === null ? null : made(name, new Secret(value));
    },
  };
}

const ANY_SECRET: Form = { pattern: /^\S(.*\S)?$/s, words: "a secret" };

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

/** What `${NAME}` stands for in a file: the variable, else what the file holds that `NAME_FILE` names. */
export class References {
  readonly #env: Env;
  readonly #cwd: string;
  /** By variable, the file that it was read from. */
  readonly files = new Map<string, string>();

  constructor(env: Env, cwd: string) {
    this.#env = env;
    this.#cwd = cwd;
  }

  readonly get = (name: string): string | undefined => {
    const value = this.#env[name];
    const file = this.#env[`${name}_FILE`]?.trim() ?? "";
    if ((value !== undefined && value !== "") || file === "") return value;
    const path = resolve(this.#cwd, file);
    this.files.set(name, path);
    const read = readSecretFile(path);
    return read.ok ? read.text : undefined;
  };
}

export function readSecretFile(path: string): { ok: true; text: string } | { ok: false; reason: string } {
  try {
    const found = statSync(path);
    if (!found.isFile()) return { ok: false, reason: "no file" };
    if (found.size > SECRET_FILE_BYTES_MAX) return { ok: false, reason: `${found.size} bytes` };
    const text = readFileSync(path, "utf8").trim();
    return text === "" ? { ok: false, reason: "an empty file" } : { ok: true, text };
  } catch (error) {
    return { ok: false, reason: errnoOf(error) };
  }
}
