// Compiles the sources to dist when they have changed. Gives whether there is something compiled to run.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const SOURCES = [
  "../src",
  "../adapters",
  "../tsconfig.json",
  "../tsconfig.build.json",
  "../package.json",
].map(at);
const ASSETS = ["src/store/redis/lua"];
const STAMP = at("../dist/.tsbuildinfo");

export function compile() {
  const compiler = at("../node_modules/typescript/bin/tsc");
  // A published package has no sources, an installation without development packages no compiler.
  if (!existsSync(compiler) || !existsSync(at("../tsconfig.build.json"))) return existsSync(at("../dist"));
  // Asking the compiler whether there is anything to do takes longer than starting the gateway.
  if (existsSync(STAMP) && SOURCES.every((path) => newestMs(path) < statSync(STAMP).mtimeMs)) return true;
  const { status } = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], {
    cwd: at(".."),
    stdio: "inherit",
  });
  if (status !== 0) return false;
  // The compiler leaves behind what it does not compile.
  for (const folder of ASSETS) cpSync(at(`../${folder}`), at(`../dist/${folder}`), { recursive: true });
  return true;
}

function newestMs(path) {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  return readdirSync(path).reduce((newest, name) => Math.max(newest, newestMs(join(path, name))), mtimeMs);
}

if (process.argv[1] === at("compile.js")) compile();
