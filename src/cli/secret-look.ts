import { type Stats, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { createEnvReader, type Env } from "../config/env-reader.ts";
import { readEnvironment } from "../config/environment.ts";
import { variablesOf } from "../config/variables.ts";
import type { PlatformModule } from "../ports/platform.ts";
import type { Variable } from "../shared/variable.ts";

/** What can be said of a secret without saying it. */
export interface SecretLook {
  readonly name: string;
  readonly status: "ok" | "warn" | "fail" | "absent";
  readonly source: "variable" | "file" | null;
  /** Of the file that it comes from. */
  readonly path: string | null;
  /** Its permissions, as chmod takes them. */
  readonly mode: string | null;
  /** Of each value that is live; two in a rotation. */
  readonly characters: readonly number[];
  /** Whether a running gateway takes another value without a restart. */
  readonly renewable: boolean;
  readonly findings: readonly string[];
}

/** Where to look; nothing is changed. */
export interface SecretPlace {
  readonly env: Env;
  readonly cwd: string;
  readonly modules: readonly PlatformModule[];
}

/** Of each secret that there may be, in the order of the documentation. */
export function lookAtSecrets({ env, cwd, modules }: SecretPlace): readonly SecretLook[] {
  const { problems } = readEnvironment(env, cwd, modules);
  const all = variablesOf(modules).filter(({ secret }) => secret);
  const given = new Map(all.map((one) => [one.name, valuesOf(one, { env, cwd, modules })]));
  return all.map((variable): SecretLook => {
    const { name } = variable;
    const file = env[`${name}_FILE`]?.trim() ?? "";
    const path = file === "" ? null : resolve(cwd, file);
    const values = given.get(name) ?? [];
    const wrong = problems.filter((one) => one.path === name || one.path === `${name}_FILE`);
    const isThere = values.length > 0 || wrong.length > 0;
    const stats = path === null ? undefined : statSync(path, { throwIfNoEntry: false });
    const access = path === null || stats === undefined ? NOTHING : accessTo(path, stats);
    const failures = [...wrong.map(({ message }) => message), ...access.failures];
    const warnings = [...access.warnings, ...oddities(name, values, given)];
    const judged = failures.length > 0 ? "fail" : warnings.length > 0 ? "warn" : "ok";
    return {
      name,
      status: isThere ? judged : "absent",
      source: isThere ? (path === null ? "variable" : "file") : null,
      path,
      mode: stats === undefined ? null : modeOf(stats),
      characters: values.map(({ length }) => length),
      renewable: path !== null && variable.isOfCommands !== true,
      findings: [...failures, ...warnings],
    };
  });
}

/** All that are live, as they stand in the variable or the file. */
export function valuesOf(
  { name, isPair }: Pick<Variable, "name" | "isPair">,
  { env, cwd, modules }: SecretPlace,
): readonly string[] {
  const reader = createEnvReader(env, cwd, variablesOf(modules));
  if (isPair || isKey(name)) return reader.pair(name);
  const value = reader.text(name);
  return value === null ? [] : [value];
}

/** Of several values the first seals and all open: as many as are given. */
export function isKey(name: string): boolean {
  return name === "PARLEY_ENCRYPTION_KEY";
}

const NOTHING = { failures: [], warnings: [] };

function modeOf({ mode }: Stats): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}

/** Whoever may write the file, or put another in its place, decides what opens this gateway. */
function accessTo(path: string, file: Stats): { failures: readonly string[]; warnings: readonly string[] } {
  const folder = statSync(dirname(path));
  const failures = [
    ...(file.mode & 0o022
      ? [`expected a file that its owner alone may write, got mode ${modeOf(file)}: chmod 600`]
      : []),
    ...(folder.mode & 0o002 && !(folder.mode & STICKY)
      ? [`expected a folder that not everybody may write, got mode ${modeOf(folder)} of ${dirname(path)}`]
      : []),
  ];
  const warnings =
    file.mode & 0o004 && folder.mode & 0o001
      ? [`every user of this machine may read it (mode ${modeOf(file)}): chmod 600, or 640 with a group`]
      : [];
  return { failures, warnings };
}

const STICKY = 0o1000;
/** Random text of 16 letters or more has more different ones. */
const DIFFERENT_MIN = 6;
const PLACEHOLDER =
  /change.?me|placeholder|example|your[-_ ]|^(?:secret|password|token|test)\b|x{8}|\.\.\.|…/i;

/** What is no mistake that a program could prove, and hardly ever meant. */
function oddities(
  name: string,
  values: readonly string[],
  given: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  const isDull = values.some(
    (value) => PLACEHOLDER.test(value) || (value.length >= 16 && new Set(value).size < DIFFERENT_MIN),
  );
  const twins = [...given]
    .filter(([other, theirs]) => other !== name && theirs.some((value) => values.includes(value)))
    .map(([other]) => other);
  return [
    ...(isDull ? ["it looks like a placeholder: openssl rand -hex 32 makes one that nobody guesses"] : []),
    ...(new Set(values).size < values.length ? ["its two values are the same"] : []),
    ...twins.map((other) => `${other} has the same value: who learns one knows both`),
  ];
}
