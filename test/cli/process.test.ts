import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { emptyFolder, run, start } from "./helpers.ts";

describe("parley as a process", () => {
  it.each([
    [["--help"], 0, "Usage: parley", ""],
    [["config", "schema"], 0, '{\n  "$schema"', ""],
    [["sevre"], 2, "", "Did you mean serve?"],
    [["send", "test", "--url", "http://127.0.0.1:9"], 69, "", "is the gateway running?"],
    [["config", "validate", "--config", "none"], 78, "", "none: expected a folder, got nothing"],
  ])("%j ends with %d", async (args, code, stdout, stderr) => {
    const result = await run(args);
    expect(result).toMatchObject({ code, stdout: expect.stringContaining(stdout) });
    expect(result.stderr).toContain(stderr);
    if (stderr === "") expect(result.stderr).toBe("");
  });

  it("reads .env in the working directory, but what is set wins", async () => {
    const cwd = emptyFolder();
    writeFileSync(join(cwd, ".env"), "PARLEY_PORT=1234\nPARLEY_HOST=0.0.0.0\n");
    const { stdout } = await run(["config", "print", "--json"], { cwd, env: { PARLEY_PORT: "4321" } });
    expect(JSON.parse(stdout)).toMatchObject({ environment: { port: 4321, host: "0.0.0.0" } });
  });

  it("starts a gateway that answers from what init has written, .env included", async () => {
    const cwd = emptyFolder();
    expect(await run(["init"], { cwd })).toMatchObject({ code: 0 });
    copyFileSync(join(cwd, ".env.example"), join(cwd, ".env"));
    const { child, ended } = start(["serve", "--port", "0"], { cwd });
    let talk = "";
    const url = await new Promise<string>((listens, failed) => {
      void ended.then(({ stderr }) => failed(new Error(stderr)));
      child.stderr?.on("data", (text: string) => {
        talk += text;
        const found = /listens on (http:\S+)/.exec(talk)?.[1];
        if (found !== undefined) listens(found);
      });
    });
    const sent = await run(["send", "test", "--text", "hello", "--wait", "20", "--json", "--url", url], {
      cwd,
    });
    expect(JSON.parse(sent.stdout)).toMatchObject({ reply: expect.stringMatching(/^You said: hello\n/) });
    child.kill("SIGTERM");
    expect(await ended).toMatchObject({ code: 0 });
  });
});
