import { describe, expect, it } from "vitest";
import { createDiscordAdapter } from "../../../adapters/discord/adapter.ts";
import type { ChoicesOptions } from "../../../adapters/discord/choices.ts";
import type { ChoiceSource, FoundChoice } from "../../../src/domain/choice-source.ts";
import { asVerified } from "../../contract/raw-request.ts";
import { FakeClock } from "../../support/clock.ts";
import { ackOf, bodyOf, fixture, NOW_MS, PUBLIC_KEY, request } from "./fixture.ts";

const SERVICES = { command: "/deploy", option: "service", values: ["api", "Web", "old-api"] };

function adapterWith(autocomplete: ChoicesOptions) {
  return createDiscordAdapter({
    publicKeys: [PUBLIC_KEY],
    botToken: null,
    applicationId: "900",
    autocomplete,
    clock: new FakeClock(NOW_MS),
    timeoutMs: 1_000,
    random: () => 0.5,
  });
}

type Option = { name: string; type: number; value: string | number; focused?: boolean };
const typing = (user: string, ...options: Option[]) => ({
  ...bodyOf("autocomplete"),
  member: { user: { id: user, username: user } },
  data: { id: "40", name: "deploy", type: 1, options },
});
const service = (value: string, focused = true): Option => ({ name: "service", type: 3, value, focused });

function offered(adapter: ReturnType<typeof adapterWith>, body: object): unknown {
  const inbound = adapter.parse(asVerified(request(body)));
  expect(inbound.kind).toBe("handshake");
  const { body: answer } = ackOf(inbound) as { body: { type: number; data: { choices: unknown } } };
  expect(answer.type).toBe(8);
  return answer.data.choices;
}
const names = (adapter: ReturnType<typeof adapterWith>, body: object) =>
  (offered(adapter, body) as { name: string }[]).map(({ name }) => name);

/** As the gateway does with what it has stored. */
function used(adapter: ReturnType<typeof adapterWith>, user: string, ...options: Option[]): void {
  const inbound = adapter.parse(asVerified(request({ ...typing(user, ...options), type: 2 })));
  if (inbound.kind !== "events") throw new Error(`Expected events, got ${inbound.kind}`);
  for (const event of inbound.events) adapter.accepted?.(event);
}

it("a person's recent values are offered in the server, or in private, alone in which they were used", () => {
  const adapter = adapterWith({ recent: 10, choices: [] });
  const inServer = (guild_id: string | undefined) => ({ ...typing("30", service("")), guild_id });
  used(adapter, "30", service("said-in-private", false));
  expect(names(adapter, inServer(undefined))).toEqual(["said-in-private"]);
  expect(names(adapter, inServer("10"))).toEqual([]);
});

describe("choices of a tool", () => {
  const from = { agent: "assistant", tool: "deploys__list", arguments: {} };
  const asking = (source: ChoiceSource, typed: string, type = 3) => {
    const adapter = adapterWith({ recent: 10, choices: [{ ...SERVICES, from: source }] });
    used(adapter, "30", service("api", false));
    const inbound = adapter.parse(asVerified(request(typing("30", { ...service(typed), type }))));
    const question = inbound.kind === "handshake" ? inbound.question : undefined;
    const given = (found: readonly FoundChoice[]) => {
      const ack = question?.ackWith(found) ?? { status: 0 };
      return JSON.parse(String(ack.body)).data.choices as { name: string; value: unknown }[];
    };
    return { question, plain: ackOf(inbound), given };
  };

  it("are asked for with what was typed and who types, and stand between the recent and the configured ones", () => {
    const { question, given } = asking(from, "a");
    expect(question).toMatchObject({ source: from, typed: "a" });
    expect(question?.event).toMatchObject({ platform: "discord", sender: { id: "30" }, command: "/deploy" });
    const found = [
      { name: "The API", value: "api" },
      { name: "auth", value: "auth" },
      { name: "none", value: "b" },
    ];
    expect(given(found).map(({ name }) => name)).toEqual(["auth", "The API", "old-api"]);
  });

  it("are all shown where the tool has searched by itself, and in the type of the option", () => {
    const { given } = asking({ ...from, arguments: { search: "{typed}" } }, "1");
    expect(given([{ name: "one", value: 1 }])).toEqual([{ name: "one", value: "1" }]);
    const number = asking({ ...from, arguments: { search: "{typed}" } }, "1", 4);
    expect(
      number.given([
        { name: "one", value: "1" },
        { name: "x", value: "x" },
      ]),
    ).toEqual([{ name: "one", value: 1 }]);
  });

  it("are at most 25 of at most 100 characters", () => {
    const found = Array.from({ length: 40 }, (_, n) => ({ name: "a".repeat(300), value: `a${n}` }));
    const given = asking(from, "a").given([{ name: "a", value: "a".repeat(101) }, ...found]);
    expect([given.length, Math.max(...given.map(({ name }) => name.length))]).toEqual([25, 100]);
    expect(given.every(({ value }) => String(value).length <= 100)).toBe(true);
  });

  it("are asked of nobody for another option", () => {
    const adapter = adapterWith({ recent: 10, choices: [{ ...SERVICES, option: "other", from }] });
    expect(adapter.parse(asVerified(request(typing("30", service("a")))))).not.toHaveProperty("question");
  });
});

describe("an autocompletion", () => {
  it("of a recorded request offers what is configured, what begins so first", () => {
    const adapter = adapterWith({ recent: 10, choices: [SERVICES] });
    const inbound = adapter.parse(asVerified(fixture("autocomplete")));
    expect(ackOf(inbound)).toEqual({
      status: 200,
      body: {
        type: 8,
        data: {
          choices: [
            { name: "api", value: "api" },
            { name: "old-api", value: "old-api" },
          ],
        },
      },
    });
  });

  it("knows commands by their path, and offers nothing for other options or nothing that is focused", () => {
    const run = { ...SERVICES, command: "deploy RUN" };
    const adapter = adapterWith({ recent: 10, choices: [run] });
    const nested = (...options: Option[]) => ({
      ...typing("30"),
      data: { id: "40", name: "deploy", type: 1, options: [{ name: "run", type: 1, options }] },
    });
    expect(names(adapter, nested(service("we")))).toEqual(["Web"]);
    expect(names(adapter, typing("30", service("we")))).toEqual([]);
    expect(names(adapter, nested({ ...service(""), name: "stage" }))).toEqual([]);
    expect(names(adapter, nested(service("", false)))).toEqual([]);
    for (const data of [undefined, {}, { name: "deploy", options: ["x", null] }])
      expect(names(adapter, { ...typing("30"), data })).toEqual([]);
  });

  it("offers a person's own latest values first, once each, and nobody else's", () => {
    const adapter = adapterWith({ recent: 2, choices: [SERVICES] });
    for (const value of ["worker", "web2", "Web", "web2"]) used(adapter, "30", service(value));
    expect(names(adapter, typing("30", service("")))).toEqual(["web2", "Web", "api", "old-api"]);
    expect(names(adapter, typing("30", service("WEB")))).toEqual(["web2", "Web"]);
    expect(names(adapter, typing("31", service("")))).toEqual(["api", "Web", "old-api"]);
  });

  it("does not remember what was not accepted, or what is no choice", () => {
    const adapter = adapterWith({ recent: 10, choices: [] });
    adapter.parse(asVerified(request({ ...typing("30", service("secret")), type: 2 })));
    for (const value of ["x".repeat(101), "  ", "\ud800"]) used(adapter, "30", service(value));
    used(adapter, "30", { name: "service", type: 6, value: "31" });
    expect(names(adapter, typing("30", service("")))).toEqual([]);
  });

  it("remembers nothing where the configuration says so", () => {
    const adapter = adapterWith({ recent: 0, choices: [] });
    used(adapter, "30", service("api"));
    expect(names(adapter, typing("30", service("")))).toEqual([]);
  });

  it("gives numbers to options that are numbers, and at most 25 in all", () => {
    const counts = {
      command: "/deploy",
      option: "count",
      values: [1, 2.5, "three", { name: "Ten", value: 10 }],
    };
    const many = { ...SERVICES, values: Array.from({ length: 40 }, (_, i) => `s${i}`) };
    const adapter = adapterWith({ recent: 10, choices: [counts, many] });
    const count = (type: number) => typing("30", { name: "count", type, value: "", focused: true });
    expect(offered(adapter, count(4))).toEqual([
      { name: "1", value: 1 },
      { name: "Ten", value: 10 },
    ]);
    expect(names(adapter, count(10))).toEqual(["1", "2.5", "Ten"]);
    expect(names(adapter, typing("30", service("s")))).toHaveLength(25);
    used(adapter, "30", { name: "count", type: 4, value: 10 });
    expect(names(adapter, count(4))).toEqual(["Ten", "1"]);
  });
});
