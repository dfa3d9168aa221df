import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished, vi } from "vitest";
import { MODULES } from "../../adapters/index.ts";
import { banner } from "../../src/app/banner.ts";
import { createApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config/load.ts";
import { systemClock } from "../../src/system/clock.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { call } from "../cli/helpers.ts";
import { AGENT, folderWith, problemsOf } from "../config/helpers.ts";
import { fakeToy } from "../fakes/toy.ts";
import { countOf } from "../support/metrics.ts";
import { toy } from "../support/toy-platform.ts";

/** The two lines that a further platform needs outside of its folder: its name, and its module. */
vi.mock("../../src/domain/event.ts", async (original) => {
  const event = await original<typeof import("../../src/domain/event.ts")>();
  return { ...event, PLATFORMS: [...event.PLATFORMS, "toy"] };
});

vi.mock("../../adapters/index.ts", async (original) => {
  const { MODULES } = await original<typeof import("../../adapters/index.ts")>();
  const { toy } = await import("../support/toy-platform.ts");
  return { MODULES: [...MODULES, toy] };
});

const SECRET = "a-secret-of-the-toy-platform";
const ADMIN = "an-admin-token-of-more-than-32-characters";

async function listening(server: Server): Promise<string> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it("a platform that only the list knows goes from its webhook to its reply", async () => {
  const api = await fakeToy(SECRET);
  onTestFinished(() => api.close());
  const cwd = folderWith({
    "config/agents/assistant.yaml": AGENT,
    "config/gateway.yaml":
      "kind: Gateway\nspec: { routes: [{ agent: assistant }], platforms: { toy: { loud: true } } }\n",
  });
  const env = { TOY_SECRET: SECRET, TOY_API_URL: api.url, PARLEY_ADMIN_TOKEN: ADMIN };
  const loaded = loadConfig({ modules: MODULES, env, cwd });
  if (!loaded.ok) throw new Error(problemsOf(loaded).join("\n"));
  const metrics = createMetrics();
  const app = await createApp({
    config: loaded.config,
    load: async () => loaded,
    clock: systemClock,
    random: Math.random,
    log: silentLogger(),
    metrics,
    version: "1.2.3",
    onStoreDeath: (error) => {
      throw error;
    },
  });
  onTestFinished(async () => {
    app.server.closeAllConnections();
    app.server.close();
    await app.stop(1_000);
  });
  const url = await listening(app.server);
  app.startWork();
  expect(banner(app, loaded.config, "1.2.3")).toMatch(/^ {2}toy +on +http:\/\/.*\/webhooks\/toy$/m);

  const sampler = await toy.sampler();
  const noEnv = {} as Parameters<typeof sampler.build>[1];
  const send = async (id: string, words: string, secret = SECRET) => {
    const options = { kind: "message", id, text: words, nowMs: systemClock.nowMs(), secret };
    const { path, method, headers, body } = sampler.build(options, noEnv);
    return await fetch(url + path, { method, headers, body });
  };

  expect((await send("1", "hello", "another-secret-than-that")).status).toBe(401);
  expect((await send("2", "")).status).toBe(200);
  expect(await countOf(metrics, "ignored", { platform: "toy", reason: "toy_silent" })).toBe(1);
  const sent = await call(["send", "toy", "--id", "3", "--text", "hello", "--url", url], { env });
  expect(sent).toMatchObject({ code: 0, stdout: expect.stringMatching(/^200 accepted\n/) });
  await api.until(() => api.said.length > 0);
  expect(api.said).toMatchObject([{ to: "ann", text: expect.stringContaining("HELLO") }]);

  expect((await call(["config", "schema", "gateway"])).stdout).toContain("Whether answers are shouted.");
  expect((await call(["doctor", "--offline"], { env: { TOY_SECRET: SECRET } })).stdout).toContain(
    "off: TOY_SECRET is set, TOY_API_URL is not",
  );

  // Sent again, it runs no second time.
  const again = await send("3", "hello");
  const requestId = again.headers.get("x-request-id");
  const authorization = `Bearer ${ADMIN}`;
  const explained = await fetch(`${url}/api/v1/explain/${requestId}`, { headers: { authorization } });
  expect(await explained.json()).toMatchObject({ outcome: "duplicate", event: { id: "toy:3" } });
});
