import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { type FakeDiscordOptions, fakeDiscord } from "../fakes/discord.ts";
import { call, folderWithSpec } from "./helpers.ts";

const TOKEN = "OTAw.hunter2.token";
const PUBLIC_KEY = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const MESSAGE_CONTENT = 1 << 19;
const ENDPOINT = "https://bot.example.com/webhooks/discord";

interface Command {
  readonly name: string;
  readonly type: number;
  readonly options?: readonly (Command & { readonly required?: boolean; readonly autocomplete?: boolean })[];
}

const RICH = `  routes:
    - { match: { command: [/deploy run, deploy_button, "/Not One"] }, agent: assistant }
    - { match: { platform: slack, command: /elsewhere }, agent: assistant }
    - { agent: assistant }
  platforms:
    discord:
      replies: thread
      forms: [{ id: order, opened_by: [/order], title: Order, fields: [{ id: a, label: A }] }]
      autocomplete: { choices: [{ command: /deploy run, option: service, values: [api] }] }
      app:
        user_install: true
        commands:
          - { name: /deploy, description: Deploys }
          - name: /deploy log show
            description: Shows the log
            options:
              - { name: lines, description: How many, type: integer }
              - { name: service, description: Of what, required: true, choices: [api, web] }
          - { name: Summarise, type: message }
          - { name: Look up, type: user }`;

async function live(application: Partial<NonNullable<FakeDiscordOptions["application"]>> = {}) {
  const fake = await fakeDiscord({
    botToken: TOKEN,
    application: {
      ...{ id: "900", verify_key: PUBLIC_KEY, flags: MESSAGE_CONTENT, interactions_endpoint_url: null },
      ...application,
    },
  });
  onTestFinished(() => fake.close());
  return { fake, env: { DISCORD_BOT_TOKEN: TOKEN, DISCORD_API_URL: fake.apiUrl } };
}

async function printed(args: readonly string[], spec = ""): Promise<readonly Command[]> {
  const result = await call(["setup", "discord", "--offline", "--json", ...args], {
    cwd: folderWithSpec(spec),
  });
  expect(result).toMatchObject({ code: 0 });
  return JSON.parse(result.stdout) as readonly Command[];
}

const puts = (fake: { calls: readonly { method: string }[] }) =>
  fake.calls.filter(({ method }) => method === "PUT").length;

describe("parley setup discord", () => {
  it("prints the commands to register, as YAML or as JSON, and nothing else on stdout", async () => {
    const yaml = await call(["setup", "discord", "--app", "900"]);
    expect(yaml).toMatchObject({ code: 0 });
    const commands = await printed([]);
    expect(parse(yaml.stdout)).toEqual(commands);
    expect(commands.map(({ name }) => name)).toEqual(["parley", "ask"]);
    expect(commands[0]?.options?.map(({ name }) => name)).toEqual([
      ...["help", "status", "agent", "notes", "usage", "reset", "stop", "approve", "deny"],
    ]);
    expect(yaml.stderr).toContain(
      "https://discord.com/oauth2/authorize?client_id=900&scope=applications.commands\n",
    );
  });

  it("registers what routes, forms, autocompletion and the configuration name, once each", async () => {
    const commands = await printed([], RICH);
    expect(commands.map(({ name, type }) => [name, type])).toEqual([
      ["parley", 1],
      ["deploy", 1],
      ["order", 1],
      ["Summarise", 3],
      ["Look up", 2],
    ]);
    const [, deploy, order] = commands;
    expect(deploy?.options).toMatchObject([
      {
        ...{ name: "log", type: 2 },
        options: [
          {
            ...{ name: "show", type: 1, description: "Shows the log" },
            options: [
              {
                name: "service",
                type: 3,
                required: true,
                choices: [{ name: "api", value: "api" }, { value: "web" }],
              },
              { name: "lines", type: 4 },
            ],
          },
        ],
      },
      { name: "run", type: 1, options: [{ name: "text" }, { name: "service", autocomplete: true }] },
    ]);
    expect(order).toMatchObject({ options: [], contexts: [0, 1, 2], integration_types: [0, 1] });
    expect(JSON.stringify(await printed(["--guild", "10"], RICH))).not.toContain("contexts");
  });

  it("registers aliases of a command with all that it takes", async () => {
    const commands = await printed(
      [],
      `  commands:
    - { command: /deploy, aliases: [/ship], description: Deploys a service, usage_hint: SERVICE }
    - { command: /report, aliases: [/rep], description: Reports }
    - { command: /elsewhere, aliases: [/away] }
  routes:
    - { match: { command: /ship }, agent: assistant }
    - { match: { platform: slack, command: /elsewhere }, agent: assistant }
    - { agent: assistant }
  platforms: { discord: { app: { commands: [{ name: /report log, description: Shows the log }] } } }
`,
    );
    expect(commands.map(({ name }) => name)).toEqual(["parley", "report", "deploy", "ship", "rep"]);
    const [, report, deploy, ship, rep] = commands;
    expect(deploy).toMatchObject({
      description: "Deploys a service",
      options: [{ name: "text", description: "SERVICE" }],
    });
    expect(ship).toEqual({ ...deploy, name: "ship" });
    expect(report?.options).toMatchObject([{ name: "log", description: "Shows the log" }]);
    expect(rep).toEqual({ ...report, name: "rep", description: "rep" });
  });

  it("asks for the least that a bot needs where it is installed", async () => {
    const { env } = await live();
    const permissionsIn = (text: string) => BigInt(/permissions=(\d+)/.exec(text)?.[1] ?? "0");
    const plain = await call(["setup", "discord", "--offline"], { env });
    expect(plain.stderr).toContain("client_id=900&scope=bot+applications.commands&permissions=274878008320");
    const threads = await call(["setup", "discord", "--offline"], { env, cwd: folderWithSpec(RICH) });
    expect(permissionsIn(threads.stderr) ^ permissionsIn(plain.stderr)).toBe(1n << 35n);
    expect(threads.stderr).toContain(
      "Install it for yourself: https://discord.com/oauth2/authorize?client_id=900&integration_type=1",
    );
    const embeds = await call(["setup", "discord", "--offline"], {
      env,
      cwd: folderWithSpec("  platforms: { discord: { structured: embeds } }"),
    });
    expect(permissionsIn(embeds.stderr) ^ permissionsIn(plain.stderr)).toBe(1n << 14n);
    // Nothing that lets a bot administer, mention everybody or manage anything.
    for (const bit of [3n, 4n, 5n, 13n, 17n, 28n])
      expect(permissionsIn(threads.stderr) & (1n << bit)).toBe(0n);
  });

  it("registers them in all servers, keeps what others have registered, and says what it did", async () => {
    const { fake, env } = await live();
    const theirs = { id: "77", name: "theirs", type: 1, description: "Not ours" };
    fake.commands.places.set("", [theirs, { id: "78", name: "ask", type: 1, description: "Old" }]);
    const dry = await call(["setup", "discord", "--apply", "--dry-run"], { env });
    expect(dry).toMatchObject({ code: 0, stdout: "+ /parley\n~ /ask\n" });
    expect(puts(fake)).toBe(0);
    const done = await call(["setup", "discord", "--apply"], { env });
    expect(done).toMatchObject({ code: 0, stdout: dry.stdout });
    expect(fake.commands.names()).toEqual(["ask", "parley", "theirs"]);
    expect(fake.commands.places.get("")?.find(({ name }) => name === "ask")?.id).toBe("78");
    const again = await call(["setup", "discord", "--apply"], { env });
    expect(again).toMatchObject({ code: 0, stdout: "", stderr: expect.stringContaining("as it should be") });
    expect(puts(fake)).toBe(1);
    const pruned = await call(["setup", "discord", "--apply", "--prune"], { env });
    expect(pruned).toMatchObject({ code: 0, stdout: "- /theirs\n" });
    expect(fake.commands.names()).toEqual(["ask", "parley"]);
    expect(done.stdout + done.stderr + again.stderr).not.toContain("hunter2");
  });

  it("registers all kinds of them, for one server alone where that is wanted, and a second time nothing", async () => {
    const { fake, env } = await live();
    const cwd = folderWithSpec(RICH);
    for (const place of [[], ["--guild", "10"]]) {
      const first = await call(["setup", "discord", "--apply", ...place], { env, cwd });
      expect(first).toMatchObject({ code: 0 });
      expect(first.stdout).toBe(
        "+ /parley\n+ /deploy\n+ /order\n+ on a message: Summarise\n+ on a person: Look up\n",
      );
      const second = await call(["setup", "discord", "--apply", ...place], { env, cwd });
      expect(second).toMatchObject({ code: 0, stdout: "" });
    }
    expect(fake.commands.names("10")).toEqual(["Look up", "Summarise", "deploy", "order", "parley"]);
  });

  it("looks at the intents, the key and the endpoint of the app that there is", async () => {
    const { env } = await live({ flags: 0, verify_key: "ab".repeat(32) });
    const mute = await call(["setup", "discord", "--check"], { env });
    expect(mute).toMatchObject({ code: 0 });
    expect(mute.stdout).toContain("Message Content Intent is off");
    const keyed = { ...env, DISCORD_PUBLIC_KEY: PUBLIC_KEY, DISCORD_APPLICATION_ID: "900" };
    const wrong = await call(["setup", "discord", "--check"], { env: keyed });
    expect(wrong).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("DISCORD_PUBLIC_KEY is not the key"),
    });
  });

  it.each([
    [null, { DISCORD_GATEWAY: "off" }, "no Interactions Endpoint URL is set, and the Gateway is off"],
    ["https://else.example/webhooks/discord", {}, "is another than that of this gateway"],
    [ENDPOINT, { DISCORD_PUBLIC_KEY: "" }, "without DISCORD_PUBLIC_KEY this gateway takes none"],
  ])("says what is wrong where the endpoint is %s", async (endpoint, over, words) => {
    const { env } = await live({ interactions_endpoint_url: endpoint });
    const keyed = { ...env, DISCORD_PUBLIC_KEY: PUBLIC_KEY, DISCORD_APPLICATION_ID: "900", ...over };
    const found = await call(["setup", "discord", "--check", "--url", "https://bot.example.com"], {
      env: keyed,
    });
    expect(found).toMatchObject({ code: 0, stdout: expect.stringContaining(words) });
  });

  it("finds nothing where the endpoint is ours, and else says where to set it", async () => {
    const { env } = await live({ interactions_endpoint_url: ENDPOINT });
    const keyed = { ...env, DISCORD_PUBLIC_KEY: PUBLIC_KEY, DISCORD_APPLICATION_ID: "900" };
    const url = ["--url", "https://bot.example.com"];
    const well = await call(["setup", "discord", "--check", "--json", ...url], { env: keyed });
    expect(JSON.parse(well.stdout)).toHaveLength(1);
    const elsewhere = ["--url", "https://other.example"];
    const next = await call(["setup", "discord", "--apply", ...elsewhere], { env: keyed });
    expect(next.stderr).toContain("Set Interactions Endpoint URL to https://other.example/webhooks/discord");
  });

  it.each([
    [[], {}, 78, "Expected DISCORD_BOT_TOKEN"],
    [
      ["--app", "901"],
      { DISCORD_BOT_TOKEN: TOKEN },
      78,
      "Expected the token of application 901, got that of 900",
    ],
    [["--guild", "my server"], { DISCORD_BOT_TOKEN: TOKEN }, 78, "Expected --guild to be an id of Discord"],
    [[], { DISCORD_BOT_TOKEN: "OTAw.hunter2.revoked" }, 1, "look at DISCORD_BOT_TOKEN"],
  ] as const)("refuses %j with %j", async (args, over, code, words) => {
    const { env } = await live();
    const result = await call(["setup", "discord", "--apply", ...args], {
      env: { DISCORD_API_URL: env.DISCORD_API_URL, ...over },
    });
    expect(result).toMatchObject({ code, stderr: expect.stringContaining(words) });
    expect(result.stderr).not.toContain("hunter2");
  });

  it("says when nobody answers", async () => {
    const { fake, env } = await live();
    await fake.close();
    expect(await call(["setup", "discord", "--apply"], { env })).toMatchObject({ code: 69 });
  });
});
