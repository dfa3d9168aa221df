import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PLATFORMS } from "../../src/domain/event.ts";
import { ROOT } from "./gateway-process.ts";

test("what fails in the bundle is told with the place in the sources", () => {
  const failing = `import(${JSON.stringify(join(ROOT, "dist/src/main.js"))}).then(({ serve }) => serve(null))`;
  const { stderr } = spawnSync(process.execPath, ["--enable-source-maps", "-e", failing], {
    encoding: "utf8",
  });
  expect(stderr).toMatch(/TypeError: /);
  expect(stderr).toMatch(/\/src\/\w[\w/-]*\.ts:\d+/);
});

test("each platform's renderer is a file of its own, which the thread for long answers loads by its path", () => {
  const missing = PLATFORMS.filter((name) => !existsSync(join(ROOT, `dist/adapters/${name}/render.js`)));
  expect(missing).toEqual([]);
});
