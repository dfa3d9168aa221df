import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { createRest } from "../../../adapters/discord/api.ts";
import { createNames } from "../../../adapters/discord/names.ts";
import type { Mention } from "../../../src/domain/mention.ts";
import type { NameReader } from "../../../src/ports/names.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { discordRateLimit, type FakeDiscord, fakeDiscord } from "../../fakes/discord.ts";
import { FakeClock } from "../../support/clock.ts";
import { NOW_MS } from "./fixture.ts";

const never = new AbortController().signal;
const person = (id: string): Mention => ({ kind: "person", id, name: null });
const channel = (id: string): Mention => ({ kind: "channel", id, name: null });
const role = (id: string): Mention => ({ kind: "group", id, name: null });
const SEEN = "1024";
const everyone = (guild: string, permissions = SEEN) => ({ id: guild, name: "@everyone", permissions });

let fake: FakeDiscord;
let clock: FakeClock;
beforeEach(async () => {
  fake = await fakeDiscord({ botToken: "bot" });
  onTestFinished(() => fake.close());
  clock = new FakeClock(NOW_MS);
  fake.guilds.set("10", {
    channels: [
      { id: "20", name: "ops", permission_overwrites: [] },
      { id: "21", name: "board", permission_overwrites: [{ id: "10", allow: "0", deny: SEEN }] },
    ],
    threads: [
      { id: "50", name: "outage", type: 11, parent_id: "20" },
      { id: "51", name: "whispered", type: 12, parent_id: "20" },
      { id: "52", name: "salaries", type: 11, parent_id: "21" },
    ],
    roles: [everyone("10"), { id: "77", name: "oncall", permissions: "0" }],
    members: {
      "31": { nick: "Bobby", user: { id: "31", username: "bob" } },
      "32": { nick: null, user: { id: "32", username: "cleo", global_name: "Cleo" } },
    },
  });
  fake.guilds.set("11", {
    channels: [
      { id: "40", name: "open", permission_overwrites: [{ id: "11", allow: SEEN, deny: "0" }] },
      { id: "41", name: "closed", permission_overwrites: [{ id: "99", allow: SEEN, deny: "0" }] },
    ],
    roles: [everyone("11", "0")],
    members: {},
  });
});

function reader(): NameReader {
  const rest = createRest({
    ...{ botToken: new Secret("bot"), apiUrl: fake.apiUrl },
    ...{ timeoutMs: 5_000, clock },
  });
  return createNames({ rest, clock, kept: undefined });
}
const told = async (names: NameReader, tenant: string, ...wanted: Mention[]) =>
  Object.fromEntries((await names.read(tenant, wanted, never)).names);
const asked = () => fake.calls.map(({ path }) => path.replace("/api/v10/guilds/", ""));

describe("names on Discord", () => {
  it("are those of the server: people as they are called there, roles, and channels", async () => {
    const wanted = [person("31"), person("32"), role("77"), channel("20")];
    expect(await told(reader(), "10", ...wanted)).toEqual({
      ...{ "person:31": "Bobby", "person:32": "Cleo", "group:77": "oncall", "channel:20": "ops" },
    });
  });

  it("are not told of a channel that not everyone in the server may see", async () => {
    expect(await told(reader(), "10", channel("20"), channel("21"))).toEqual({ "channel:20": "ops" });
    expect(await told(reader(), "11", channel("40"), channel("41"))).toEqual({ "channel:40": "open" });
  });

  it("are those of threads, too, but for private ones and those of such a channel", async () => {
    const wanted = ["50", "51", "52"].map(channel);
    expect(await told(reader(), "10", ...wanted)).toEqual({ "channel:50": "outage" });
  });

  it("are not told of anything of another server, nor in private", async () => {
    const wanted = [person("31"), role("77"), channel("20")];
    expect(await told(reader(), "11", ...wanted)).toEqual({});
    expect(await told(reader(), "dm", ...wanted)).toEqual({});
    expect(asked().filter((path) => !path.startsWith("11/"))).toEqual([]);
  });

  it("of a server are listed once in a while, whatever ids people make up", async () => {
    const names = reader();
    for (let id = 500; id < 530; id++) await told(names, "10", channel(String(id)), role(String(id)));
    expect(await told(names, "10", channel("20"))).toEqual({ "channel:20": "ops" });
    expect(asked().sort()).toEqual(["10/channels", "10/roles", "10/roles", "10/threads/active"]);
  });

  it("are not asked for again and again where the bot may not look, which Discord counts", async () => {
    const names = reader();
    for (let id = 500; id < 510; id++) await told(names, "12", person(String(id)), channel("20"));
    expect(asked()).toHaveLength(2);
    clock.advance(11 * 60_000);
    await told(names, "12", person("500"));
    expect(asked()).toHaveLength(3);
  });

  it("wait as long as Discord says, and a stranger is nobody", async () => {
    const names = reader();
    fake.refuse("/members/31", discordRateLimit(40));
    expect(await told(names, "10", person("31"))).toEqual({});
    expect(await told(names, "10", person("32"))).toEqual({});
    clock.advance(41_000);
    expect(await told(names, "10", person("33"), person("32"))).toEqual({ "person:32": "Cleo" });
  });
});
