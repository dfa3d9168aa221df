import { afterAll, beforeAll, expect, it } from "vitest";
import { type Child, launch } from "../support/child.ts";
import { COMPILED_ENV, type GatewayProcess, ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";
let stubs: Child;
let gateway: GatewayProcess;
let env: Record<string, string>;

const parley = (args: readonly string[], given: Readonly<Record<string, string>> = {}) =>
  launch([process.execPath, `${ROOT}/bin/parley.js`, ...args], {
    cwd: temporaryFolder(),
    env: { ...COMPILED_ENV, ...given },
  });

beforeAll(async () => {
  stubs = parley(["stub", "--port", "0", "--json"]);
  const { variables } = JSON.parse(await stubs.said("stdout", /^(\{.*\})\n/));
  const dataDir = temporaryFolder();
  env = { ...variables, PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_DATA_DIR: dataDir };
  gateway = await startGateway({ dataDir, env });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await stubs.end();
});

it.each([
  ["slack", "mention", "chat.postMessage"],
  ["slack", "slash", "response_url"],
  ["discord", "slash", "answer"],
  ["telegram", "message", "sendMessage"],
  ["whatsapp", "message", "messages"],
])("parley send %s --kind %s is answered at the stub", async (platform, kind, call) => {
  const text = `words for ${platform} by ${kind}`;
  const sent = parley(
    ["send", platform, "--kind", kind, "--text", text, "--wait", "30", "--json", "--url", gateway.url],
    env,
  );
  expect(await sent.ended, sent.output.stderr).toBe(0);
  expect(JSON.parse(sent.output.stdout)).toMatchObject({
    ...{ state: "done", reply: expect.stringContaining(`You said: ${text}`) },
  });
  const said = () =>
    stubs.output.stdout
      .split("\n")
      .filter((line) => line.includes(`You said: ${text}`))
      .map((line) => JSON.parse(line) as { platform: string; call: string });
  await stubs.said("stdout", `You said: ${text}`);
  expect(said().map((one) => one.platform)).toContain(platform);
  expect(said().map((one) => one.call)).toContain(call);
});
