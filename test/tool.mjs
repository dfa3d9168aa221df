// How a tool of ours is started: as a script of this Node, since what npm puts into node_modules/.bin is a shell script,
// and on Windows another one than that name says. Plain JavaScript: it also runs on Node 20.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PACKAGES = { biome: "@biomejs/biome", tsc: "typescript" };
const COUNTS = "./test/count-reporter.ts";

/** The program, and the arguments before its own. */
export function toolCommand(name) {
  const folder = join(ROOT, "node_modules", PACKAGES[name] ?? name);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return [process.execPath, join(folder, typeof bin === "string" ? bin : bin[name])];
}

/** A reporter that is asked for takes the place of those of the configuration, and what counts the tests is one of them. */
export function withCounts(args) {
  const isReporter = (arg) => arg === "--reporter" || arg.startsWith("--reporter=");
  return args.some(isReporter) ? [...args, `--reporter=${COUNTS}`] : [...args];
}
