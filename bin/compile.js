// Compiles the sources to dist, only what has changed. Gives whether there is something compiled to run.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

export function compile() {
  const compiler = at("../node_modules/typescript/bin/tsc");
  // A published package has no sources, an installation without development packages no compiler.
  if (!existsSync(compiler) || !existsSync(at("../tsconfig.build.json"))) return existsSync(at("../dist"));
  const { status } = spawnSync(process.execPath, [compiler, "-p", "tsconfig.build.json"], {
    cwd: at(".."),
    stdio: "inherit",
  });
  return status === 0;
}

if (process.argv[1] === at("compile.js")) compile();
