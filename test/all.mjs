// `npm test`: all tests, and the checks beside them. Ends with one plain line that counts both, for machines that read
// it. Further arguments are Vitest's. Plain JavaScript: it also runs on Node 20.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { checkCount, failedChecks } from "./checks.mjs";
import { toolCommand, withCounts } from "./tool.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));

const folder = mkdtempSync(join(tmpdir(), "parley-tests-"));
const countsFile = join(folder, "counts.json");
try {
  const [code, failed] = await Promise.all([vitest(), failedChecks()]);
  for (const one of failed) console.error(`\n${one}`);
  const tests = counts();
  const skipped = tests.skipped > 0 ? `, ${tests.skipped} skipped` : "";
  // Vitest may fail although no test did: by what was thrown beside them, or by its own end.
  const unexplained = code !== 0 && tests.failed === 0 ? 1 : 0;
  const failures = tests.failed + failed.length + unexplained;
  console.log(`\n${tests.passed + checkCount - failed.length} passed, ${failures} failed${skipped}`);
  process.exitCode = failures === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function vitest() {
  const [node, tool] = toolCommand("vitest");
  const child = spawn(node, [tool, "run", ...withCounts(process.argv.slice(2))], {
    cwd: resolve(HERE, ".."),
    stdio: "inherit",
    env: { ...process.env, PARLEY_TEST_COUNTS: countsFile },
  });
  return new Promise((settle) => {
    child.on("error", (error) => {
      console.error(String(error));
      settle(1);
    });
    child.on("close", (code) => settle(code ?? 1));
  });
}

/** What the reporter has counted; nothing where it did not come to its end. */
function counts() {
  try {
    return JSON.parse(readFileSync(countsFile, "utf8"));
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
}
