import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { fakeSlack } from "../fakes/slack.ts";
import { call, folderWithSpec } from "./helpers.ts";

const URL_ = "https://bot.example.com";
const SECRETS = { SLACK_SIGNING_SECRET: "hunter2-signing-0123456789abcdef", SLACK_BOT_TOKEN: "xoxb-hunter2" };
const ALL_SCOPES =
  "chat:write,app_mentions:read,channels:history,groups:history,im:history,mpim:history,commands,files:read,files:write,users:read,channels:read,groups:read,usergroups:read";

interface Manifest {
  readonly display_information: { readonly name: string };
  readonly features: {
    readonly slash_commands: readonly { readonly command: string; readonly url?: string }[];
    readonly shortcuts?: readonly object[];
    readonly assistant_view?: object;
    readonly app_home: { readonly home_tab_enabled: boolean };
  };
  readonly oauth_config: { readonly redirect_urls?: readonly string[]; readonly scopes: { bot: string[] } };
  readonly settings: {
    readonly event_subscriptions: { readonly request_url?: string; readonly bot_events: string[] };
    readonly interactivity: { readonly request_url?: string };
    readonly socket_mode_enabled: boolean;
  };
}

async function printed(args: readonly string[], env: Record<string, string> = {}, yaml = "") {
  const result = await call(["setup", "slack", "--offline", "--json", ...args], {
    env,
    cwd: folderWithSpec(yaml),
  });
  expect(result).toMatchObject({ code: 0 });
  return JSON.parse(result.stdout) as Manifest;
}

async function live(options: { scopes?: string } = {}) {
  const fake = await fakeSlack({ token: SECRETS.SLACK_BOT_TOKEN });
  onTestFinished(() => fake.close());
  fake.scopes = options.scopes?.split(",") ?? null;
  const env = { ...SECRETS, SLACK_API_URL: fake.apiUrl, PARLEY_PUBLIC_URL: URL_ };
  return { fake, env };
}

describe("parley setup slack", () => {
  it("prints a manifest to paste, as YAML or as JSON, and nothing else on stdout", async () => {
    const yaml = await call(["setup", "slack", "--url", URL_]);
    expect(yaml).toMatchObject({ code: 0 });
    expect(parse(yaml.stdout)).toEqual(await printed(["--url", URL_]));
    expect(yaml.stderr).toContain("Make the app: https://api.slack.com/apps?new_app=1&manifest_json=%7B");
  });

  it("asks for user groups, and to hear of changes in them, where any rule goes by them", async () => {
    const names = "  platforms: { slack: { names: off } }\n";
    const groups = async (routes: string) => {
      const { oauth_config, settings } = await printed(["--url", URL_], {}, names + routes);
      const events = settings.event_subscriptions.bot_events.filter((one) => one.startsWith("subteam_"));
      return [oauth_config.scopes.bot.includes("usergroups:read"), events];
    };
    const routes = (match: string) => `  routes: [{ match: { ${match} }, agent: assistant }]\n`;
    expect(await groups(routes("platform: discord, role: 70"))).toEqual([false, []]);
    const both = ["subteam_members_changed", "subteam_updated"];
    expect(await groups(routes("role: S1"))).toEqual([true, both]);
  });

  it("has a command and its aliases, each with the words that describe it", async () => {
    const yaml = `  commands:
    - { command: /deploy, aliases: [/ship], description: Deploys a service, usage_hint: SERVICE }
    - { command: /parleys, aliases: [/talks] }
  routes: [{ match: { command: [/ship, /weather] }, agent: assistant }, { agent: assistant }]
`;
    const { features } = await printed(["--url", URL_], {}, yaml);
    const words = { description: "Deploys a service", usage_hint: "SERVICE" };
    expect(features.slash_commands).toMatchObject([
      { command: "/parley" },
      { command: "/deploy", ...words },
      { command: "/ship", ...words },
      { command: "/parleys", description: "Ask parleys" },
      { command: "/talks", description: "Ask parleys" },
      { command: "/weather", description: "Ask weather" },
    ]);
  });

  it("asks for what the configured features need, and nothing more", async () => {
    const plain = await printed(["--url", URL_]);
    expect(plain.oauth_config).toEqual({ scopes: { bot: ALL_SCOPES.split(",") } });
    expect(plain.settings).toEqual({
      event_subscriptions: {
        request_url: `${URL_}/webhooks/slack`,
        bot_events: [
          ...["app_mention", "message.channels", "message.groups", "message.im", "message.mpim"],
          ...["app_home_opened", "app_uninstalled", "tokens_revoked"],
        ],
      },
      interactivity: { is_enabled: true, request_url: `${URL_}/webhooks/slack` },
      socket_mode_enabled: false,
    });
    const more = await printed(
      ["--url", URL_],
      {},
      `  routes:
    - { match: { command: [/deploy, deploy_button] }, agent: assistant }
    - { match: { platform: discord, command: /elsewhere }, agent: assistant }
    - { agent: assistant }
  platforms:
    slack:
      home: { show: off }
      assistant: { prompts: [{ title: Hello, message: Say hello }] }
      app: { shortcuts: [{ id: sum, name: Sum up, type: message, description: Says it shorter }] }
      forms: [{ id: order, opened_by: [/order, sum], title: Order, fields: [{ id: a, label: A }] }]`,
    );
    expect(more.features.slash_commands.map(({ command }) => command)).toEqual([
      "/parley",
      "/deploy",
      "/order",
    ]);
    expect(more.features.shortcuts).toEqual([
      { callback_id: "sum", name: "Sum up", type: "message", description: "Says it shorter" },
    ]);
    expect(more.features.assistant_view).toBeDefined();
    expect(more.features.app_home.home_tab_enabled).toBe(false);
    expect(more.oauth_config.scopes.bot).toContain("assistant:write");
    expect(more.settings.event_subscriptions.bot_events).toContain("assistant_thread_started");
    expect(more.settings.event_subscriptions.bot_events).not.toContain("app_home_opened");
  });

  it("needs no address for Socket Mode, and one to come back to for many workspaces", async () => {
    for (const [args, env] of [
      [["--socket-mode"], {}],
      [[], { SLACK_APP_TOKEN: "xapp-1", SLACK_BOT_TOKEN: "xoxb-1" }],
    ] as const) {
      const socket = await printed(args, env);
      expect(socket.settings.socket_mode_enabled).toBe(true);
      expect(JSON.stringify(socket)).not.toContain("http");
    }
    const many = await printed(["--url", URL_, "--many-workspaces"]);
    expect(many.oauth_config.redirect_urls).toEqual([`${URL_}/slack/oauth_redirect`]);
    const nowhere = await call(["setup", "slack"]);
    expect(nowhere).toMatchObject({ code: 78, stdout: "" });
    expect(nowhere.stderr).toContain("Expected PARLEY_PUBLIC_URL or --url");
  });

  it("looks at the app that there is, and says which feature lacks which scope", async () => {
    const { fake, env } = await live({ scopes: "chat:write,app_mentions:read,im:history,commands" });
    const found = await call(["setup", "slack", "--check"], { env });
    expect(found.code).toBe(0);
    expect(found.stdout).toContain("its API takes the bot token, as parley in T1");
    expect(found.stdout).toContain(
      "it cannot give a long answer as a file: the scope files:write is missing",
    );
    expect(found.stdout).toContain("it cannot read files: the scope files:read is missing");
    expect(found.stdout).not.toContain(" im:history");
    fake.scopes = ["commands"];
    const mute = await call(["setup", "slack", "--check", "--json"], { env });
    expect(mute.code).toBe(1);
    expect(JSON.parse(mute.stdout)).toContainEqual(
      expect.objectContaining({
        status: "fail",
        message: "it cannot answer, or show that it works: the scope chat:write is missing",
      }),
    );
    fake.scopes = ALL_SCOPES.split(",");
    const whole = await call(["setup", "slack", "--check", "--json"], { env });
    expect(JSON.parse(whole.stdout)).toHaveLength(1);
    expect(found.stdout + found.stderr + mute.stdout + whole.stdout).not.toContain("hunter2");
  });

  it("has nothing to look at without a credential", async () => {
    const none = await call(["setup", "slack", "--check"]);
    expect(none).toMatchObject({ code: 78, stderr: expect.stringContaining("credentials") });
  });

  it("makes an app what it should be, keeps what somebody added, and says what it changed", async () => {
    const { fake, env } = await live();
    const before = {
      display_information: { name: "Marvin", background_color: "#112233" },
      features: { slash_commands: [{ command: "/theirs", description: "x", url: "https://else.example" }] },
      oauth_config: { scopes: { bot: ["chat:write", "reactions:write"], user: ["search:read"] } },
      settings: { org_deploy_enabled: true, socket_mode_enabled: true },
    };
    fake.apps.manifests.set("A1", before);
    const config = { SLACK_CONFIG_TOKEN: fake.apps.token, SLACK_APP_ID: "A1" };
    const dry = await call(["setup", "slack", "--apply", "--dry-run"], { env: { ...env, ...config } });
    expect(dry).toMatchObject({ code: 0, stderr: expect.stringContaining("Nothing was changed") });
    expect(fake.apps.manifests.get("A1")).toBe(before);
    const done = await call(["setup", "slack", "--apply"], { env: { ...env, ...config } });
    expect(done).toMatchObject({ code: 0, stdout: dry.stdout });
    expect(done.stdout).toContain("/oauth_config/scopes/bot: + files:write\n");
    expect(done.stdout).toContain("/features/slash_commands: + /parley\n");
    expect(done.stdout).toContain("/settings/socket_mode_enabled: true → false\n");
    expect(done.stderr).toContain("install the app again, at https://api.slack.com/apps/A1/");
    const manifest = fake.apps.manifests.get("A1") as unknown as Manifest;
    expect(manifest).toMatchObject({
      display_information: before.display_information,
      settings: { org_deploy_enabled: true, socket_mode_enabled: false },
    });
    expect(manifest.features.slash_commands.map(({ command }) => command)).toEqual(["/theirs", "/parley"]);
    expect(manifest.oauth_config.scopes).toMatchObject({
      user: ["search:read"],
      bot: expect.arrayContaining(["reactions:write", ...ALL_SCOPES.split(",")]),
    });
    const again = await call(["setup", "slack", "--apply"], { env: { ...env, ...config } });
    expect(again).toMatchObject({ code: 0, stdout: "", stderr: "The app is as it should be.\n" });
    expect(fake.calls.filter(({ path }) => path.endsWith("apps.manifest.update"))).toHaveLength(1);
  });

  it("says what Slack has against a manifest, and changes nothing", async () => {
    const { fake, env } = await live();
    fake.apps.manifests.set("A1", { settings: { event_subscriptions: { bot_events: ["reaction_added"] } } });
    const config = { SLACK_CONFIG_TOKEN: fake.apps.token, SLACK_APP_ID: "A1" };
    const result = await call(["setup", "slack", "--apply"], { env: { ...env, ...config } });
    expect(result.code).toBe(1);
    expect(result.stderr).toContain("apps.manifest.validate: invalid_manifest");
    expect(result.stderr).toContain("Event reaction_added requires reactions:read");
    expect(fake.calls.some(({ path }) => path.endsWith("apps.manifest.update"))).toBe(false);
  });

  it.each([
    [{}, 78, "got no SLACK_CONFIG_TOKEN"],
    [{ SLACK_CONFIG_TOKEN: "xoxe.xoxp-hunter2" }, 78, "got no id of an app"],
    [
      { SLACK_CONFIG_TOKEN: "xoxe.xoxp-hunter2", SLACK_APP_ID: "A1" },
      1,
      "apps.manifest.export: invalid_auth",
    ],
  ])("cannot change an app with %j", async (config, code, message) => {
    const { env } = await live();
    const result = await call(["setup", "slack", "--apply"], {
      env: { ...env, ...(config as Record<string, string>) },
    });
    expect(result).toMatchObject({ code, stdout: "", stderr: expect.stringContaining(message) });
    expect(result.stderr).not.toContain("hunter2");
  });

  it("says that Slack is out of reach", async () => {
    const { fake, env } = await live();
    await fake.close();
    const config = { SLACK_CONFIG_TOKEN: "xoxe.xoxp-1", SLACK_APP_ID: "A1" };
    expect(await call(["setup", "slack", "--apply"], { env: { ...env, ...config } })).toMatchObject({
      code: 69,
      stderr: expect.stringContaining("could not connect"),
    });
  });

  it.each([
    [["--check", "--apply"], "got both"],
    [["--dry-run"], "expected --apply beside --dry-run"],
    [["--offline", "--apply"], "got --offline"],
  ])("ends with 2 for %j", async (args, message) => {
    const result = await call(["setup", "slack", ...args]);
    expect(result).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(message) });
  });
});
