import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import type { DiscordSettings } from "../../adapters/discord/settings.ts";
import { MODULES } from "../../adapters/index.ts";
import type { SlackSettings } from "../../adapters/slack/settings.ts";
import type { TelegramSettings } from "../../adapters/telegram/settings.ts";
import type { WhatsAppSettings } from "../../adapters/whatsapp/settings.ts";
import { readEnvironment } from "../../src/config/environment.ts";
import { formatProblem } from "../../src/config/problems.ts";
import { variablesOf } from "../../src/config/variables.ts";
import type { PlatformModule, PlatformOff, PlatformSettings } from "../../src/ports/platform.ts";
import { ALL_ON, CHATS, type Chat, ENV_OF } from "../support/chat-platforms.ts";
import { toy } from "../support/toy-platform.ts";
import { folderWith } from "./helpers.ts";

/** Secrets are taken out of all texts of this process, and other tests write rows of one letter. */
const UNLIKELY = "no-text-of-a-test_".repeat(20);

const KEY = "ab".repeat(32);
const [OLD, NEW] = ["0d".repeat(16), "ce".repeat(16)];

function read(env: Record<string, string>, cwd = "/nowhere") {
  const { environment, problems, notes } = readEnvironment(env, cwd, MODULES);
  const platforms = environment.platforms as unknown as Platforms;
  return { environment: { ...environment, platforms }, problems: problems.map(formatProblem), notes };
}

interface Platforms extends Readonly<Record<Chat, PlatformSettings | PlatformOff>> {
  readonly slack: SlackSettings | PlatformOff;
  readonly discord: DiscordSettings | PlatformOff;
  readonly telegram: TelegramSettings | PlatformOff;
  readonly whatsapp: WhatsAppSettings | PlatformOff;
}

const VARIABLES = variablesOf(MODULES);

describe("the environment", () => {
  it("has a default for everything", () => {
    const { environment, problems, notes } = read({});
    expect(problems).toEqual([]);
    expect(notes).toEqual([]);
    expect(environment).toMatchObject({
      port: 8080,
      host: "127.0.0.1",
      dataDir: "/nowhere/data",
      configFolder: "/nowhere/config",
      adminToken: null,
      devKey: null,
      logLevel: "info",
      logLevels: {},
      killSwitch: false,
      production: false,
      anthropic: null,
      redisUrl: null,
      redisSentinelPassword: null,
      role: "all",
      processes: 1,
    });
  });

  it("takes an empty variable as not set", () => {
    const empty = Object.fromEntries(VARIABLES.map(({ name }) => [name, " "]));
    expect(read(empty)).toEqual(read({}));
  });

  it.each([
    [{ PORT: "1" }, 1],
    [{ AOF_WEBHOOK_PORT: "2" }, 2],
    [{ PORT: "1", AOF_WEBHOOK_PORT: "2" }, 1],
    [{ PARLEY_PORT: "3", PORT: "1" }, 3],
    [{ PARLEY_PORT: "0" }, 0],
    [{ PARLEY_PORT: "65535" }, 65535],
  ])("takes the port from %j", (env, port) => {
    expect(read(env).environment.port).toBe(port);
  });

  it.each([
    [{ PARLEY_PORT: "65536" }, "environment PARLEY_PORT: expected a port from 0 to 65535, got 65536"],
    [{ PORT: "http" }, 'environment PORT: expected a port from 0 to 65535, got "http"'],
    [
      { PARLEY_PORT: "65536", PARLEY_METRICS_PORT: "9090" },
      "environment PARLEY_PORT: expected a port from 0 to 65535, got 65536",
    ],
    [{ PARLEY_PORT: "-1" }, 'environment PARLEY_PORT: expected a port from 0 to 65535, got "-1"'],
    [
      { PARLEY_HOST: "http://x/" },
      'environment PARLEY_HOST: expected an address or a host name, got "http://x/"',
    ],
    [
      { PARLEY_LOG_LEVEL: "loud" },
      'environment PARLEY_LOG_LEVEL: expected fatal, error, warn, info, debug, trace, silent, got "loud"',
    ],
    [{ PARLEY_KILL_SWITCH: "maybe" }, 'environment PARLEY_KILL_SWITCH: expected true or false, got "maybe"'],
    [{ PARLEY_ENV: "prod" }, 'environment PARLEY_ENV: expected production, development, got "prod"'],
    [
      { PARLEY_ADMIN_TOKEN: UNLIKELY.slice(0, 31) },
      "environment PARLEY_ADMIN_TOKEN: expected at least 32 ASCII characters without spaces, got 31 characters",
    ],
    [
      { PARLEY_ADMIN_TOKEN: "ü".repeat(32) },
      "environment PARLEY_ADMIN_TOKEN: expected at least 32 ASCII characters without spaces, got 32 characters, not all of them such",
    ],
    [
      { PARLEY_ENCRYPTION_KEY: UNLIKELY.slice(0, 31) },
      "environment PARLEY_ENCRYPTION_KEY: expected 32 bytes as base64 or hex, got 31 characters of something else; openssl rand -base64 32 makes one",
    ],
    [
      { SLACK_CLIENT_ID: "111.222", SLACK_CLIENT_SECRET: "secret-of-the-app" },
      "environment PARLEY_ENCRYPTION_KEY: expected PARLEY_ENCRYPTION_KEY, because SLACK_CLIENT_ID is set; got none",
    ],
    [
      { SLACK_CLIENT_SECRET: "secret-of-the-app" },
      "environment SLACK_CLIENT_ID: expected SLACK_CLIENT_ID, because SLACK_CLIENT_SECRET is set; got none",
    ],
    [
      { SLACK_API_URL: "slack.com" },
      'environment SLACK_API_URL: expected an http:// or https:// address, got "slack.com"',
    ],
    [
      { TELEGRAM_API_ROOT: "ftp://x" },
      'environment TELEGRAM_API_ROOT: expected an http:// or https:// address, got "ftp://x"',
    ],
    [
      { TELEGRAM_API_ROOT: "htp://ann:hunter2@x/y" },
      'environment TELEGRAM_API_ROOT: expected an http:// or https:// address, got "htp://***@x/y"',
    ],
    [
      { WHATSAPP_API_URL: "http://ann:hunter2@proxy.example/" },
      "environment WHATSAPP_API_URL: expected an address without a user name and password, got one with them",
    ],
    [
      { DISCORD_PUBLIC_KEY: "abc" },
      "environment DISCORD_PUBLIC_KEY: expected 64 hex digits, got 3 characters",
    ],
    [
      { DISCORD_PUBLIC_KEY: `${KEY},${KEY.slice(1)}z` },
      "environment DISCORD_PUBLIC_KEY: expected 64 hex digits, got 64 characters, not all of them such, as value 2",
    ],
    [
      { TELEGRAM_WEBHOOK_SECRET: "a spaced-out secret" },
      "environment TELEGRAM_WEBHOOK_SECRET: expected 16 to 256 of A-Z, a-z, 0-9, _ and -, got 19 characters, not all of them such",
    ],
    [
      { SLACK_SIGNING_SECRET: [KEY, KEY, KEY].join() },
      "environment SLACK_SIGNING_SECRET: expected one value, or two during a rotation, got 3",
    ],
    [
      { REDIS_URL: "http://:hunter2@x" },
      "environment REDIS_URL: expected a redis:// or rediss:// address, got something else",
    ],
    [
      { REDIS_URL: "redis://x/y" },
      "environment REDIS_URL: expected a redis:// or rediss:// address, got something else",
    ],
    ...["redis://x:65536", "redis://[::1:6379", "redis://:a/b@x", "redis://:a#b@x", "redis://:a%zz@x"].map(
      (REDIS_URL): [Record<string, string>, string] => [
        { REDIS_URL },
        "environment REDIS_URL: expected a port up to 65535, and user and password percent-encoded (%2F for a slash), got something else",
      ],
    ),
    [
      { PARLEY_ROLE: "both", REDIS_URL: "redis://x" },
      'environment PARLEY_ROLE: expected all, ingress, worker, got "both"',
    ],
    [
      { PARLEY_ROLE: "worker" },
      "environment PARLEY_ROLE: expected all, because REDIS_URL is not set, and the SQLite store belongs to one process; got worker",
    ],
    [
      { PARLEY_PROCESSES: "2" },
      "environment PARLEY_PROCESSES: expected 1, because REDIS_URL is not set, and the SQLite store belongs to one process; got 2",
    ],
    [
      { PARLEY_PROCESSES: "65", REDIS_URL: "redis://x" },
      "environment PARLEY_PROCESSES: expected a number from 1 to 64, got 65",
    ],
    [
      { PARLEY_PROCESSES: "many", REDIS_URL: "redis://x" },
      'environment PARLEY_PROCESSES: expected a number from 1 to 64, got "many"',
    ],
  ])("refuses %j and says why", (env, problem) => {
    expect(read(env).problems).toEqual([problem]);
  });

  it("takes a role and a number of processes beside a Redis", () => {
    const { environment, problems } = read({
      REDIS_URL: "redis://x",
      PARLEY_ROLE: "Worker",
      PARLEY_PROCESSES: "4",
    });
    expect(problems).toEqual([]);
    expect(environment).toMatchObject({ role: "worker", processes: 4 });
  });

  it("says of a Redis address that is wrong only that", () => {
    expect(read({ REDIS_URL: "x", PARLEY_ROLE: "worker", PARLEY_PROCESSES: "2" }).problems).toHaveLength(1);
  });

  it("is in production by PARLEY_ENV, or else by NODE_ENV", () => {
    expect(read({ NODE_ENV: "production" }).environment.production).toBe(true);
    expect(read({ PARLEY_ENV: "production" }).environment.production).toBe(true);
    expect(read({ PARLEY_ENV: "development", NODE_ENV: "production" }).environment.production).toBe(false);
  });

  it("is not confused by the variables Kubernetes adds for a service named parley", () => {
    const env = {
      PARLEY_PORT: "tcp://10.0.0.1:8080",
      PARLEY_PORT_8080_TCP: "tcp://10.0.0.1:8080",
      PARLEY_SERVICE_HOST: "10.0.0.1",
    };
    expect(read(env)).toEqual(read({}));
    expect(read({ ...env, PORT: "9" }).environment.port).toBe(9);
  });

  it("asks again for what a platform needs, and was not as it should be", () => {
    const env = { TOY_SECRET: OLD, TOY_API_URL: "http://ann:hunter2@toy.example/" };
    const { environment, notes } = readEnvironment(env, "/nowhere", [toy as PlatformModule]);
    const off = { kind: "off", missing: ["TOY_API_URL"], present: ["TOY_SECRET"] };
    expect(environment.platforms).toEqual({ toy: off });
    expect(notes).toEqual(["toy is off, because TOY_API_URL is not set"]);
  });

  it("notes a variable of ours that is misspelt", () => {
    expect(read({ PARLEY_KILLSWITCH: "1" }).notes).toEqual([
      "PARLEY_KILLSWITCH is not a variable that Parley reads; did you mean PARLEY_KILL_SWITCH?",
    ]);
  });
});

describe("a secret", () => {
  it("prints as *** wherever the environment is printed", () => {
    const env = Object.fromEntries(
      VARIABLES.filter(({ secret }) => secret).map(({ name }) => [name, `hunter2${"x".repeat(32)}`]),
    );
    const { environment } = read({ ...ALL_ON, ...env, REDIS_URL: "redis://:hunter2@x" });
    expect(Object.values(environment.platforms).map((platform) => platform.kind)).toEqual(
      CHATS.map(() => "on"),
    );
    expect(JSON.stringify(environment)).not.toContain("hunter2");
    expect(inspect(environment, { depth: 9 })).not.toContain("hunter2");
  });

  it("may come from a file, relative to the working directory, without its last line break", () => {
    const cwd = folderWith({ key: "from-a-file\r\n" });
    const { environment, problems } = read({ ANTHROPIC_API_KEY_FILE: "key" }, cwd);
    expect(problems).toEqual([]);
    expect(environment.anthropic?.apiKey.reveal()).toBe("from-a-file");
  });

  it("may be one of two during a rotation, also in a file", () => {
    const cwd = folderWith({ pair: `${OLD}\n${NEW}\n` });
    const base = { SLACK_BOT_TOKEN: "xoxb-1" };
    const slack = [
      read({ ...base, SLACK_SIGNING_SECRET: `${OLD}, ${NEW}` }).environment.platforms.slack,
      read({ ...base, SLACK_SIGNING_SECRET_FILE: "pair" }, cwd).environment.platforms.slack,
    ];
    for (const one of slack)
      expect(one.kind === "on" && one.signingSecrets.flatMap((secret) => secret.live())).toEqual([OLD, NEW]);
  });

  it("is refused from a file that cannot be read, is empty or too large, or beside the variable", () => {
    const cwd = folderWith({ empty: "\n" });
    writeFileSync(join(cwd, "large"), "x".repeat(65 * 1024));
    const problem = (env: Record<string, string>) => read(env, cwd).problems;
    const start = "environment SLACK_BOT_TOKEN_FILE: expected a readable file with the secret, got";
    expect(problem({ SLACK_BOT_TOKEN_FILE: "none" })).toEqual([`${start} ENOENT for none`]);
    expect(problem({ SLACK_BOT_TOKEN_FILE: "empty" })).toEqual([`${start} an empty file for empty`]);
    expect(problem({ SLACK_BOT_TOKEN_FILE: "large" })).toEqual([`${start} 66560 bytes for large`]);
    expect(problem({ SLACK_BOT_TOKEN_FILE: "." })).toEqual([`${start} no file for .`]);
    expect(problem({ SLACK_BOT_TOKEN_FILE: "empty", SLACK_BOT_TOKEN: "x" })).toEqual([
      "environment SLACK_BOT_TOKEN: expected either SLACK_BOT_TOKEN or SLACK_BOT_TOKEN_FILE, got both",
    ]);
  });
});

describe("a secret that guards this gateway", () => {
  const MINIMA = {
    PARLEY_ADMIN_TOKEN: [32, "at least 32 ASCII characters without spaces"],
    PARLEY_METRICS_TOKEN: [32, "at least 32 ASCII characters without spaces"],
    PARLEY_DEV_KEY: [16, "at least 16 ASCII characters without spaces"],
    SLACK_SIGNING_SECRET: [32, "at least 32 ASCII characters without spaces"],
    DISCORD_PUBLIC_KEY: [64, "64 hex digits"],
    TELEGRAM_WEBHOOK_SECRET: [16, "16 to 256 of A-Z, a-z, 0-9, _ and -"],
    WHATSAPP_APP_SECRET: [16, "at least 16 ASCII characters without spaces"],
    WHATSAPP_VERIFY_TOKEN: [16, "at least 16 characters"],
  } as const;
  const guards = Object.entries(MINIMA).map(([name, [chars, words]]) => ({ name, chars, words }));
  const inFiles = guards.filter(({ name }) => VARIABLES.find((one) => one.name === name)?.secret);
  const pairs = guards.filter(({ name }) => /_SECRET$|PUBLIC|^PARLEY/.test(name));

  it("is among these whenever a variable has a least length", () => {
    const declared = VARIABLES.filter(({ form }) => form?.charsMin !== undefined).map(({ name }) => name);
    expect(declared.sort()).toEqual(Object.keys(MINIMA).sort());
  });

  it.each(guards)("$name is refused below its length, and not shown", ({ name, chars, words }) => {
    expect(read({ [name]: "a".repeat(chars) }).problems).toEqual([]);
    expect(read({ [name]: "a".repeat(chars - 1) }).problems).toEqual([
      `environment ${name}: expected ${words}, got ${chars - 1} characters`,
    ]);
    expect(read({ [name]: "a" }).problems).toEqual([
      `environment ${name}: expected ${words}, got 1 character`,
    ]);
  });

  it.each(inFiles)("$name is measured in a file too, which is named", ({ name, chars, words }) => {
    const cwd = folderWith({ short: `${"a".repeat(chars - 1)}\n`, long: `${"a".repeat(chars)}\n` });
    expect(read({ [`${name}_FILE`]: "long" }, cwd).problems).toEqual([]);
    expect(read({ [`${name}_FILE`]: "short" }, cwd).problems).toEqual([
      `environment ${name}_FILE: expected ${words}, got ${chars - 1} characters`,
    ]);
  });

  it.each(pairs)("$name is measured twice during a rotation", ({ name, chars, words }) => {
    const [good, short] = ["a".repeat(chars), "b".repeat(chars - 1)];
    const problem = (i: number) =>
      `environment ${name}: expected ${words}, got ${chars - 1} characters, as value ${i}`;
    expect(read({ [name]: `${good},${short}` }).problems).toEqual([problem(2)]);
    expect(read({ [name]: `${short},${good}` }).problems).toEqual([problem(1)]);
    expect(read({ [name]: `${short},${short}` }).problems).toEqual([problem(1), problem(2)]);
    expect(read({ [name]: "," }).problems).toEqual([
      `environment ${name}: expected one value, got none between the commas`,
    ]);
  });

  it("is bounded above where the platform bounds it", () => {
    expect(read({ TELEGRAM_WEBHOOK_SECRET: UNLIKELY.slice(0, 257) }).problems).toEqual([
      "environment TELEGRAM_WEBHOOK_SECRET: expected 16 to 256 of A-Z, a-z, 0-9, _ and -, got 257 characters",
    ]);
  });
});

describe("a platform", () => {
  it.each(CHATS)("%s is on with its secrets, and off without any of them", (name) => {
    const secrets: Record<string, string> = ENV_OF[name];
    expect(read(secrets).environment.platforms[name].kind).toBe("on");
    for (const missing of Object.keys(secrets)) {
      const rest = Object.fromEntries(Object.entries(secrets).filter(([key]) => key !== missing));
      const { environment, notes } = read(rest);
      expect(environment.platforms[name]).toEqual({
        kind: "off",
        missing: [missing],
        present: Object.keys(rest),
      });
      expect(notes).toEqual([`${name} is off, because ${missing} is not set`]);
    }
    const nothing = { kind: "off", missing: Object.keys(secrets), present: [] };
    expect(read({}).environment.platforms[name]).toEqual(nothing);
  });

  it("discord is on without a bot token, and says what it cannot do", () => {
    const { environment, notes } = read(ENV_OF.discord);
    expect(environment.platforms.discord).toMatchObject({
      ...{ kind: "on", botToken: null, publicKeys: [ENV_OF.discord.DISCORD_PUBLIC_KEY] },
    });
    expect(notes).toEqual([
      "discord cannot be chatted with, and not answer later than 15 minutes, because DISCORD_BOT_TOKEN is not set",
    ]);
  });

  it("discord is on with a bot token alone, unless its Gateway is off", () => {
    const alone = read({ DISCORD_BOT_TOKEN: "t" });
    expect(alone.problems).toEqual([]);
    expect(alone.notes).toEqual([]);
    expect(alone.environment.platforms.discord).toMatchObject({
      kind: "on",
      gateway: true,
      publicKeys: [],
      applicationId: null,
    });
    const off = { DISCORD_BOT_TOKEN: "t", DISCORD_GATEWAY: "off" };
    expect(read(off).environment.platforms.discord.kind).toBe("off");
    // The key tells who posts; whose application that is, the token does.
    expect(read({ ...off, DISCORD_PUBLIC_KEY: KEY }).environment.platforms.discord).toMatchObject({
      kind: "on",
      gateway: false,
    });
    expect(read({ DISCORD_GATEWAY: "perhaps" }).problems).toEqual([
      `environment DISCORD_GATEWAY: expected on or off, got "perhaps"`,
    ]);
  });

  it("has its address in one form, with or without a slash at the end", () => {
    for (const end of ["", "/"]) {
      const { platforms, anthropic } = read({
        ...ALL_ON,
        ANTHROPIC_API_KEY: "k",
        SLACK_API_URL: `http://127.0.0.1:9/api${end}`,
        DISCORD_API_URL: `http://127.0.0.1:9/api${end}`,
        TELEGRAM_API_ROOT: `http://127.0.0.1:9${end}`,
        WHATSAPP_API_URL: `http://127.0.0.1:9${end}`,
        ANTHROPIC_BASE_URL: `http://127.0.0.1:9${end}`,
      }).environment;
      expect(platforms).toMatchObject({
        slack: { apiUrl: "http://127.0.0.1:9/api/" },
        discord: { apiUrl: "http://127.0.0.1:9/api" },
        telegram: { apiRoot: "http://127.0.0.1:9" },
        whatsapp: { apiUrl: "http://127.0.0.1:9" },
      });
      expect(anthropic?.baseUrl).toBe("http://127.0.0.1:9");
    }
  });
});

describe("levels of some lines", () => {
  it("are read by platform and by part", () => {
    const { environment, problems } = read({ PARLEY_LOG_LEVELS: "slack=debug, store=trace" });
    expect([environment.logLevels, problems]).toEqual([{ slack: "debug", store: "trace" }, []]);
  });

  it.each([
    ["slak=debug", "expected a platform or the first word of a line (did you mean slack?), got"],
    ["store=loud", "expected store= and one of fatal, error, warn, info, debug, trace, silent, got"],
    ["store", "expected store= and one of fatal, error, warn, info, debug, trace, silent, got"],
  ])("that cannot be (%s) are told", (text, words) => {
    expect(read({ PARLEY_LOG_LEVELS: text }).problems).toEqual([
      expect.stringContaining(`PARLEY_LOG_LEVELS: ${words}`),
    ]);
  });
});
