import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readAddress } from "../../../../adapters/discord/address.ts";
import { type FakeDiscord, fakeDiscord } from "../../../fakes/discord.ts";
import type { FakeGateway } from "../../../fakes/discord-gateway.ts";
import { FASTER, type HoldOptions, holdOn, Kept, TOKEN } from "./holding.ts";

let fake: FakeDiscord;
let gateway: FakeGateway;
let kept: Kept;
const running: { stop(): Promise<void> }[] = [];

async function open(options: { heartbeatMs?: number } = {}) {
  fake = await fakeDiscord({ botToken: TOKEN, identifyMs: 4_900 / FASTER, ...options });
  gateway = fake.gateway;
}

/** One process that is elected. */
function hold(over: HoldOptions = {}, mailbox: Kept = kept): { stop(): Promise<void> } {
  const one = holdOn(fake, mailbox, over);
  running.push(one);
  return one;
}

const heard = (...texts: string[]) =>
  kept.until(() => texts.every((text) => kept.texts.includes(text)), `to hear ${texts.join(", ")}`);
const isUp = (mailbox: Kept = kept) =>
  mailbox.until(() => mailbox.states.at(-1)?.status === "ok", "the connection to stand");

beforeEach(() => {
  kept = new Kept();
  return open();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
  await fake.close();
});

describe("what is heard over the Gateway", () => {
  it("is what names the bot, what replies to it, and what is said in private", async () => {
    hold();
    await isUp();
    gateway.say({ content: "<@900> one" });
    gateway.say({ content: "not for us" });
    gateway.say({ content: "two", guild: null, channel: "70" });
    await heard("one", "two");
    expect(kept.events.map(({ trigger, conversation }) => [trigger, conversation])).toEqual([
      ["mention", "discord:10:20"],
      ["direct", "discord:dm:70:30"],
    ]);
    expect(kept.states.at(-1)).toEqual({ status: "ok", details: "connected" });
    expect(kept.up.get(0)).toBe(true);
  });

  it("is answered with embeds where those are wanted", async () => {
    hold({ structured: "embeds" });
    await isUp();
    gateway.say({ content: "<@900> one" });
    await heard("one");
    expect(kept.events.map(({ replyTo }) => readAddress(replyTo)?.embeds)).toEqual([true]);
  });

  it("asks for no more than it needs", async () => {
    hold();
    await isUp();
    // Servers with their threads, messages there and in private, and what they say.
    expect(gateway.logins).toMatchObject([
      { kind: "identify", intents: 1 + 512 + 4096 + 32768, shard: [0, 1] },
    ]);
    expect(gateway.violations).toEqual([]);
  });

  it("is of the channel that a thread hangs on, also of a thread that nobody has told of", async () => {
    gateway.threads.set("51", "20");
    hold();
    await isUp();
    gateway.say({ content: "<@900> listed", channel: "51" });
    await heard("listed");
    gateway.threads.set("52", "21");
    gateway.say({ content: "<@900> new", channel: "52" });
    await heard("new");
    expect(kept.events.map(({ place, thread }) => [place, thread])).toEqual([
      ["20", "51"],
      ["21", "52"],
    ]);
  });

  it("is an interaction too, which gets its sign by a call", async () => {
    hold();
    await isUp();
    const interaction = {
      id: gateway.nextId(),
      application_id: "900",
      type: 2,
      token: "tok",
      guild_id: "10",
      channel_id: "20",
      member: { user: { id: "30", username: "ann" } },
      data: { id: "40", name: "ask", type: 1, options: [{ name: "task", type: 3, value: "by command" }] },
    };
    gateway.emit("INTERACTION_CREATE", interaction, "10");
    await heard("by command");
    const [call] = await fake.waitFor(({ path }) => path.endsWith("/tok/callback"));
    expect(JSON.parse(call?.body ?? "")).toEqual({ type: 5 });
  });

  it("counts when it is durable: what the store does not take is offered until it does", async () => {
    hold();
    await isUp();
    kept.isAway = true;
    gateway.say({ content: "<@900> one" });
    gateway.say({ content: "<@900> two" });
    gateway.say({ content: "three", guild: null, channel: "70" });
    kept.isAway = false;
    await heard("one", "two", "three");
    expect(kept.texts.filter((text) => text !== "three")).toEqual(["one", "two"]);
  });
});

describe("a connection that is lost", () => {
  it("is resumed where it was, also when it was cut in the middle of what is said", async () => {
    hold();
    await isUp();
    gateway.cutsAfter = 1;
    for (const text of ["one", "two", "three"]) gateway.say({ content: `<@900> ${text}` });
    await heard("one", "two", "three");
    expect(kept.texts).toEqual(["one", "two", "three"]);
    expect(gateway.logins.map(({ kind }) => kind)).toEqual(["identify", "resume"]);
    expect(kept.reasons).toEqual(["closed"]);
  });

  it("is left at the first heartbeat that nobody acknowledged, and resumed", async () => {
    await fake.close();
    await open({ heartbeatMs: 2_000 });
    hold();
    await isUp();
    gateway.isDead = true;
    await kept.until(() => kept.reasons.includes("zombie"), "it to be found dead");
    gateway.isDead = false;
    gateway.say({ content: "<@900> meanwhile" });
    await heard("meanwhile");
    expect(gateway.logins.at(-1)).toMatchObject({ kind: "resume", outcome: "resumed" });
  });

  it("is replaced when Discord asks for it, without ending the session", async () => {
    hold();
    await isUp();
    gateway.wantsReconnect();
    await gateway.until(() => gateway.logins.length === 2, "another login");
    gateway.say({ content: "<@900> after" });
    await heard("after");
    expect(gateway.closeCodes).toEqual([4_900]);
    expect(gateway.logins.at(-1)).toMatchObject({ kind: "resume", outcome: "resumed" });
  });

  it.each([4_007, 4_009])("that %i has ended begins anew, and what was missed is read back", async (code) => {
    hold();
    await isUp();
    gateway.say({ content: "<@900> before" });
    gateway.say({ content: "before in private", guild: null, channel: "70" });
    await heard("before", "before in private");
    gateway.forgetsSessions = true;
    gateway.close(code);
    gateway.say({ content: "<@900> missed" });
    gateway.say({ content: "missed in private", guild: null, channel: "70" });
    await heard("missed", "missed in private");
    expect(kept.texts.filter((text) => text === "before")).toHaveLength(1);
    await kept.until(() => kept.read >= 2, "both to be counted");
    expect(gateway.logins.map(({ kind }) => kind)).toEqual(["identify", "identify"]);
    expect(gateway.violations).toEqual([]);
  });

  it("with an invalid session reads back before it goes on, in order", async () => {
    hold();
    await isUp();
    gateway.say({ content: "<@900> before" });
    await heard("before");
    gateway.invalidate(false);
    gateway.say({ content: "<@900> missed" });
    await gateway.until(() => gateway.logins.at(-1)?.kind === "identify", "another session");
    await gateway.until(() => gateway.logins.length === 2 && gateway.holders === 1, "it to begin");
    gateway.say({ content: "<@900> after" });
    await heard("missed", "after");
    expect(kept.texts).toEqual(["before", "missed", "after"]);
  });
});

describe("the next holder", () => {
  it("resumes what the last one left, and hears what was said in between", async () => {
    const first = hold();
    await isUp();
    gateway.say({ content: "<@900> one" });
    await heard("one");
    await first.stop();
    // Neither 1000 nor 1001, which would end the session.
    await gateway.until(() => gateway.closeCodes.length === 1, "a goodbye");
    expect(gateway.closeCodes).toEqual([4_900]);
    gateway.say({ content: "<@900> between" });
    hold();
    await heard("between");
    expect(kept.texts).toEqual(["one", "between"]);
    expect(gateway.logins).toMatchObject([{ kind: "identify" }, { kind: "resume", outcome: "resumed" }]);
    expect(gateway.holdersMax).toBe(1);
  });

  it("is offered what its predecessor had heard and not stored", async () => {
    const first = hold();
    await isUp();
    kept.isAway = true;
    gateway.say({ content: "<@900> held" });
    await first.stop();
    kept.isAway = false;
    hold();
    await heard("held");
  });

  it("reads back what was missed when the session cannot be resumed", async () => {
    const first = hold();
    await isUp();
    gateway.say({ content: "<@900> one" });
    await heard("one");
    await first.stop();
    gateway.forgetsSessions = true;
    gateway.say({ content: "<@900> missed" });
    hold();
    await heard("missed");
    expect(gateway.logins[1]).toMatchObject({ kind: "resume", outcome: "invalid" });
    expect(gateway.logins.at(-1)).toMatchObject({ kind: "identify", outcome: "ready" });
  });
});

describe("a Gateway that refuses", () => {
  it("Message Content is asked once more without it, says what to do, and hears what names the bot", async () => {
    gateway.allowsContent = false;
    hold();
    await isUp();
    expect(gateway.logins.map(({ intents = 0 }) => (intents & 32_768) !== 0)).toEqual([true, false]);
    expect(kept.states.at(-1)?.details).toContain("switch on Message Content Intent");
    gateway.say({ content: "<@900> named" });
    gateway.say({ content: "in private", guild: null, channel: "70" });
    gateway.say({ content: "not named" });
    await heard("named", "in private");
    await kept.until(() => kept.ignored.length > 0, "the third to be ignored");
    expect(kept.ignored).toEqual(["no_content"]);
  });

  it("the token is told of, and asked again at growing intervals", async () => {
    gateway.refusesWith = 4_004;
    hold();
    await gateway.until(() => gateway.logins.length === 3, "three tries");
    expect(kept.states).toContainEqual({
      status: "failed",
      details: "4004 authentication failed: look at DISCORD_BOT_TOKEN",
    });
    gateway.refusesWith = null;
    await isUp();
    expect(gateway.violations).toEqual([]);
  });

  it("a token that the API does not take is told of", async () => {
    hold({ token: "OTAw.another.token" });
    await kept.until(() => kept.states.some(({ status }) => status === "failed"), "a failure");
    expect(kept.states.at(-1)?.details).toContain("look at DISCORD_BOT_TOKEN");
    expect(JSON.stringify(kept.states)).not.toContain("another");
  });

  it("further sessions today is waited out", async () => {
    gateway.remaining = 0;
    gateway.resetAfterMs = 10_000;
    hold();
    await kept.until(() => kept.states.some(({ status }) => status === "failed"), "a failure");
    expect(kept.states.at(-1)?.details).toContain("as many sessions as Discord takes in a day");
    expect(gateway.logins).toEqual([]);
    gateway.remaining = 5;
    await isUp();
  });

  it("too few shards gets as many as it wants", async () => {
    hold();
    await isUp();
    gateway.shards = 2;
    gateway.forgetsSessions = true;
    gateway.cut();
    await kept.until(() => kept.up.get(1) === true && kept.up.get(0) === true, "two shards");
    gateway.say({ content: "<@900> zero", guild: "10" });
    gateway.say({ content: "<@900> one", guild: String(1n << 22n) });
    await heard("zero", "one");
  });
});

describe("a message that is changed", () => {
  it("is withdrawn when it is deleted, unless it is to be kept", async () => {
    const first = hold();
    await isUp();
    const message = gateway.say({ content: "<@900> one" });
    await heard("one");
    gateway.emit("MESSAGE_DELETE", { id: message.id, channel_id: "20", guild_id: "10" }, "10");
    await kept.until(() => kept.withdrawn.length > 0, "a withdrawal");
    expect(kept.withdrawn).toEqual([`discord:900:message:${message.id}`]);
    await first.stop();
    hold({ deletes: "keep" });
    gateway.emit("MESSAGE_DELETE_BULK", { ids: [message.id], channel_id: "20", guild_id: "10" }, "10");
    await kept.until(() => kept.ignored.includes("message_deleted"), "it to be ignored");
    expect(kept.withdrawn).toHaveLength(1);
  });

  it("is answered anew when its words are edited, where that is wanted", async () => {
    hold({ edits: "rerun" });
    await isUp();
    const message = gateway.say({ content: "<@900> deploy api" });
    await heard("deploy api");
    const edited = (content: string, at: string | null) =>
      gateway.emit("MESSAGE_UPDATE", { ...message, content, edited_timestamp: at }, "10");
    // The preview of a link, and an edit that changes no word.
    edited("<@900> deploy api", null);
    edited("<@900> deploy api", new Date().toISOString());
    edited("<@900> deploy web", new Date(1_800_000_000_000).toISOString());
    await heard("deploy web");
    const original = `discord:900:message:${message.id}`;
    expect(kept.texts).toEqual(["deploy api", "deploy web"]);
    expect(kept.events[1]?.id).toBe(`${original}:edit:1800000000000`);
    expect(kept.withdrawn).toEqual([original]);
    edited("<@900> deploy both", new Date(1_800_000_001_000).toISOString());
    await heard("deploy both");
    expect(kept.withdrawn).toEqual([original, original, `${original}:edit:1800000000000`]);
  });

  it("is left as it was by default", async () => {
    hold();
    await isUp();
    const message = gateway.say({ content: "<@900> one" });
    await heard("one");
    const edited_timestamp = new Date().toISOString();
    gateway.emit("MESSAGE_UPDATE", { ...message, content: "<@900> two", edited_timestamp }, "10");
    await kept.until(() => kept.ignored.includes("edit"), "it to be ignored");
    expect(kept.texts).toEqual(["one"]);
  });
});
