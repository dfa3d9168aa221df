import { randomBytes } from "node:crypto";
import {
  chownSync,
  closeSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  renameSync,
  writeSync,
} from "node:fs";
import { resolve } from "node:path";
import { readEnvironment } from "../config/environment.ts";
import { variablesOf } from "../config/variables.ts";
import { EXIT } from "../shared/exit.ts";
import type { Variable } from "../shared/variable.ts";
import { isKey, type SecretPlace, valuesOf } from "./secret-look.ts";
import { CommandError } from "./terminal.ts";

export interface Rotated {
  readonly name: string;
  readonly path: string;
  readonly live: number;
}

/** A value of our own making, where whoever asks has none. */
export function newValue(name: string, modules: SecretPlace["modules"]): string {
  if (isKey(name)) return randomBytes(32).toString("base64");
  // Of letters and digits alone, which every platform takes.
  if (variablesOf(modules).some((one) => one.name === name && one.isOwn))
    return randomBytes(32).toString("hex");
  throw new CommandError(
    EXIT.usage,
    `expected --generate with a secret of the gateway's own, got ${name}: make it where it comes from, and give it on stdin`,
  );
}

/** Puts a value before the one that there is, which stays live where the variable may have two. */
export function rotate(name: string, value: string, place: SecretPlace): Rotated {
  const { variable, path } = fileOf(name, place);
  if (value === "")
    throw new CommandError(EXIT.usage, `expected a value for ${name}, got nothing; none was changed`);
  const before = valuesOf(variable, place);
  if (before[0] === value)
    throw new CommandError(EXIT.failed, `expected another value for ${name} than it has; none was changed`);
  const kept = isKey(name) ? before : variable.isPair ? before.slice(0, 1) : [];
  return write(variable, path, [value, ...kept], place);
}

/** Ends what a rotation has begun: the first value alone is live. */
export function retire(name: string, place: SecretPlace): Rotated {
  const { variable, path } = fileOf(name, place);
  const [first, ...others] = valuesOf(variable, place);
  if (first === undefined || others.length === 0)
    throw new CommandError(
      EXIT.failed,
      `expected ${name} to have two values, got ${first === undefined ? 0 : 1}`,
    );
  return write(variable, path, [first], place);
}

function fileOf(name: string, { env, cwd, modules }: SecretPlace): { variable: Variable; path: string } {
  const variables = variablesOf(modules).filter(({ secret }) => secret);
  const variable = variables.find((one) => one.name === name);
  if (variable === undefined)
    throw new CommandError(
      EXIT.usage,
      `expected a secret (${variables.map((one) => one.name).join(", ")}), got ${name}`,
    );
  const file = env[`${name}_FILE`]?.trim() ?? "";
  if (file === "")
    throw new CommandError(
      EXIT.failed,
      `expected ${name}_FILE to name the file of the secret, got nothing; a variable is changed where it is set, and by a restart`,
    );
  const path = resolve(cwd, file);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isFile() === true) return { variable, path };
  const got = found === undefined ? "nothing" : found.isSymbolicLink() ? "a link" : "no file";
  throw new CommandError(
    EXIT.failed,
    `expected ${path} to be a file, got ${got}; one that is mounted is changed where it comes from`,
  );
}

/** Whole or not at all, with the owner and permissions of the one that there was; and only what the gateway takes. */
function write(variable: Variable, path: string, values: readonly string[], place: SecretPlace): Rotated {
  const { name } = variable;
  const { [`${name}_FILE`]: _, ...env } = place.env;
  const { problems } = readEnvironment({ ...env, [name]: values.join(",") }, place.cwd, place.modules);
  const wrong = problems.find((one) => one.path === name);
  if (wrong !== undefined) throw new CommandError(EXIT.failed, `${name}: ${wrong.message}; none was changed`);
  const { mode, uid, gid } = lstatSync(path);
  const temporary = `${path}.${randomBytes(6).toString("hex")}.new`;
  const file = openSync(temporary, "wx", 0o600);
  try {
    writeSync(file, `${values.join("\n")}\n`);
    fchmodSync(file, mode & 0o7777);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  if (process.getuid?.() === 0) chownSync(temporary, uid, gid);
  renameSync(temporary, path);
  return { name, path, live: values.length };
}
