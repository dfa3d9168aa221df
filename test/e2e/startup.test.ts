import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configFolder } from "./configuration.ts";
import { runToItsEnd, startGateway, temporaryFolder } from "./gateway-process.ts";

describe("a gateway that cannot start", () => {
  it("says that the port is taken and how to choose another", async () => {
    await using first = await startGateway({ dataDir: temporaryFolder() });
    const port = new URL(first.url).port;
    const { ending, stderr } = await runToItsEnd({
      dataDir: temporaryFolder(),
      env: { PARLEY_PORT: port },
    });
    expect(stderr).toContain(`LISTEN_FAILED: Cannot listen on 127.0.0.1:${port} (EADDRINUSE)`);
    expect(stderr).toContain("PARLEY_PORT");
    expect(ending).toBe(1);
  });

  it("says that another gateway has the data folder, and leaves that one alone", async () => {
    const dataDir = temporaryFolder();
    await using first = await startGateway({ dataDir });
    const { ending, stderr } = await runToItsEnd({ dataDir });
    expect(stderr).toContain("STORE_LOCKED: ");
    expect(ending).toBe(69);
    expect((await fetch(`${first.url}/ready`)).status).toBe(200);
  });

  it("shows every mistake of the configuration at once, each with its place", async () => {
    const config = configFolder(`  limits: { user: { messages: many, per_seconds: 60 } }
  plattforms: {}
  routes: [{ agent: nobody }]
`);
    writeFileSync(join(config, "agents/broken.yaml"), "apiVersion: parley/v1\nkind: [\n");
    const { ending, stderr, stdout } = await runToItsEnd({
      dataDir: temporaryFolder(),
      config,
      env: { TELEGRAM_BOT_TOKEN: "no colon in here", PARLEY_LOG_LEVEL: "loud" },
    });
    const lines = stderr.trim().split("\n");
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/gateway\.yaml:4:\d+:? .*many/),
        expect.stringMatching(/gateway\.yaml:5:\d+:? .*plattforms/),
        expect.stringMatching(/broken\.yaml:\d+:\d+/),
        expect.stringContaining("PARLEY_LOG_LEVEL"),
      ]),
    );
    expect(stderr).not.toContain("no colon in here");
    expect(stdout).toBe("");
    expect(ending).toBe(78);
  });

  it("says which secrets can be guessed, and how long they must be, without showing them", async () => {
    const verifyToken = join(temporaryFolder(), "verify-token");
    writeFileSync(verifyToken, "zzzz\n");
    const { ending, stderr, stdout } = await runToItsEnd({
      dataDir: temporaryFolder(),
      env: {
        PARLEY_DEV_KEY: "zzz",
        SLACK_SIGNING_SECRET: `${"a1".repeat(16)},z`,
        WHATSAPP_VERIFY_TOKEN_FILE: verifyToken,
      },
    });
    expect(stderr).toMatch(/ PARLEY_DEV_KEY: expected at least 16 .*, got 3 characters\n/);
    expect(stderr).toMatch(/ SLACK_SIGNING_SECRET: expected at least 32 .*, got 1 character, as value 2\n/);
    expect(stderr).toMatch(/ WHATSAPP_VERIFY_TOKEN_FILE: expected at least 16 .*, got 4 characters\n/);
    expect(stderr + stdout).not.toMatch(/zzz|a1a1/);
    expect(ending).toBe(78);
  });
});
