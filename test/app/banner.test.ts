import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { banner } from "../../src/app/banner.ts";
import { developersOf, leaveDevKey } from "../../src/app/developers.ts";
import type { App } from "../../src/app.ts";
import { AGENT, folderWith, load, problemsOf } from "../config/helpers.ts";

const SLACK = { SLACK_BOT_TOKEN: "xoxb-hunter2", SLACK_SIGNING_SECRET: "0123456789abcdef0123456789abcdef" };

/** What a start of the gateway would make. */
const MADE = "made-at-the-start-and-no-other-key";

interface Options {
  readonly env?: Readonly<Record<string, string>>;
  readonly spec?: string;
  readonly address?: AddressInfo;
  readonly demoStandIns?: ReadonlyMap<string, string>;
  /** As it was left in the data folder; null: it could not be. */
  readonly made?: string | null;
}

/** What is said at start with this environment and these lines under `spec`. */
function said({ env = {}, spec = "", address, demoStandIns = new Map(), made = MADE }: Options = {}): string {
  const loaded = load(
    {
      "agents/assistant.yaml": AGENT,
      "gateway.yaml": `kind: Gateway\nspec:\n  routes: [{ agent: assistant }]\n${spec}`,
    },
    { env },
  );
  if (!loaded.ok) throw new Error(problemsOf(loaded).join("\n"));
  const listening = address ?? { address: "127.0.0.1", port: 8080, family: "IPv4" };
  const { environment } = loaded.config;
  if (made !== null) leaveDevKey(environment, () => made);
  const app = {
    developers: developersOf(environment),
    server: { address: () => listening },
    watch: null,
    storeReport: "Redis 7, appendfsync always: what was acknowledged survives a power cut",
    agents: { modelNames: new Map([["assistant", "the demo model"]]), demoStandIns },
  } as unknown as App;
  return banner(app, loaded.config, "1.2.3");
}

describe("the banner", () => {
  it("says where it listens, who answers, and what to try", () => {
    const text = said();
    expect(text).toContain(
      "Parley 1.2.3 listens on http://127.0.0.1:8080\nConsole at http://127.0.0.1:8080/\n",
    );
    expect(said({ env: { PARLEY_CONSOLE: "off" } })).not.toContain("Console");
    expect(text).toMatch(/^ {2}assistant +the demo model$/m);
    expect(text).toContain("curl -s 'http://127.0.0.1:8080/webhooks/test?wait=10'");
    expect(text).not.toContain("x-dev-key");
  });

  it("says of each platform whether it is on, and else what it takes", () => {
    const text = said({
      env: { ...SLACK, TELEGRAM_BOT_TOKEN: "123456:abcdefghijklmnopqrstuvwxyzABCDEFGHI" },
    });
    expect(text).toMatch(/^ {2}slack +on +http:\/\/127\.0\.0\.1:8080\/webhooks\/slack$/m);
    expect(text).toMatch(/^ {2}telegram +off +incomplete: set TELEGRAM_WEBHOOK_SECRET$/m);
    expect(text).toMatch(/^ {2}discord +off +set DISCORD_/m);
    expect(text).not.toContain("hunter2");
  });

  it("says that metrics are open behind a proxy that is not noticed, once there is something to lose", () => {
    const open = "PARLEY_METRICS_PORT or PARLEY_METRICS_TOKEN shuts them";
    expect(said()).not.toContain("Metrics");
    for (const env of [SLACK, { ANTHROPIC_API_KEY: "sk-ant-0123456789" }])
      expect(said({ env })).toContain(open);
    expect(said({ env: { ...SLACK, PARLEY_METRICS_TOKEN: "m".repeat(32) } })).not.toContain("Metrics");
  });

  it("says of a platform with its secrets that the configuration has switched it off", () => {
    const text = said({ env: SLACK, spec: "  platforms: { slack: { enabled: false } }\n" });
    expect(text).toMatch(/^ {2}slack +off +switched off in the configuration$/m);
  });

  it.each<[AddressInfo, string, string]>([
    [
      { address: "0.0.0.0", port: 1, family: "IPv4" },
      "http://0.0.0.0:1 (every IPv4 address of this machine)",
      "http://127.0.0.1:1",
    ],
    [
      { address: "::", port: 2, family: "IPv6" },
      "http://[::]:2 (every address of this machine)",
      "http://127.0.0.1:2",
    ],
    [{ address: "::1", port: 3, family: "IPv6" }, "http://[::1]:3", "http://[::1]:3"],
    [{ address: "10.0.0.5", port: 4, family: "IPv4" }, "http://10.0.0.5:4", "http://10.0.0.5:4"],
  ])("says where it listens, and gives an address that can be opened: %o", (address, where, url) => {
    const text = said({ address, env: SLACK });
    expect(text).toContain(`listens on ${where}\n`);
    expect(text).toContain(`curl -s '${url}/webhooks/test`);
    expect(text).toContain(`${url}/webhooks/slack\n`);
  });

  it("gives platforms the public address where there is one, and people here their own", () => {
    const text = said({ env: { ...SLACK, PARLEY_PUBLIC_URL: "https://parley.example/bot/" } });
    expect(text).toContain("Reached from outside at https://parley.example/bot.\n");
    expect(text).toContain("https://parley.example/bot/webhooks/slack\n");
    expect(text).toContain("curl -s 'http://127.0.0.1:8080/webhooks/test");
  });

  it("says what is shared with other replicas, where there may be some", () => {
    expect(said()).not.toContain("Redis");
    const env = { ...SLACK, REDIS_URL: "redis://:hunter2@r" };
    const one = said({ env });
    expect(one).toContain("\nOne process, role all. Redis 7, appendfsync always: what was acknowledged");
    expect(one).not.toContain("hunter2");
    const many = said({ env: { ...env, PARLEY_PROCESSES: "4", PARLEY_ROLE: "ingress" } });
    expect(many).toContain("\n4 processes, role ingress. Redis 7");
    expect(many).toContain("Try it:");
  });

  it("offers no webhook at a worker", () => {
    const text = said({ env: { ...SLACK, REDIS_URL: "redis://r", PARLEY_ROLE: "worker" } });
    expect(text).toMatch(/^ {2}slack +on +answers only$/m);
    expect(text).toContain("Webhooks go to the replicas whose role is ingress or all.");
    expect(text).not.toContain("/webhooks/");
  });

  it("says when a demo stands in for the model", () => {
    expect(said()).not.toContain("ANTHROPIC_API_KEY");
    expect(said({ demoStandIns: new Map([["assistant", "ANTHROPIC_API_KEY"]]) })).toContain(
      "There is no ANTHROPIC_API_KEY",
    );
  });

  it.each<[string, Options]>([
    ["the environment", { env: { PARLEY_KILL_SWITCH: "true" } }],
    ["the configuration", { spec: "  kill_switch: true\n" }],
  ])("says when the kill switch is on by %s", (_by, options) => {
    expect(said(options)).toContain("The kill switch is on");
    expect(said()).not.toContain("The kill switch is on");
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ["others can reach it", { PARLEY_HOST: "0.0.0.0" }],
    ["its name only looks like this machine's", { PARLEY_HOST: "127.0.0.1.example" }],
    ["a platform is connected", SLACK],
    ["a platform is half connected", { SLACK_BOT_TOKEN: "xoxb-hunter2" }],
    ["a secret comes from a file", { TELEGRAM_BOT_TOKEN_FILE: "token" }],
    ["a model is paid for", { ANTHROPIC_API_KEY: "sk-hunter2" }],
    ["another model's key is here", { OPENAI_API_KEY: "sk-hunter2" }],
    ["it has a public address", { PARLEY_PUBLIC_URL: "https://parley.example" }],
  ])("prints the key that was made where %s", (_why, env) => {
    const file = { TELEGRAM_BOT_TOKEN_FILE: join(folderWith({ token: "77:hunter2" }), "token") };
    const text = said({ env: "TELEGRAM_BOT_TOKEN_FILE" in env ? file : env });
    expect(text).toContain(`-H 'x-dev-key: ${MADE}'`);
    expect(text).not.toContain("hunter2");
  });

  it("in production does not print the key but where it lies", () => {
    const text = said({ env: { PARLEY_ENV: "production" } });
    expect(text).toMatch(/-H "x-dev-key: \$\(cat '\/.*\/data\/dev-key'\)"/);
    expect(text).not.toContain(MADE);
  });

  it("does not print a key of the operator's, and says when there is none at all", () => {
    const env = { PARLEY_HOST: "0.0.0.0", PARLEY_DEV_KEY: "hunter2-hunter2-hunter2" };
    expect(said({ env })).toContain('-H "x-dev-key: $PARLEY_DEV_KEY"');
    expect(said({ env })).not.toContain("hunter2");
    expect(said({ env: { PARLEY_HOST: "0.0.0.0" }, made: null })).toMatch(
      /The test webhook is shut: no key could be left in \/.*\/data\. PARLEY_DEV_KEY opens it\./,
    );
  });
});
