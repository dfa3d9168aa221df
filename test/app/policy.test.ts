import { beforeAll, describe, expect, it } from "vitest";
import { languagesFor } from "../../src/app/language.ts";
import { policyOf, routesOf } from "../../src/app/policy.ts";
import type { AgentSpec } from "../../src/config/agent-schema.ts";
import type { GatewaySpec } from "../../src/config/schema.ts";
import type { Attachment } from "../../src/domain/attachment.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import { LANGUAGES, type LanguageOf } from "../../src/domain/language.ts";
import { routeOf } from "../../src/domain/route.ts";
import { AGENT, load, problemsOf } from "../config/helpers.ts";
import { anEvent } from "../support/event.ts";

const ROUTES = "[{ agent: assistant }]";

/** What a configuration with these routes and these lines under `spec` says. */
function specOf(lines = "", routes = ROUTES): GatewaySpec {
  const loaded = load({
    "agents/assistant.yaml": AGENT,
    "agents/deployer.yaml": AGENT.replace("assistant", "deployer"),
    "gateway.yaml": `kind: Gateway\nspec:\n  routes: ${routes}\n${lines}`,
  });
  if (!loaded.ok) throw new Error(problemsOf(loaded).join("\n"));
  return loaded.config.gateway;
}

function agentOf(lines: string): AgentSpec {
  const loaded = load({
    "agents/assistant.yaml": AGENT.replace(
      "spec: { model: { provider: demo, model: demo } }",
      `spec:\n  model: { provider: demo, model: demo }${lines}`,
    ),
  });
  const agent = loaded.ok ? loaded.config.agents.get("assistant") : undefined;
  if (agent === undefined) throw new Error(problemsOf(loaded).join("\n"));
  return agent;
}

const policy = (lines?: string) => policyOf(specOf(lines), new Map(), () => false);

describe("the policy", () => {
  it("lets everyone but bots in, and limits how much they write", () => {
    const { platforms, limits, maxAgeMs, noticeWindowMs } = policy();
    expect(platforms.slack).toEqual({
      tenants: "any",
      channels: "any",
      users: "any",
      roles: "any",
      directMessages: "any",
      bots: "none",
      buttons: "run",
      respondTo: "mention",
      dedupMs: 7 * 86_400_000,
    });
    expect(limits).toEqual({
      user: { messages: 20, perMs: 60_000 },
      conversation: { messages: 60, perMs: 60_000 },
      tenant: { messages: 600, perMs: 60_000 },
      global: { messages: 6_000, perMs: 60_000 },
    });
    expect(maxAgeMs).toBe(86_400_000);
    expect(noticeWindowMs).toBeGreaterThan(0);
  });

  it("is what the operator wrote, in the units of the code", () => {
    const { platforms, limits, maxAgeMs } = policy(`
  limits: { user: off, tenant: { messages: 2, per_seconds: 10, burst: 6 } }
  max_age_seconds: off
  platforms:
    slack:
      respond_to: all
      dedup_seconds: 60
      access: { tenants: [T1], channels: [C1, C2], users: [U1], direct_messages: [U2], bots: [B1] }
    discord: { access: { direct_messages: deny, bots: any, roles: ["70"] } }
`);
    expect(limits).toMatchObject({ user: null, tenant: { messages: 6, perMs: 30_000 } });
    expect(maxAgeMs).toBeNull();
    expect(platforms.slack).toEqual({
      tenants: new Set(["T1"]),
      channels: new Set(["C1", "C2"]),
      users: new Set(["U1"]),
      roles: "any",
      directMessages: new Set(["U2"]),
      bots: new Set(["B1"]),
      buttons: "run",
      respondTo: "all",
      dedupMs: 60_000,
    });
    expect(platforms.discord).toMatchObject({
      directMessages: "deny",
      bots: "any",
      roles: new Set(["70"]),
      rolesNamed: new Set(["70"]),
      respondTo: "mention",
    });
  });

  it("asks each time whether everything is paused", () => {
    let isPaused = false;
    const { isPaused: asked } = policyOf(specOf(), new Map(), () => isPaused);
    expect(asked()).toBe(false);
    isPaused = true;
    expect(asked()).toBe(true);
  });
});

describe("the roles that rules go by on a platform", () => {
  const named = (lines: string, routes?: string, agents: Parameters<typeof policyOf>[1] = new Map()) =>
    policyOf(specOf(lines, routes), agents, () => false).platforms.slack.rolesNamed;

  it("are none where no rule names one there", () => {
    const others = "[{ match: { platform: discord, role: 70 }, agent: assistant }]";
    expect(named("  read_only: [{ platform: discord, role: 71 }, whatsapp]", others)).toBeUndefined();
  });

  it("are those of access, routes, read_only, and of who chooses an agent and decides", () => {
    const ops = agentOf(`
  chosen_by: ["slack:role:T1:S4", "discord:role:10:77"]
  approvals: { approvers: ["slack:role:T2:S5", "slack:U1"] }
`);
    const routes = "[{ match: { role: S2 }, agent: assistant }]";
    const lines = `
  platforms: { slack: { access: { roles: [S1] } } }
  read_only: [{ role: S3 }]
`;
    expect(named(lines, routes, new Map([["ops", ops]]))).toEqual(new Set(["S1", "S2", "S3", "S4", "S5"]));
  });
});

const GERMAN = "Kannst du bitte den Dienst neu starten?";
const ENGLISH = "Can you restart the billing service please?";

function sentBy(roles: readonly string[]): Partial<TriggerEvent> {
  return { sender: { id: "U1", name: "ann", isBot: false, roles } };
}

function withFiles(...kinds: readonly Attachment["kind"][]): Partial<TriggerEvent> {
  return {
    attachments: kinds.map((kind, i) => ({ id: `F${i}`, kind, name: null, mime: null, sizeBytes: null })),
  };
}

describe("the routes", () => {
  let languageOf: LanguageOf;
  beforeAll(async () => {
    languageOf = await languagesFor({ routes: [{ match: { language: ["de"] }, agent: "deployer" }] });
  });
  const agents = new Map(["assistant", "deployer"].map((name) => [name, {}]));
  function agentFor(match: string, event: Partial<TriggerEvent>): string | null {
    const spec = specOf("", `[{ match: ${match}, agent: deployer }, { agent: assistant }]`);
    return routeOf(anEvent(event), routesOf(spec, languageOf), agents);
  }

  it.each<[string, Partial<TriggerEvent>, Partial<TriggerEvent>]>([
    ["{ platform: discord }", { platform: "discord" }, { platform: "slack" }],
    ["{ platform: [discord, telegram] }", { platform: "telegram" }, { platform: "slack" }],
    ["{ tenant: T9 }", { tenant: "T9" }, { tenant: "T1" }],
    ["{ channel: 12345 }", { place: "12345" }, { place: "C1" }],
    ["{ command: /Deploy }", { command: "/deploy" }, { command: "/other" }],
    ["{ pattern: '^deploy\\b' }", { text: "Deploy it" }, { text: "please deploy" }],
    ["{ pattern: [aa, bb] }", { text: "xbbx" }, { text: "ab" }],
    ["{ platform: slack, tenant: T9 }", { tenant: "T9" }, { platform: "discord", tenant: "T9" }],
  ])("of the file take what they say: %s", (match, taken, left) => {
    expect(agentFor(match, taken)).toBe("deployer");
    expect(agentFor(match, left)).toBe("assistant");
  });

  it.each<[string, Partial<TriggerEvent>, Partial<TriggerEvent>]>([
    ["{ role: 70 }", sentBy(["9", "70"]), sentBy(["9"])],
    ["{ role: [70, 71] }", sentBy(["71"]), {}],
    ["{ attachment: image }", withFiles("image"), withFiles("audio")],
    ["{ attachment: [image, video] }", withFiles("document", "video"), {}],
    ["{ attachment: document }", withFiles("document"), withFiles("contact")],
    ["{ attachment: any }", withFiles("other"), {}],
    ["{ language: de }", { text: GERMAN }, { text: ENGLISH }],
    ["{ language: [fr, en] }", { text: ENGLISH }, { text: GERMAN }],
    ["{ language: de, attachment: any }", { text: GERMAN, ...withFiles("image") }, { text: GERMAN }],
  ])("take what is in a message, and who wrote it: %s", (match, taken, left) => {
    expect(agentFor(match, taken)).toBe("deployer");
    expect(agentFor(match, left)).toBe("assistant");
  });

  it.each(["ok", "12345", "👍", "", "https://example.com/kannst/du/bitte", "```js\nconst wert = 1;\n```"])(
    "are not found by a language of which nobody is sure: %j",
    (text) => expect(agentFor(`{ language: [${LANGUAGES.join(", ")}] }`, { text })).toBe("assistant"),
  );

  it("look for a pattern in the beginning of a text only, so that no text is dear", () => {
    const match = "{ pattern: needle }";
    expect(agentFor(match, { text: `${" ".repeat(994)}needle` })).toBe("deployer");
    expect(agentFor(match, { text: `${" ".repeat(1_000)}needle` })).toBe("assistant");
  });
});

it("limits that are set at run time stand in place of those of the configuration", () => {
  const limits = { user: "off", global: { messages: 5, per_seconds: 10 } } as const;
  const spec = specOf();
  const set = (scope: keyof typeof spec.limits) => ({ ...spec.limits, ...limits })[scope];
  const policy = policyOf(spec, new Map(), () => false, set);
  expect(policy.limits).toEqual({
    user: null,
    conversation: { messages: 60, perMs: 60_000 },
    tenant: { messages: 600, perMs: 60_000 },
    global: { messages: 5, perMs: 10_000 },
  });
});
