import { createEmulator } from "emulate";
import { expect, it } from "vitest";
import { slackSigned } from "../fakes/slack.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/ports.ts";
import { configFolder } from "./configuration.ts";
import { startGateway, temporaryFolder } from "./gateway-process.ts";
import { deliver } from "./platforms.ts";

// A Slack that somebody else has written: it has no streams, no status, and tells nobody of what is said in it.

const SECRET = "a-signing-secret-of-32-characters";
const ADMIN = "xoxb-of-who-looks";
const APP = { client_id: "111.222", client_secret: "the-secret-of-the-app", app_id: "A1", name: "Parley" };
const SCOPES = ["chat:write", "channels:history", "channels:read", "files:write", "users:read"];

interface Said {
  readonly user: string;
  readonly text: string;
  readonly files?: readonly { readonly name: string; readonly size: number }[];
}

async function openSlack(redirectUri: string) {
  const emulator = await createEmulator({
    ...{ service: "slack", port: await freePort() },
    seed: {
      tokens: { [ADMIN]: { login: "U000000001", scopes: [] } },
      slack: {
        ...{ team: { name: "Acme", domain: "acme" }, signing_secret: SECRET },
        users: [{ name: "ann", real_name: "Ann Lee", email: "ann@x.example" }],
        channels: [{ name: "ops" }],
        oauth_apps: [{ ...APP, redirect_uris: [redirectUri], scopes: SCOPES }],
      },
    },
  });
  const ask = async <T>(method: string, args: object = {}): Promise<T> => {
    const headers = { authorization: `Bearer ${ADMIN}`, "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify(args) };
    return (await (await fetch(`${emulator.url}/api/${method}`, init)).json()) as T;
  };
  const idOf = async (method: string, list: string, name: string) => {
    const all = (await ask<Record<string, readonly { id: string; name: string }[]>>(method))[list] ?? [];
    return all.find((one) => one.name === name)?.id ?? "nobody";
  };
  return {
    url: emulator.url,
    ask,
    ops: await idOf("conversations.list", "channels", "ops"),
    ann: await idOf("users.list", "members", "ann"),
    bot: await idOf("users.list", "members", "parley"),
    /** What somebody sees below a message, once there is as much as that. */
    below: async (channel: string, ts: string, count: number) =>
      await eventually(async () => {
        const { messages } = await ask<{ messages: Said[] }>("conversations.replies", { channel, ts });
        if (messages.length <= count)
          throw new Error(`Expected ${count} answers, got ${messages.length - 1}`);
        return messages.slice(1);
      }, 30_000),
    [Symbol.asyncDispose]: () => emulator.close(),
  };
}

it("a Slack that others have written is installed, and answered in: whole, in its thread, with names and files", async () => {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  await using slack = await openSlack(`${address}/slack/oauth_redirect`);
  await using gateway = await startGateway({
    ...{ dataDir: temporaryFolder(), config: configFolder() },
    env: {
      ...{ PARLEY_PORT: String(port), PARLEY_PUBLIC_URL: address },
      ...{ SLACK_SIGNING_SECRET: SECRET, SLACK_API_URL: `${slack.url}/api/` },
      ...{ SLACK_CLIENT_ID: APP.client_id, SLACK_CLIENT_SECRET: APP.client_secret },
      PARLEY_ENCRYPTION_KEY: Buffer.alloc(32, 3).toString("base64"),
    },
  });
  await install(gateway.url, slack.url);

  let events = 0;
  /** Said there, and told to the gateway as Slack would. */
  async function mention(text: string, threadTs?: string): Promise<string> {
    const { ops: channel, bot, ann: user } = slack;
    const said = `<@${bot}> ${text}`;
    const thread = threadTs === undefined ? {} : { thread_ts: threadTs };
    const { ts } = await slack.ask<{ ts: string }>("chat.postMessage", { channel, text: said, ...thread });
    const body = JSON.stringify({
      ...{ type: "event_callback", team_id: "T000000001", api_app_id: "A1", event_id: `Ev${++events}` },
      authorizations: [{ team_id: "T000000001", user_id: bot, is_bot: true, is_enterprise_install: false }],
      event: { type: "app_mention", user, text: said, ts, channel, ...thread },
    });
    const signed = slackSigned(body, { secret: SECRET, nowMs: Date.now() });
    const request = { method: "POST" as const, path: "/webhooks/slack", ...signed };
    expect(await deliver(gateway.url, request)).toMatchObject({ status: 200 });
    return ts;
  }
  const answers = async (ts: string, count: number) => await slack.below(slack.ops, ts, count);

  const root = await mention("hello & <welcome>");
  expect(await answers(root, 1)).toMatchObject([
    { user: slack.bot, text: expect.stringMatching(/^You said: hello/) },
  ]);
  // The names that its people have are looked up there.
  await mention("demo: prompt", root);
  expect((await answers(root, 3)).at(-1)?.text).toMatch(
    /^ann: hello .*\nassistant: You said: .*\nann: demo: prompt$/,
  );

  const long = await answers(await mention("demo: long 12500"), 2);
  expect(long.map(({ files = [] }) => files.map(({ name, size }) => [name, size]))).toEqual([
    [],
    [["answer.md", 12_500]],
  ]);

  // Without streams it grows by edits, and is one message at the end.
  const words = Array.from({ length: 40 }, (_, i) => `w${i + 1}`).join(" ");
  const growing = await mention("demo: stream 40 20");
  await gateway.logged(/"via":"chat\.update"/);
  expect(await answers(growing, 1)).toMatchObject([{ user: slack.bot, text: words }]);
});

/** As somebody who allows it would, in a browser that keeps its cookie. */
async function install(gateway: string, slack: string): Promise<void> {
  const begun = await fetch(`${gateway}/slack/install`, { redirect: "manual" });
  const { pathname, search } = new URL(begun.headers.get("location") ?? "");
  const page = await (await fetch(slack + pathname + search)).text();
  const form = new URLSearchParams(
    [...(/<form.*?<\/form>/s.exec(page)?.[0].matchAll(/name="([^"]+)" value="([^"]*)"/g) ?? [])].map(
      ([, name = "", value = ""]): [string, string] => [name, value.replaceAll("&amp;", "&")],
    ),
  );
  const allowed = await fetch(`${slack}${pathname}/callback`, {
    method: "POST",
    body: form,
    redirect: "manual",
  });
  const [cookie = ""] = (begun.headers.get("set-cookie") ?? "").split(";");
  const back = await fetch(allowed.headers.get("location") ?? "", { headers: { cookie } });
  expect([back.status, await back.text()]).toEqual([200, expect.stringContaining("Acme")]);
}
