import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

const FETCHED = resolve(import.meta.dirname, "../../node_modules/.cache/parley-tools/usr/bin");

/** Where a program is that npm cannot bring: on the path, or where `test/setup.mjs` has put it. */
export function toolPath(name: string): string {
  const path = optionalToolPath(name);
  if (path === undefined) throw new Error(`Expected ${name}, got none; node test/setup.mjs fetches it`);
  return path;
}

export function optionalToolPath(name: string): string | undefined {
  return [...(process.env.PATH ?? "").split(delimiter), FETCHED]
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}
