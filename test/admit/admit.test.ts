import { describe, expect, it } from "vitest";
import { admit } from "../../src/admit/admit.ts";
import type { AdmissionPolicy, PlatformPolicy } from "../../src/admit/policy.ts";
import { CONTEXT_CHARS_MAX, FILES_MAX, LABEL_CHARS_MAX } from "../../src/domain/bounds.ts";
import { contextItem } from "../../src/domain/context.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import { anEvent } from "../support/event.ts";
import { everywhere, OPEN } from "../support/policy.ts";

const NOW = 1_700_000_001_000;
function policy(
  slack: Partial<PlatformPolicy> = {},
  changes: Partial<AdmissionPolicy> = {},
): AdmissionPolicy {
  const platforms = { ...everywhere(OPEN), slack: { ...OPEN, ...slack } };
  return {
    platforms,
    limits: { user: { messages: 20, perMs: 60_000 }, conversation: null, tenant: null, global: null },
    routes: [{ match: {}, agent: "assistant" }],
    agents: new Map([["assistant", "queue"]]),
    maxAgeMs: 86_400_000,
    noticeWindowMs: 600_000,
    isPaused: () => false,
    ...changes,
  };
}

function offered(event: TriggerEvent, rules: AdmissionPolicy) {
  const admission = admit(event, rules, NOW);
  if (admission.kind !== "offer") throw new Error(`Expected an offer, got ${admission.reason}`);
  return admission.offer;
}

describe("admit", () => {
  it("offers a mention to its conversation's lane, without refusal", () => {
    const offer = offered(anEvent(), policy());
    expect(offer).toMatchObject({
      lane: "slack:T1:C1",
      refusal: null,
      onlyIfKnown: false,
      dedupMs: 604_800_000,
    });
    expect(offer.limits).toEqual([{ scope: "user", key: "slack:T1:U1", messages: 20, perMs: 60_000 }]);
  });

  it("counts a person of two names once, whichever a message carries", () => {
    const of = (id: string, alsoKnownAs: readonly string[]) => {
      const conversation = "whatsapp:W1:PN1:49151";
      const sender = { ...anEvent().sender, id, alsoKnownAs };
      return offered(anEvent({ conversation, sender }), policy()).limits[0]?.key;
    };
    expect([of("GB.1", ["49151"]), of("49151", ["GB.1"])]).toEqual(["slack:T1:49151", "slack:T1:49151"]);
  });

  it("ignores what was pressed where the policy is to, and nothing else", () => {
    const rules = policy({ buttons: "ignore" });
    const press = anEvent({ trigger: "button", command: "retry" });
    expect(admit(press, rules, NOW)).toEqual({ kind: "ignored", reason: "buttons_off" });
    expect(admit(anEvent({ trigger: "command", command: "retry" }), rules, NOW).kind).toBe("offer");
    expect(admit(press, policy(), NOW).kind).toBe("offer");
    const decision = { ...press, command: "approve:apr_1_1" };
    expect(offered(decision, rules)).toMatchObject({ kind: "command", lane: "slack:T1:C1!control" });
  });

  it("keeps of what a message refers to as much as an event may carry", () => {
    const context = Array.from({ length: 50 }, () => contextItem("quoted", "a\u0000b".repeat(500)));
    const kept = offered(anEvent({ context }), policy()).event.context ?? [];
    expect(kept.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(CONTEXT_CHARS_MAX);
    expect(kept[0]?.text).toBe("ab".repeat(500));
    expect(offered(anEvent(), policy()).event).not.toHaveProperty("context");
  });

  it("keeps of names and files what a person could read, of whatever size they come", () => {
    const long = "n\u0000".repeat(5_000);
    const file = { id: "F1", kind: "document", name: long, mime: long, sizeBytes: null } as const;
    const files = Array.from({ length: 15 }, (_, index) => ({ ...file, id: `F${index}` }));
    const author = { id: "U2".repeat(5_000), name: long };
    const context = Array.from({ length: 3 }, () =>
      contextItem("quoted", "said", { author, attachments: [...files, { ...file, id: "F".repeat(5_000) }] }),
    );
    const sender = { id: "U1", name: long, isBot: false };
    const { event } = offered(anEvent({ context, sender, attachments: [...files, ...files] }), policy());
    expect(event.sender.name).toBe("n".repeat(LABEL_CHARS_MAX / 2));
    expect(event.attachments).toHaveLength(FILES_MAX);
    expect(event.context?.flatMap(({ attachments }) => attachments)).toHaveLength(FILES_MAX);
    expect(event.context?.map((item) => item.author)).toEqual(
      Array(3).fill({ id: null, name: "n".repeat(LABEL_CHARS_MAX / 2) }),
    );
    expect(JSON.stringify(event).length).toBeLessThan(3 * FILES_MAX * 2 * LABEL_CHARS_MAX);
    expect(JSON.stringify(event)).not.toContain("\\u0000");
  });

  it("ignores what is said in a room without naming the bot, unless the policy is to answer all", () => {
    const ambient = anEvent({ trigger: "ambient" });
    expect(admit(ambient, policy(), NOW)).toEqual({ kind: "ignored", reason: "not_addressed" });
    expect(offered(ambient, policy({ respondTo: "all" })).onlyIfKnown).toBe(false);
  });

  it("takes a thread message without a mention only where the bot takes part", () => {
    expect(offered(anEvent({ trigger: "thread" }), policy()).onlyIfKnown).toBe(true);
    expect(offered(anEvent({ trigger: "ambient", text: "!stop" }), policy()).onlyIfKnown).toBe(true);
  });

  it("ignores other bots unless they are allowed", () => {
    const bot = anEvent({ sender: { id: "B9", name: "other", isBot: true } });
    expect(admit(bot, policy(), NOW)).toEqual({ kind: "ignored", reason: "bot" });
    expect(offered(bot, policy({ bots: new Set(["B9"]) })).refusal).toBeNull();
    expect(offered(bot, policy({ bots: "any", users: new Set() })).refusal?.noticeWindowMs).toBe(0);
  });

  it.each<[string, Partial<PlatformPolicy>, Partial<TriggerEvent>]>([
    ["tenant", { tenants: new Set(["T2"]) }, {}],
    ["channel", { channels: new Set(["C2"]) }, {}],
    ["user", { users: new Set(["U2"]) }, {}],
    ["role", { roles: new Set(["R1"]) }, {}],
    ["role", { roles: new Set(["R1"]) }, { sender: { id: "U1", name: "ann", isBot: false, roles: ["R2"] } }],
    ["direct_message", { directMessages: "deny" }, { isDirect: true, trigger: "direct" }],
    ["direct_message", { directMessages: new Set(["U2"]) }, { isDirect: true, trigger: "direct" }],
  ])("refuses by %s and tells once per window", (detail, rules, change) => {
    expect(offered(anEvent(change), policy(rules)).refusal).toEqual({
      cause: "not_allowed",
      detail,
      noticeWindowMs: 600_000,
    });
  });

  it("leaves to whoever runs it what goes by roles that are not known yet, and nothing else", () => {
    const rules = policy({ roles: new Set(["R1"]), users: new Set(["U1"]) });
    const byRole = {
      ...rules,
      routes: [{ match: { roles: new Set(["R1"]) }, agent: "ops" }, ...rules.routes],
    };
    expect(offered(anEvent({ rolesDue: true }), byRole)).toMatchObject({ refusal: null, agent: null });
    const other = anEvent({ rolesDue: true, sender: { id: "U2", name: "bob", isBot: false } });
    expect(offered(other, byRole).refusal).toMatchObject({ detail: "user" });
  });

  it("lets in who has one of the roles, and asks for the others too", () => {
    const ann = anEvent({ sender: { id: "U1", name: "ann", isBot: false, roles: ["R2", "R1"] } });
    expect(offered(ann, policy({ roles: new Set(["R1", "R3"]) })).refusal).toBeNull();
    const both = policy({ roles: new Set(["R1"]), users: new Set(["U2"]) });
    expect(offered(ann, both).refusal?.detail).toBe("user");
  });

  it("does not ask for a channel in direct messages, nor for a direct message in channels", () => {
    const direct = anEvent({ isDirect: true, trigger: "direct", place: "D1" });
    expect(offered(direct, policy({ channels: new Set(["C1"]) })).refusal).toBeNull();
    expect(offered(anEvent(), policy({ directMessages: "deny" })).refusal).toBeNull();
  });

  it("refuses an event over the age in silence, and none when the age is off", () => {
    const old = anEvent({ occurredAtMs: NOW - 86_400_001 });
    expect(offered(old, policy()).refusal).toMatchObject({ cause: "too_old", noticeWindowMs: 0 });
    expect(offered(old, policy({}, { maxAgeMs: null })).refusal).toBeNull();
    expect(offered(anEvent({ occurredAtMs: NOW - 86_400_000 }), policy()).refusal).toBeNull();
  });

  it("refuses all but commands to the gateway while it is paused", () => {
    const paused = policy({}, { isPaused: () => true });
    expect(offered(anEvent(), paused).refusal).toMatchObject({ cause: "paused" });
    expect(offered(anEvent({ text: "!status" }), paused).refusal).toBeNull();
  });

  it("decides who answers, and what a message does while that agent is at work", () => {
    const rules = policy(
      {},
      {
        routes: [
          { match: { channels: new Set(["C2"]) }, agent: "assistant", busy: "steer" },
          { match: { channels: new Set(["C3"]) }, agent: "deployer", busy: "queue" },
          { match: { channels: new Set(["C4"]) }, agent: "deployer" },
          { match: { platforms: new Set(["slack"]) }, agent: "assistant" },
        ],
        agents: new Map([
          ["assistant", "collect"],
          ["deployer", "drop"],
        ]),
      },
    );
    const decided = (event: Partial<TriggerEvent>) => {
      const { agent, busy, kind } = offered(anEvent(event), rules);
      return [agent, busy, kind];
    };
    expect(decided({})).toEqual(["assistant", "collect", "message"]);
    expect(decided({ place: "C2" })).toEqual(["assistant", "steer", "message"]);
    expect(decided({ place: "C3" })).toEqual(["deployer", "queue", "message"]);
    expect(decided({ place: "C4" })).toEqual(["deployer", "drop", "message"]);
    expect(decided({ agent: "deployer", place: "C2" })).toEqual(["deployer", "drop", "message"]);
    expect(decided({ agent: "nobody" })).toEqual([null, "queue", "message"]);
    expect(decided({ platform: "discord" })).toEqual([null, "queue", "message"]);
    // Who presses or commands waits for an answer to just that.
    expect(decided({ trigger: "command", command: "/ask" })).toEqual(["assistant", "queue", "message"]);
    expect(decided({ trigger: "button", place: "C2" })).toEqual(["assistant", "queue", "message"]);
    expect(decided({ trigger: "button", place: "C4" })).toEqual(["deployer", "drop", "message"]);
    expect(decided({ text: "!stop" })).toEqual([null, "queue", "command"]);
    expect(decided({ text: "!reset" })).toEqual([null, "queue", "message"]);
  });

  it("lets /stop, /status and /help overtake the conversation, and keeps /reset in its order", () => {
    const command = (name: string) =>
      offered(anEvent({ trigger: "command", command: name, text: "" }), policy()).lane;
    expect(command("/stop")).toBe("slack:T1:C1!control");
    expect(command("/status")).toBe("slack:T1:C1!control");
    expect(command("/reset")).toBe("slack:T1:C1");
    expect(command("/deploy")).toBe("slack:T1:C1");
  });
});
