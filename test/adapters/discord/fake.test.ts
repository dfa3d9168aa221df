import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FakeDiscord, fakeDiscord } from "../../fakes/discord.ts";

/** The fake is only worth something where it says no as Discord does. */
describe("the fake Discord", () => {
  /** An interaction of the first second of 2015, and a clock shortly after it. */
  const id = "1";
  let nowMs: number;
  let fake: FakeDiscord;
  beforeEach(async () => {
    nowMs = 1_420_070_400_000 + 2_999;
    fake = await fakeDiscord({ botToken: "t", nowMs: () => nowMs, channelOf: (token) => `of-${token}` });
  });
  afterEach(() => fake.close());

  async function call(method: string, path: string, options: { body?: object; bot?: boolean } = {}) {
    const response = await fetch(`${fake.apiUrl}/v10${path}`, {
      method,
      headers: { "user-agent": "DiscordBot (http://x, 1)", ...(options.bot && { authorization: "Bot t" }) },
      body: options.body === undefined ? null : JSON.stringify(options.body),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>,
    };
  }

  it("takes one answer to an interaction, and none after three seconds", async () => {
    const path = `/interactions/${id}/tok/callback`;
    expect((await call("POST", path, { body: { type: 5 } })).status).toBe(204);
    expect((await call("POST", path, { body: { type: 5 } })).body).toMatchObject({ code: 40_060 });
    nowMs += 2;
    const late = await call("POST", "/interactions/2/tok/callback", { body: { type: 5 } });
    expect(late).toMatchObject({ status: 404, body: { code: 10_062 } });
  });

  it("takes five follow-ups where only a person has installed the app, and edits after them", async () => {
    fake.personal.add("mine");
    const follow = (token: string) => call("POST", `/webhooks/900/${token}`, { body: { content: "more" } });
    for (let i = 0; i < 5; i++) expect((await follow("mine")).status).toBe(200);
    expect(await follow("mine")).toMatchObject({ status: 400, body: { code: 40_094 } });
    const edit = await call("PATCH", "/webhooks/900/mine/messages/@original", { body: { content: "edit" } });
    expect(edit.status).toBe(200);
    for (let i = 0; i < 7; i++) expect((await follow("anyone's")).status).toBe(200);
    expect(fake.messages).toHaveLength(5 + 1 + 7);
  });

  it("holds one deferred answer for each token, and shows it", async () => {
    const path = "/webhooks/900/tok/messages/@original";
    expect((await call("GET", path)).body).toMatchObject({ code: 10_008 });
    await call("PATCH", path, { body: { content: "a" } });
    await call("PATCH", path, { body: { content: "b" } });
    expect((await call("GET", path)).body).toMatchObject({ content: "b", channel_id: "of-tok" });
    expect(fake.messages).toHaveLength(1);
  });

  it("refuses what is empty or too long, counted in code points", async () => {
    const say = (content: string) => call("POST", "/webhooks/900/tok", { body: { content } });
    expect((await say("")).body).toMatchObject({ code: 50_006 });
    expect((await say("👍".repeat(2_000))).status).toBe(200);
    expect((await say("x".repeat(2_001))).body).toMatchObject({ code: 50_035 });
  });

  it("refuses embeds that are too many, too long or empty", async () => {
    const show = async (...embeds: object[]) =>
      (await call("POST", "/webhooks/900/tok", { body: { content: "", embeds } })).body;
    const field = (name: number, value: number) => ({ name: "n".repeat(name), value: "v".repeat(value) });
    const of = (...fields: object[]) => ({ fields });
    expect(await show({ title: "t".repeat(256), ...of(field(256, 1_024)) })).toMatchObject({
      embeds: [{ title: "t".repeat(256) }],
    });
    expect(await show(of(...Array(25).fill(field(1, 1))))).toMatchObject({ embeds: [{}] });
    expect(await show(...Array(10).fill({ description: "d" }))).toMatchObject({ embeds: Array(10).fill({}) });
    expect(await show()).toMatchObject({ code: 50_006 });
    for (const embeds of [
      [{ title: "t".repeat(257) }],
      [{ description: "d".repeat(4_097) }],
      [of(field(257, 1))],
      [of(field(1, 1_025))],
      [of({ name: "n", value: " " })],
      [of(...Array(26).fill(field(1, 1)))],
      [{}],
      Array(11).fill({ description: "d" }),
      Array(2).fill({ description: "d".repeat(3_001) }),
    ])
      expect(await show(...embeds)).toMatchObject({ code: 50_035 });
  });

  it("hides embeds with previews, and shows both where they are not hidden", async () => {
    const path = "/webhooks/900/tok/messages/@original";
    const content = "https://x.example/a <https://x.example/b> `https://x.example/c`";
    const edit = async (flags: number) =>
      (await call("PATCH", path, { body: { content, embeds: [{ title: "t" }], flags } })).body.embeds;
    expect(await edit(4)).toEqual([]);
    expect(fake.messages[0]).toMatchObject({ embeds: [], previews: [] });
    expect(await edit(0)).toEqual([{ title: "t" }]);
    expect(fake.messages[0]?.previews).toEqual(["https://x.example/a"]);
  });

  it("shows no embeds without Embed Links, and refuses a message that has nothing else", async () => {
    fake.noEmbeds.add("20");
    const say = (content: string) =>
      call("POST", "/channels/20/messages", { bot: true, body: { content, embeds: [{ title: "t" }] } });
    expect(await say("")).toMatchObject({ status: 403, body: { code: 50_013 } });
    expect(await say("a")).toMatchObject({ status: 200, body: { content: "a", embeds: [] } });
  });

  it("wants the bot's token where the bot speaks, and only there", async () => {
    expect((await call("GET", "/users/@me")).status).toBe(401);
    expect((await call("GET", "/users/@me", { bot: true })).body).toMatchObject({ id: "900" });
    expect((await call("GET", "/gateway/bot", { bot: true })).body).toMatchObject({ shards: 1 });
    await call("POST", "/channels/20/typing", { bot: true });
    expect(fake.typing).toEqual(["20"]);
    expect((await call("POST", "/webhooks/900/tok", { bot: true, body: { content: "x" } })).status).toBe(401);
  });

  it("says a nonce once, where that is asked for", async () => {
    const say = (body: object) => call("POST", "/channels/20/messages", { bot: true, body });
    const first = await say({ content: "a", nonce: "n", enforce_nonce: true });
    const again = await say({ content: "a", nonce: "n", enforce_nonce: true });
    expect(again.body.id).toBe(first.body.id);
    await say({ content: "a", nonce: "n" });
    expect(fake.messages).toHaveLength(2);
  });
});
