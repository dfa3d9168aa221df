import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { launch } from "../support/child.ts";
import { ask } from "./ask.ts";
import { configFolder } from "./configuration.ts";
import { ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";

const PARLEY = join(ROOT, "bin/parley.js");

it("SIGHUP ends nothing, and has the configuration read again", async () => {
  await using gateway = await startGateway({ dataDir: temporaryFolder(), config: configFolder() });
  for (let n = 0; n < 2; n++) process.kill(gateway.pid, "SIGHUP");
  await gateway.logged(/"changed":false[^\n]*configuration\.reloaded/);
  const question = { message: "still here?", conversation: "hup", wait: 20 };
  expect(await ask(gateway.url, question)).toMatchObject({ status: 200, reply: "You said: still here?" });
  expect(await gateway.end("SIGTERM")).toBe(0);
});

it("a gateway whose terminal is gone drains, and leaves the port and the data to its successor", async () => {
  const dataDir = temporaryFolder();
  const config = configFolder();
  // `script` is the terminal, and what runs in it cannot tell it from one.
  const terminal = launch(["script", "-qfec", `${process.execPath} ${PARLEY} serve`, "/dev/null"], {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? "", PARLEY_PORT: "0", PARLEY_DATA_DIR: dataDir, PARLEY_CONFIG: config },
  });
  const url = await terminal.said("stdout", /listens on (http:\S+)/);
  process.kill(terminal.pid, "SIGKILL");
  await vi.waitFor(() => expect(fetch(`${url}/health`)).rejects.toThrow("fetch failed"), {
    timeout: 30_000,
    interval: 100,
  });
  await using next = await vi.waitFor(() => startGateway({ dataDir, config }), {
    timeout: 30_000,
    interval: 200,
  });
  expect((await fetch(`${next.url}/health`)).status).toBe(200);
  await terminal.end();
});
