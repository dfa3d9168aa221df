import { existsSync, globSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { FORMS, type FormName, invocation } from "./forms.ts";

const ROOT = resolve(import.meta.dirname, "../..");

describe.each(Object.keys(FORMS) as FormName[])("the long form %s", (name) => {
  const { args, env } = invocation(name, { seed: 7, times: 2 });

  it("runs what there is", () => {
    const files = args.filter((arg) => /^(?:test|node_modules)\//.test(arg));
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect(existsSync(resolve(ROOT, file)), file).toBe(true);
  });

  it("sets what those tests read", () => {
    const sources = globSync("test/**/*.ts", { cwd: ROOT, exclude: ["test/soak/**"] });
    const all = sources.map((file) => readFileSync(resolve(ROOT, file), "utf8")).join("\n");
    for (const variable of Object.keys(env)) expect(all).toContain(variable);
  });

  it("begins with the seed that is asked for", () => {
    expect([...args, ...Object.values(env)]).toContain("7");
  });
});

it("is as long as it is asked to be", () => {
  const { env } = invocation("kills", { seed: 1, times: 0.001 });
  expect(env).toEqual({ PARLEY_KILLS: "1", PARLEY_SEED: "1" });
  expect(invocation("days", { seed: 1, times: 2 }).env).toMatchObject({ PARLEY_SIM_RUNS: "2000" });
});
