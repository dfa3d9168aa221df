import { expect, it, onTestFinished } from "vitest";
import type { Finding } from "../../src/cli/findings.ts";
import { fakeSlack } from "../fakes/slack.ts";
import { call } from "./helpers.ts";

const APP_TOKEN = "xapp-1-hunter2";

async function doctor(change: (env: Record<string, string>) => Record<string, string> = (env) => env) {
  const fake = await fakeSlack({ token: "xoxb-hunter2", appToken: APP_TOKEN });
  onTestFinished(() => fake.close());
  fake.scopes = ["chat:write", "commands"];
  const env = {
    ...{ PARLEY_PORT: "0", SLACK_BOT_TOKEN: "xoxb-hunter2", SLACK_APP_TOKEN: APP_TOKEN },
    ...{ SLACK_API_URL: fake.apiUrl },
  };
  const result = await call(["doctor", "--json"], { env: change(env) });
  expect(result.stdout + result.stderr).not.toContain("hunter2");
  const findings = JSON.parse(result.stdout) as Finding[];
  return { code: result.code, slack: findings.filter(({ check }) => check === "slack"), fake };
}

it("tries the token of Socket Mode, opens no connection, and says which scopes the bot lacks", async () => {
  const { code, slack, fake } = await doctor();
  expect(code).toBe(0);
  const messages = slack.map(({ status, message }) => [status, message]);
  expect(messages).toContainEqual(["ok", "its API takes the token of Socket Mode"]);
  expect(messages).toContainEqual(["ok", "its API takes the bot token, as parley in T1"]);
  expect(messages).toContainEqual(["warn", "it cannot read files: the scope files:read is missing"]);
  expect(fake.sockets.opened).toBe(0);
});

it("fails on a token of Socket Mode that Slack does not take", async () => {
  const { code, slack } = await doctor((env) => ({ ...env, SLACK_APP_TOKEN: "xapp-1-hunter2-other" }));
  expect(code).toBe(1);
  expect(slack).toContainEqual(
    expect.objectContaining({
      status: "fail",
      message: "its API refuses the credential: apps.connections.open: invalid_auth",
      fix: "put a valid one in SLACK_APP_TOKEN, and start again",
    }),
  );
});
