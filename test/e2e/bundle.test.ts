import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PLATFORMS } from "../../src/domain/event.ts";
import { COMPILED_ENV, ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";

test.each([
  ["us", "", 'TypeError [ERR_INVALID_ARG_TYPE]: The "directory" argument must be of type string'],
  ["Node", "--enable-source-maps", "TypeError"],
])("what fails in the bundle is told with the place in the sources, by %s", (_, flag, error) => {
  const sabotage = "process.stdout.on = () => process.chdir(1)";
  const { stderr } = spawnSync(process.execPath, [join(ROOT, "bin/parley.js"), "status"], {
    encoding: "utf8",
    env: {
      ...COMPILED_ENV,
      NODE_OPTIONS: `${flag} --import data:text/javascript,${encodeURIComponent(sabotage)}`,
    },
  });
  expect(stderr).toContain(error);
  expect(stderr).toMatch(/at processTerminal \(.*\/src\/cli\/index\.ts:\d+:\d+\)/);
  expect(stderr).toMatch(/at .*\(?file:.*\/bin\/parley\.js:\d+/);
  expect(stderr).not.toContain("/dist/");
});

test("each platform's renderer is a file of its own, which the thread for long answers loads by its path", () => {
  const missing = PLATFORMS.filter((name) => !existsSync(join(ROOT, `dist/adapters/${name}/render.js`)));
  expect(missing).toEqual([]);
});

/** Names each file of the bundle on stderr as it is loaded. */
const TELL_FILES = `
import { registerHooks } from "node:module";
registerHooks({
  load(url, context, next) {
    if (url.includes("/dist/")) console.error("loaded " + url);
    return next(url, context);
  },
});`;

const TELLING = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(TELL_FILES)}` };

test("a start reads few files", async () => {
  await using gateway = await startGateway({ dataDir: temporaryFolder(), env: TELLING });
  expect(loaded(gateway.stderr()).length).toBeLessThan(135);
});

test.each(["send", "tail", "dead"])("parley %s reads little of the gateway", (command) => {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "bin/parley.js"), command, "--help"], {
    encoding: "utf8",
    env: { ...COMPILED_ENV, ...TELLING },
  });
  expect(status).toBe(0);
  const bytes = loaded(stderr).reduce((sum, url) => sum + statSync(new URL(url)).size, 0);
  expect(bytes).toBeLessThan(800_000);
});

test.each(["--version", "--help"])("parley %s loads no command", (option) => {
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "bin/parley.js"), option], {
    encoding: "utf8",
    env: { ...COMPILED_ENV, ...TELLING },
  });
  expect(status).toBe(0);
  expect(loaded(stderr).length).toBeLessThan(20);
});

function loaded(stderr: string): string[] {
  return [...stderr.matchAll(/^loaded (.*)$/gm)].map(([, url = ""]) => url);
}
