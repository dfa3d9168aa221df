import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const { toolCommand, withCounts } = (await import(
  new URL("./tool.mjs", import.meta.url).href
)) as typeof import("./tool.mjs");

describe("a tool", () => {
  it.each(["tsc", "biome", "oxlint", "knip", "vitest"])("%s is a script of this Node", (name) => {
    const [program, file] = toolCommand(name);
    expect(program).toBe(process.execPath);
    expect(existsSync(file)).toBe(true);
    // What lies there is a shell script, on Windows beside two others.
    expect(file).not.toContain(".bin");
  });

  it("starts", async () => {
    const [program, ...args] = toolCommand("biome");
    const { stdout } = await promisify(execFile)(program, [...args, "--version"]);
    expect(stdout).toMatch(/^Version: \d/);
  });
});

describe("the arguments of a test run", () => {
  it.each([[["--reporter=dot"]], [["--reporter", "dot", "test/domain"]]])(
    "%j keep the line that counts the tests",
    (args) => {
      expect(withCounts(args)).toEqual([...args, "--reporter=./test/count-reporter.ts"]);
    },
  );

  it("are left alone where no reporter is asked for", () => {
    expect(withCounts(["--project", "unit"])).toEqual(["--project", "unit"]);
  });
});
