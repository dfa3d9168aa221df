import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createWeb } from "../../../adapters/slack/api.ts";
import { createNames } from "../../../adapters/slack/names.ts";
import { mentionsIn, readableText } from "../../../adapters/slack/text.ts";
import type { Mention } from "../../../src/domain/mention.ts";
import type { NameReader } from "../../../src/ports/names.ts";
import type { Store } from "../../../src/ports/store.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { type FakeSlack, fakeSlack, slackError, slackRateLimited } from "../../fakes/slack.ts";
import { FakeClock } from "../../support/clock.ts";
import { openTestStore } from "../../support/store.ts";
import { NOW_MS } from "./setup.ts";

const never = new AbortController().signal;
const person = (id: string): Mention => ({ kind: "person", id, name: null });
const channel = (id: string): Mention => ({ kind: "channel", id, name: null });
const group = (id: string): Mention => ({ kind: "group", id, name: null });
const MINUTE_MS = 60_000;

let fake: FakeSlack;
let clock: FakeClock;
let store: Store;
beforeEach(async () => {
  fake = await fakeSlack({ token: "nobody's" });
  onTestFinished(() => fake.close());
  clock = new FakeClock(NOW_MS);
  store = await openTestStore(clock);
  for (const team of ["T1", "T2"]) fake.installs.tokens.set(`xoxb-${team}`, { team, error: null });
  fake.names
    .set("T1/U1", "Ann")
    .set("T2/U1", "Other Ann")
    .set("C1", "ops")
    .set("S1", "oncall")
    .set("S2", "web");
});

/** Another process has the same store, and remembers other things. */
function names(): NameReader {
  return createNames({
    clock,
    kept: { holds: store.holds, notes: store.notes },
    callIn: (tenant) =>
      createWeb({ botToken: new Secret(`xoxb-${tenant}`), apiUrl: fake.apiUrl, clock, timeoutMs: 5_000 }),
  });
}

const told = async (reader: NameReader, wanted: readonly Mention[], tenant = "T1") => {
  const { names: found, found: sources } = await reader.read(tenant, wanted, never);
  return { names: Object.fromEntries(found), ...sources };
};
const asked = (method: string) => fake.calls.filter(({ path }) => path === `/api/${method}`).length;
/** Beside a run, the next process that needs them has them. */
const isKept = async (tenant: string, key: string) => {
  for (;;) {
    const shelves = Array.from({ length: 16 }, (_, i) => store.notes.get(`names:slack:${tenant}:${i}`));
    if ((await Promise.all(shelves)).some((text) => text?.includes(key))) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
};

describe("names", () => {
  it("are asked for once, remembered, and found in the store by another process", async () => {
    const first = names();
    const wanted = [person("U1"), channel("C1"), group("S1")];
    const called = { "person:U1": "Ann", "channel:C1": "ops", "group:S1": "oncall" };
    expect(await told(first, wanted)).toEqual({
      ...{ names: called, memory: 0, store: 0, platform: 3, nowhere: 0 },
    });
    expect(await told(first, wanted)).toMatchObject({ names: called, memory: 3, platform: 0 });
    for (const key of ["person:U1", "channel:C1", "group:S1"]) await isKept("T1", key);
    expect(await told(names(), wanted)).toMatchObject({ names: called, store: 3, platform: 0 });
    expect([asked("users.info"), asked("conversations.info"), asked("usergroups.list")]).toEqual([1, 1, 1]);
  });

  it("tell all groups at once", async () => {
    const reader = names();
    await told(reader, [group("S1")]);
    expect(await told(reader, [group("S2")])).toMatchObject({ names: { "group:S2": "web" }, memory: 1 });
    expect(asked("usergroups.list")).toBe(1);
  });

  it("are those of a tenant alone, in memory and in the store", async () => {
    const reader = names();
    expect(await told(reader, [person("U1")], "T1")).toMatchObject({ names: { "person:U1": "Ann" } });
    expect(await told(reader, [person("U1")], "T2")).toMatchObject({ names: { "person:U1": "Other Ann" } });
    await isKept("T2", "person:U1");
    expect(await told(names(), [person("U1")], "T2")).toMatchObject({ names: { "person:U1": "Other Ann" } });
  });

  it("are asked for again after half a day, and after ten minutes where nobody was found", async () => {
    const reader = names();
    await told(reader, [person("U1"), channel("C9")]);
    fake.names.set("T1/U1", "Anna");
    clock.advance(9 * MINUTE_MS);
    expect(await told(reader, [person("U1"), channel("C9")])).toMatchObject({
      ...{ names: { "person:U1": "Ann" }, memory: 1, nowhere: 1 },
    });
    fake.names.set("C9", "new");
    clock.advance(2 * MINUTE_MS);
    expect(await told(reader, [channel("C9")])).toMatchObject({ names: { "channel:C9": "new" } });
    clock.advance(12 * 60 * MINUTE_MS);
    expect(await told(reader, [person("U1")])).toMatchObject({ names: { "person:U1": "Anna" } });
  });

  it.each([
    ["lacks the scope", slackError("missing_scope"), 10 * MINUTE_MS],
    ["asks to wait", slackRateLimited(7), 7_000],
    ["is not well", { status: 503 }, 30_000],
  ])("are not asked for again for a while where the app or Slack %s", async (_, answer, restMs) => {
    const reader = names();
    const { status = 200, ...rest } = answer;
    fake.faults.push({ kind: "status", status, ...rest });
    expect(await told(reader, [person("U1")])).toMatchObject({ names: {}, nowhere: 1 });
    clock.advance(restMs - 1);
    expect(await told(reader, [person("U1")])).toMatchObject({ names: {}, nowhere: 1 });
    expect(asked("users.info")).toBe(1);
    // Of another kind, and of another tenant, nothing was said.
    expect(await told(reader, [channel("C1")])).toMatchObject({ platform: 1 });
    expect(await told(reader, [person("U1")], "T2")).toMatchObject({ platform: 1 });
    clock.advance(2);
    expect(await told(reader, [person("U1")])).toMatchObject({ names: { "person:U1": "Ann" } });
  });

  it("keep nobody waiting: what comes late is there the next time", async () => {
    const reader = names();
    const { promise, resolve } = Promise.withResolvers<void>();
    fake.faults.push({ kind: "slow", until: promise });
    const late = new AbortController();
    const read = reader.read("T1", [person("U1")], late.signal);
    await fake.waitFor(({ path }) => path === "/api/users.info");
    late.abort();
    expect(await read).toMatchObject({ found: { nowhere: 1 } });
    resolve();
    await isKept("T1", "person:U1");
    expect(await told(reader, [person("U1")])).toMatchObject({ names: { "person:U1": "Ann" }, memory: 1 });
    expect(asked("users.info")).toBe(1);
  });

  it("are bounded in the store: the newest of a tenant stay", async () => {
    const reader = names();
    for (let i = 0; i < 300; i++) fake.names.set(`S${1000 + i}`, `group-${"x".repeat(200)}-${i}`);
    await told(reader, [group("S1000")]);
    await isKept("T1", "group:S1");
    const shelves = Array.from({ length: 16 }, (_, i) => store.notes.get(`names:slack:T1:${i}`));
    for (const text of await Promise.all(shelves)) expect(text?.length ?? 0).toBeLessThanOrEqual(4_096);
  });
});

describe("mentions in a text", () => {
  it("are read with the names that Slack gives, but for the bot's own", () => {
    const text =
      "<@UBOT> ask <@U1> or <@U2|bob &amp; co> in <#C1|ops>, <!subteam^S1> <!subteam^S2|@web> <!here>";
    expect(mentionsIn(text, new Set(["UBOT"]))).toEqual([
      { kind: "person", id: "U1", name: null },
      { kind: "person", id: "U2", name: "bob & co" },
      { kind: "channel", id: "C1", name: "ops" },
      { kind: "group", id: "S1", name: null, written: "subteam^S1" },
      { kind: "group", id: "S2", name: "web" },
    ]);
    expect(readableText(text, new Set(["UBOT"]))).toBe(
      "ask @U1 or @bob & co in #ops, @subteam^S1 @web @here",
    );
  });

  it("are bounded", () => {
    const text = Array.from({ length: 100 }, (_, i) => `<@U${i}>`).join(" ");
    expect(mentionsIn(text, new Set())).toHaveLength(50);
  });
});
