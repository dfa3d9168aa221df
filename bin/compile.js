// Bundles the sources into dist when they have changed. Gives whether there is something compiled to run.
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const SOURCES = [
  "../src",
  "../adapters",
  "../package.json",
  "../package-lock.json",
  "bundle.js",
  "page.js",
].map(at);
const STAMP = at("../dist/stamp");

export async function compile() {
  // A published package has no sources, an installation without development packages no bundler.
  if (!existsSync(at("../node_modules/rolldown")) || !existsSync(at("../src")))
    return existsSync(at("../dist"));
  // Asking the bundler whether there is anything to do takes longer than starting the gateway.
  if (existsSync(STAMP) && SOURCES.every((path) => newestMs(path) < statSync(STAMP).mtimeMs)) return true;
  try {
    const { bundle } = await import("./bundle.js");
    await bundle(at(".."), at("../dist"));
    return true;
  } catch (error) {
    process.stderr.write(`parley: the sources could not be bundled, and run as they are: ${error.message}\n`);
    return false;
  }
}

function newestMs(path) {
  if (!existsSync(path)) return 0;
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestMs(join(path, name))), mtimeMs);
}

if (process.argv[1] === at("compile.js")) await compile();
