// Says what to do where the packages are missing. Valid on every Node, and needs no package itself.
import { createRequire } from "node:module";
import process from "node:process";
import { fileURLToPath } from "node:url";

const PACKAGE = fileURLToPath(new URL("../package.json", import.meta.url));

/** A package that every command needs. */
export function areInstalled() {
  try {
    createRequire(import.meta.url).resolve("commander");
    return true;
  } catch (error) {
    // It may be there and meant to be imported, not required.
    return error.code !== "MODULE_NOT_FOUND";
  }
}

export function needPackages() {
  if (areInstalled()) return;
  process.stderr.write(
    `parley: expected the packages of ${PACKAGE}, got none; run npm ci first, in its folder\n`,
  );
  process.exit(69);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) needPackages();
