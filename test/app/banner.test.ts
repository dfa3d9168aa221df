import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { banner } from "../../src/app/banner.ts";
import type { App } from "../../src/app.ts";
import { AGENT, load, problemsOf } from "../config/helpers.ts";

const SLACK = { SLACK_BOT_TOKEN: "xoxb-hunter2", SLACK_SIGNING_SECRET: "0123456789abcdef0123456789abcdef" };

interface Options {
  readonly env?: Readonly<Record<string, string>>;
  readonly spec?: string;
  readonly address?: AddressInfo;
  readonly demoStandIns?: readonly string[];
}

/** What is said at start with this environment and these lines under `spec`. */
function said({ env = {}, spec = "", address, demoStandIns = [] }: Options = {}): string {
  const loaded = load(
    {
      "agents/assistant.yaml": AGENT,
      "gateway.yaml": `kind: Gateway\nspec:\n  routes: [{ agent: assistant }]\n${spec}`,
    },
    { env },
  );
  if (!loaded.ok) throw new Error(problemsOf(loaded).join("\n"));
  const listening = address ?? { address: "127.0.0.1", port: 8080, family: "IPv4" };
  const app = {
    server: { address: () => listening },
    storeReport: "Redis 7, appendfsync always: what was acknowledged survives a power cut",
    agents: { modelNames: new Map([["assistant", "the demo model"]]), demoStandIns },
  } as unknown as App;
  return banner(app, loaded.config, "1.2.3");
}

describe("the banner", () => {
  it("says where it listens, who answers, and what to try", () => {
    const text = said();
    expect(text).toContain("Parley 1.2.3 listens on http://127.0.0.1:8080\n");
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

  it("says of a platform with its secrets that the configuration has switched it off", () => {
    const text = said({ env: SLACK, spec: "  platforms: { slack: { enabled: false } }\n" });
    expect(text).toMatch(/^ {2}slack +off +switched off in the configuration$/m);
  });

  it.each<[AddressInfo, string]>([
    [{ address: "0.0.0.0", port: 1, family: "IPv4" }, "http://127.0.0.1:1"],
    [{ address: "::", port: 2, family: "IPv6" }, "http://127.0.0.1:2"],
    [{ address: "::1", port: 3, family: "IPv6" }, "http://[::1]:3"],
  ])("gives an address that can be opened: $address", (address, url) => {
    expect(said({ address })).toContain(`listens on ${url}\n`);
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
    expect(said({ demoStandIns: ["assistant"] })).toContain("There is no ANTHROPIC_API_KEY");
  });

  it.each<[string, Options]>([
    ["the environment", { env: { PARLEY_KILL_SWITCH: "true" } }],
    ["the configuration", { spec: "  kill_switch: true\n" }],
  ])("says when the kill switch is on by %s", (_by, options) => {
    expect(said(options)).toContain("The kill switch is on");
    expect(said()).not.toContain("The kill switch is on");
  });

  it("says how the test webhook opens where it is not open to all", () => {
    const env = { PARLEY_HOST: "0.0.0.0" };
    expect(said({ env })).toContain("The test webhook is closed here; PARLEY_DEV_KEY opens it.");
    const open = said({ env: { ...env, PARLEY_DEV_KEY: "hunter2" } });
    expect(open).toContain('-H "x-dev-key: $PARLEY_DEV_KEY"');
    expect(open).not.toContain("hunter2");
  });
});
