// What needs no running: types, format, lint, and nothing unused. `npm run check` shows it; `npm test` runs it beside the
// tests. Plain JavaScript: it also runs on Node 20.
import { spawn } from "node:child_process";
import { resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { toolCommand } from "./tool.mjs";

const ROOT = resolve(import.meta.dirname ?? fileURLToPath(new URL(".", import.meta.url)), "..");

const CHECKS = [
  { what: "has no type errors", command: ["tsc", "-p", "."] },
  { what: "has no type errors in what runs in a browser", command: ["tsc", "-p", "src/console/page"] },
  { what: "is formatted and free of lint", command: ["biome", "ci", "."] },
  { what: "leaves no promise floating", command: ["oxlint", "--type-aware", "src", "adapters", "test"] },
  { what: "has no unused file, export or dependency", command: ["knip", "--no-progress"] },
];

/** One after the other, so that tests beside them keep their cores. Gives what failed, with what was said of it. */
export async function failedChecks() {
  const failed = [];
  for (const { what, command } of CHECKS) {
    const said = await complaint(command);
    if (said !== null) failed.push(`FAIL the code ${what} (${command.join(" ")})\n${said}`);
  }
  return failed;
}

export const checkCount = CHECKS.length;

function complaint([tool, ...args]) {
  return new Promise((settle) => {
    const [node, script] = toolCommand(tool);
    const child = spawn(node, [script, ...args], { cwd: ROOT });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (said += chunk));
    child.on("error", (error) => settle(String(error)));
    child.on("close", (code, signal) => settle(code === 0 ? null : said || `ended with ${code ?? signal}`));
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const failed = await failedChecks();
  for (const one of failed) console.error(one);
  console.log(`${checkCount - failed.length} of ${checkCount} checks passed`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}
