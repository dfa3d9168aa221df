import { describe, expect, it } from "vitest";
import type { NotifySpec } from "../../src/config/notify-schema.ts";
import { conversationKey, partsOfKey } from "../../src/domain/conversation.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { ReplyAddress } from "../../src/domain/event.ts";
import { FakeAdapter, failing } from "../support/adapter.ts";
import { openAdmin, TOKEN } from "../support/admin.ts";
import { call } from "./helpers.ts";

const PLACE: NotifySpec = {
  ...{ name: "notify-slack-1", platform: "slack", tenant: undefined, channel: "C9", thread: undefined },
  ...{ events: ["event.dead"], attempts: 1 },
};

async function opened(places: readonly NotifySpec[] = [PLACE]) {
  const slack = new FakeAdapter("slack");
  slack.addressOf = ({ channel, thread }) =>
    channel.startsWith("C") ? (JSON.stringify([channel, thread]) as ReplyAddress) : null;
  const adapters = new Map([
    ["slack", slack],
    ["whatsapp", new FakeAdapter("whatsapp")],
  ]);
  const admin = await openAdmin({ adapters, places });
  const env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: await admin.listen() };
  return { admin, slack, asked: (...args: readonly string[]) => call(["notify", ...args], { env }) };
}

describe("parley notify", () => {
  it("says a text in the only place of notify, or in a conversation, and the audit has all but the words", async () => {
    const { admin, slack, asked } = await opened();
    expect(await asked("It is *done*.")).toMatchObject({ code: 0, stderr: "said in notify-slack-1\n" });
    const there = await asked("--to", "slack:T1:C2:17.1", "--json", "Again.");
    expect(JSON.parse(there.stdout)).toMatchObject({ status: "said", to: "slack:T1:C2:17.1" });
    expect(slack.said).toEqual(["It is *done*.", "Again."]);
    expect(slack.sends.map(({ to }) => to)).toEqual(['["C9",null]', '["C2","17.1"]']);
    const { entries } = (await (await admin.ask("/audit")).json()) as { entries: readonly object[] };
    expect(entries).toMatchObject([
      { action: "notice.said", subject: "slack:T1:C2:17.1", role: "operator" },
      { action: "notice.said", subject: "notify", after: { to: "notify-slack-1", characters: 13 } },
    ]);
    expect(JSON.stringify(entries)).not.toContain("done");
  });

  it("says it once by the same key, whoever asks again, and nothing else by that key", async () => {
    const { slack, asked } = await opened();
    const [first, second] = await Promise.all([asked("--key", "k", "Out."), asked("--key", "k", "Out.")]);
    expect([first.code, second.code]).toContain(0);
    expect(await asked("--key", "k", "Out.")).toMatchObject({
      code: 0,
      stderr: "was said before in notify-slack-1\n",
    });
    const other = await asked("--key", "k", "In.");
    expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining("expected a key of its own") });
    expect(slack.said).toEqual(["Out."]);
  });

  it("may be asked for again where it was certainly not said, and not where nobody can tell", async () => {
    const { slack, asked } = await opened();
    slack.fates.push(failing(new DeliveryError("retry", "slack is away")));
    expect(await asked("--key", "a", "x")).toMatchObject({
      stderr: expect.stringContaining("slack is away"),
    });
    expect(await asked("--key", "a", "x")).toMatchObject({ code: 0 });
    slack.fates.push(failing(new DeliveryError("unknown", "it hung up")));
    expect(await asked("--key", "b", "x")).toMatchObject({ code: 1 });
    expect(await asked("--key", "b", "x")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("nobody can tell whether it was"),
    });
    expect(slack.sends).toHaveLength(3);
  });

  it.each<[readonly NotifySpec[], readonly string[], number, string]>([
    [[], ["x"], 2, "got none, and gateway.yaml has no notify"],
    [[PLACE, { ...PLACE, name: "notify-slack-2" }], ["x"], 2, "there are notify-slack-1, notify-slack-2"],
    [[PLACE], ["--to", "notify-slak-1", "x"], 2, "(did you mean notify-slack-1?)"],
    [[PLACE], ["--to", "telegram:1:2", "x"], 1, "telegram is switched off"],
    [[PLACE], ["--to", "whatsapp:1:2", "x"], 1, "On whatsapp no bot may speak first"],
    [[PLACE], ["--to", "slack:T1:x", "x"], 1, "x is no place of slack"],
    [[PLACE], [" "], 2, "expected a text, got none"],
  ])("with %j and %j ends with %i: %s", async (places, args, code, words) => {
    const { slack, asked } = await opened(places);
    expect(await asked(...args)).toMatchObject({ code, stderr: expect.stringContaining(words) });
    expect(slack.sends).toEqual([]);
  });
});

it("a conversation's key is read as it is made", () => {
  const parts = { platform: "slack" as const, tenant: "T%3A:1", place: "C!9", thread: "a:b%" };
  expect(partsOfKey(conversationKey(parts))).toEqual(parts);
  expect(partsOfKey("slack:T1:C1")).toEqual({ platform: "slack", tenant: "T1", place: "C1", thread: null });
  for (const none of ["slack", "slack:T1", "slack::C1", "slack:T1:C1:", "a:b:c:d:e"])
    expect(partsOfKey(none)).toBeNull();
});
