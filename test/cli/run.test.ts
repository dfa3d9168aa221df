import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { sseServer } from "../models/sse-server.ts";
import { newFolder } from "../tools/support.ts";
import { call } from "./helpers.ts";

/** Runs `parley run …` with one agent, whose spec this is. */
function run(spec: string, ...args: string[]) {
  const folder = newFolder();
  mkdirSync(join(folder, "agents"));
  writeFileSync(join(folder, "agents/assistant.yaml"), `metadata: { name: assistant }\nspec:\n${spec}`);
  const given = ["run", "--agent", "assistant", ...args, "--config", folder];
  return call(given, { env: { PARLEY_DATA_DIR: join(folder, "data"), OPENAI_API_KEY: "sk-test" } });
}

const DEMO = "  model: { provider: demo }\n";

it("prints the answer alone, or all of it as JSON", async () => {
  expect(await run(DEMO, "--input", "hello  there\n\nyou")).toMatchObject({
    code: 0,
    stdout: "You said: hello  there\n\nyou\n",
    stderr: "",
  });
  const { stdout } = await run(DEMO, "--input", "hello", "--json");
  expect(JSON.parse(stdout)).toMatchObject({ outcome: "answered", text: "You said: hello", model_calls: 1 });
});

it("denies what needs an approval where nobody can be asked", async () => {
  const tool = "  tools: [{ name: say, type: command, command: echo, args: [hi], approve: ['*'] }]\n";
  expect(await run(DEMO + tool, "--input", "demo: tool say {}")).toMatchObject({
    code: 0,
    stdout: "Tool say said: denied by cli: nobody to ask\n",
    stderr: expect.stringContaining("May I use"),
  });
});

it("names the files that tools make, and sends them to nobody", async () => {
  const server = fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js"));
  const config = `{ transport: stdio, command: ${process.execPath}, args: ["${server}", stdio] }`;
  const tool = `  tools: [{ name: all, type: mcp, config: ${config}, allow: ["*"], sends_files: true }]\n`;
  expect(await run(DEMO + tool, "--input", "demo: tool all__get-tiny-image {}")).toMatchObject({
    code: 0,
    stdout: expect.stringContaining("could not be sent: this is a shell, not a chat"),
    stderr: expect.stringMatching(
      /^A tool has made the file "?image\.png"? \(\d+ bytes\); here it is sent to nobody\.\n$/m,
    ),
  });
});

it("says why there is no answer", async () => {
  await using server = await sseServer({ status: 503 });
  const model = `  model: { provider: openai, model: m, base_url: "${server.url}", price: free }\n  retry: { max_attempts: 1 }\n`;
  expect(await run(model, "--input", "hello")).toMatchObject({ code: 69, stdout: "" });
  await using refusing = await sseServer({ status: 422 });
  const refused = model.replace(server.url, refusing.url);
  expect(await run(refused, "--input", "hello")).toMatchObject({ code: 1, stdout: "" });
  expect(await run(DEMO, "--input", " ")).toMatchObject({ code: 2 });
  expect(await run(DEMO, "--agent", "nobody", "--input", "x")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Expected one of these agents: assistant, got nobody"),
  });
});
