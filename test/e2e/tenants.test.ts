import { randomBytes } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import type { SampleRequest } from "../../adapters/shared/sample.ts";
import { slackSigned } from "../fakes/slack.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { configFolder } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";
import {
  deliver,
  discordSignature,
  openPlatforms,
  type Platforms,
  SECRETS,
  seenOn,
  webhook,
} from "./platforms.ts";

/** What two workspaces may well have in common: only what Slack says of the installation tells them apart. */
const CHANNEL = "C1";
const USER = "U1";
const SECOND = Math.floor(Date.now() / 1000) - 60;
let lastTs = 0;
const nextTs = () => `${SECOND}.${String(++lastTs).padStart(6, "0")}`;

let redis: RedisServer;
let platforms: Platforms;
let replicas: readonly [GatewayProcess, GatewayProcess];
const config = configFolder();

beforeEach(async () => {
  redis = await startRedis();
  platforms = await openPlatforms();
  const { SLACK_BOT_TOKEN: _, ...env } = platforms.env;
  const replica = () =>
    startGateway({
      ...{ dataDir: temporaryFolder(), config },
      env: {
        ...env,
        REDIS_URL: redis.url,
        SLACK_CLIENT_ID: "111.222",
        SLACK_CLIENT_SECRET: "client-secret-of-the-app",
        PARLEY_PUBLIC_URL: "https://bot.example",
        PARLEY_ENCRYPTION_KEY: KEY,
      },
    });
  replicas = await Promise.all([replica(), replica()]);
  return async () => {
    await Promise.all(replicas.map((one) => one[Symbol.asyncDispose]()));
    await platforms[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  };
});
const KEY = randomBytes(32).toString("base64");

function signed(body: string, contentType = "application/json"): SampleRequest {
  const headers = slackSigned(body, {
    secret: SECRETS.SLACK_SIGNING_SECRET,
    nowMs: Date.now(),
    contentType,
  });
  return { method: "POST", path: "/webhooks/slack", ...headers };
}

const event = (team: string, inner: object, outer: object = {}) =>
  signed(
    JSON.stringify({
      ...{ type: "event_callback", team_id: team, api_app_id: "A1", event_id: `Ev${++lastTs}` },
      authorizations: [{ team_id: team, user_id: "UBOT", is_bot: true, is_enterprise_install: false }],
      event: inner,
      ...outer,
    }),
  );
const mention = (team: string, text: string, threadTs: string | null = null, outer: object = {}) => {
  const said = { type: "app_mention", user: USER, text: `<@UBOT> ${text}`, ts: nextTs(), channel: CHANNEL };
  return event(team, threadTs === null ? said : { ...said, thread_ts: threadTs }, outer);
};

/** Begun in one process, brought back by the browser to another. */
async function install(team: string, [begun, ended]: readonly [GatewayProcess, GatewayProcess]) {
  const page = await fetch(`${begun.url}/slack/install`, { redirect: "manual" });
  const state = new URL(page.headers.get("location") ?? "").searchParams.get("state") ?? "";
  const [cookie = ""] = (page.headers.get("set-cookie") ?? "").split(";");
  platforms.slack.installs.allow(`code-${team}`, { team, name: `Team ${team}` });
  const query = new URLSearchParams({ code: `code-${team}`, state });
  const back = () => fetch(`${ended.url}/slack/oauth_redirect?${query.toString()}`, { headers: { cookie } });
  const answer = await back();
  expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining(`Team ${team}`)]);
  return back;
}
async function installBoth(): Promise<void> {
  const [one, two] = replicas;
  await install("T1", [one, two]);
  await install("T2", [two, one]);
}

const saidIn = (team: string) =>
  platforms.slack.messages.filter((message) => message.team === team).map(({ text }) => text);
const heard = (team: string, words: string) =>
  seenOn(platforms.slack, () => saidIn(team).find((text) => text.includes(words)));

describe("a workspace that is installed on two replicas", () => {
  it("is begun at one and ended at the other, once, and served by both with a token of its own", async () => {
    const [one, two] = replicas;
    const again = await install("T1", [one, two]);
    expect((await again()).status).toBeGreaterThanOrEqual(400);
    await install("T2", [two, one]);
    expect(platforms.slack.installs.exchanges).toHaveLength(2);
    for (const [index, gateway] of replicas.entries())
      for (const team of ["T1", "T2"]) {
        await deliver(gateway.url, mention(team, `hello ${team} ${index}`));
        await heard(team, `You said: hello ${team} ${index}`);
      }
    expect([saidIn("T1"), saidIn("T2")]).toEqual(
      ["T1", "T2"].map((team) => [0, 1].map((index) => expect.stringContaining(`hello ${team} ${index}`))),
    );
  });

  it("is forgotten by both once it has removed the app, and the other is not", async () => {
    const [one, two] = replicas;
    await installBoth();
    await deliver(two.url, mention("T1", "before"));
    await heard("T1", "before");
    await deliver(one.url, event("T1", { type: "app_uninstalled" }, { event_time: SECOND + 120 }));
    for (const [index, gateway] of replicas.entries()) {
      expect((await deliver(gateway.url, mention("T1", "after"))).status).toBe(200);
      await deliver(gateway.url, mention("T2", `still here ${index}`));
      await heard("T2", `still here ${index}`);
    }
    expect(saidIn("T1").filter((text) => text.includes("after"))).toEqual([]);
  });
});

describe("of two workspaces with the same channel, thread and person, one never", () => {
  it("reads what the other was told, nor makes it forget, nor stops it", async () => {
    const [one, two] = replicas;
    await installBoth();
    const root = nextTs();
    await deliver(one.url, mention("T1", "the colour is blue", root));
    await heard("T1", "You said: the colour is blue");
    await deliver(two.url, mention("T2", "demo: prompt", root));
    expect(await heard("T2", "demo: prompt")).not.toContain("blue");

    await deliver(two.url, mention("T2", "!reset", root));
    await seenOn(platforms.slack, () => saidIn("T2")[1]);
    await deliver(two.url, mention("T1", "demo: sleep 2s\ndemo: prompt", root));
    await deliver(one.url, mention("T2", "!stop", root));
    await seenOn(platforms.slack, () => saidIn("T2")[2]);
    expect(await heard("T1", "demo: prompt")).toContain("blue");
  });

  it("decides what the other is asked, by a press or by a word", async () => {
    const [one, two] = replicas;
    await installBoth();
    const root = nextTs();
    await deliver(one.url, mention("T1", "demo: ask Deploy?", root));
    const id = /apr_\w+/.exec(await heard("T1", "apr_"))?.[0] ?? "no id";
    await deliver(two.url, mention("T2", `!approve ${id}`, root));
    await heard("T2", "does not wait for a decision here");
    const press = {
      ...{ type: "block_actions", api_app_id: "A1", trigger_id: "1.2.press", team: { id: "T2" } },
      // Whoever presses may be of the other workspace, in a channel that both share.
      user: { id: "U2", name: "bob", team_id: "T1" },
      ...{ channel: { id: CHANNEL }, container: { type: "message", message_ts: root, channel_id: CHANNEL } },
      message: { ts: root, text: "Deploy?" },
      response_url: "https://hooks.slack.com/actions/T2/1/x",
      actions: [{ action_id: `approve:${id}`, type: "button", value: "Approve" }],
    };
    const form = new URLSearchParams({ payload: JSON.stringify(press) }).toString();
    await deliver(one.url, signed(form, "application/x-www-form-urlencoded"));
    await seenOn(platforms.slack, () =>
      platforms.slack.messages.find(({ via, text }) => via === "response_url" && /does not wait/.test(text)),
    );
    expect(saidIn("T1").filter((text) => /Tool ask said|approved/i.test(text))).toEqual([]);
    await deliver(two.url, event("T1", approving(id, root)));
    expect(await heard("T1", "Tool ask said")).toContain("approved");
  });

  it("hears what is said of the other's command, whatever address comes with it", async () => {
    const [one] = replicas;
    await installBoth();
    const fields = { command: "/ask", text: "a secret of T2", trigger_id: "1.2.ask", user_name: "ann" };
    const form = new URLSearchParams({
      ...{ team_id: "T2", channel_id: CHANNEL, user_id: USER, api_app_id: "A1", ...fields },
      response_url: "https://hooks.slack.com/commands/T1/1/x",
    });
    await deliver(one.url, signed(form.toString(), "application/x-www-form-urlencoded"));
    await heard("T2", "You said: a secret of T2");
    expect([...platforms.slack.responseUrlUses.keys()]).toEqual([]);
    expect(saidIn("T1")).toEqual([]);
  });

  it("is taken for the other because of what an event says of its channel or author", async () => {
    const [one] = replicas;
    await installBoth();
    const outer = { team_id: "T1", context_team_id: "T1", is_ext_shared_channel: true };
    const authorizations = [{ team_id: "T2", user_id: "UBOT", is_bot: true, is_enterprise_install: false }];
    await deliver(one.url, mention("T2", "forged", null, { ...outer, authorizations }));
    await heard("T2", "You said: forged");
    expect(saidIn("T1")).toEqual([]);
  });
});

function approving(id: string, root: string): object {
  const said = { type: "app_mention", user: "U2", text: `<@UBOT> !approve ${id}`, ts: nextTs() };
  return { ...said, channel: CHANNEL, thread_ts: root };
}

describe("of two Discord servers with the same channel and person, one never", () => {
  const inServer = (guild: string, text: string): SampleRequest => {
    const request = webhook("discord", { kind: "slash", channel: "9100", user: "30", text });
    const body = JSON.stringify({ ...JSON.parse(request.body), guild_id: guild });
    return { ...request, body, headers: { ...request.headers, ...discordSignature(body) } };
  };
  const texts = () => platforms.discord.messages.map(({ content }) => content);
  const read = (words: string, after = 0) =>
    seenOn(platforms.discord, () =>
      texts()
        .slice(after)
        .find((text) => text.includes(words)),
    );

  it("reads what the other was told, nor makes it forget, nor decides what it is asked", async () => {
    const [one, two] = replicas;
    await deliver(one.url, inServer("10", "the colour is blue"));
    await read("You said: the colour is blue");
    await deliver(two.url, inServer("20", "demo: prompt"));
    expect(await read("demo: prompt")).not.toContain("blue");
    const before = texts().length;
    await deliver(two.url, inServer("20", "!reset"));
    await seenOn(platforms.discord, () => texts()[before]);
    await deliver(one.url, inServer("10", "demo: prompt"));
    expect(await read("demo: prompt", before + 1)).toContain("blue");

    await deliver(one.url, inServer("10", "demo: ask Deploy?"));
    const id = /apr_\w+/.exec(await read("apr_"))?.[0] ?? "no id";
    await deliver(two.url, inServer("20", `!approve ${id}`));
    await read("does not wait for a decision here");
    expect(texts().filter((text) => text.includes("Tool ask said"))).toEqual([]);
  });
});
