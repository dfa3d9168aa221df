import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Pauses } from "../../../../adapters/discord/gateway/pauses.ts";
import { discordRateLimit, type FakeDiscord, fakeDiscord } from "../../../fakes/discord.ts";
import type { FakeGateway } from "../../../fakes/discord-gateway.ts";
import { FakeClock } from "../../../support/clock.ts";
import { FASTER, holdOn, Kept, TOKEN } from "./holding.ts";

let fake: FakeDiscord;
let gateway: FakeGateway;
let kept: Kept;
const running: { stop(): Promise<void> }[] = [];

function hold(mailbox: Kept = kept) {
  const one = holdOn(fake, mailbox);
  running.push(one);
  return one;
}

const isUp = (mailbox: Kept = kept) =>
  mailbox.until(() => mailbox.states.at(-1)?.status === "ok", "the connection to stand");
const heard = (...texts: string[]) =>
  kept.until(() => texts.every((text) => kept.texts.includes(text)), `to hear ${texts.join(", ")}`);
const bySequence = () => gateway.logins.map(({ kind, outcome }) => [kind, outcome]);

beforeEach(async () => {
  kept = new Kept();
  fake = await fakeDiscord({ botToken: TOKEN, identifyMs: 4_900 / FASTER });
  gateway = fake.gateway;
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((one) => one.stop()));
  await fake.close();
});

describe("a Gateway that does not take a connection", () => {
  it("because it says nothing is left after ten seconds, and tried again", async () => {
    gateway.isDead = true;
    hold();
    await kept.until(() => kept.reasons.length === 2, "two tries");
    expect(kept.reasons).toEqual(["silent", "silent"]);
    expect(kept.states).toContainEqual({ status: "connecting", details: "no answer from the Gateway" });
    expect(gateway.logins).toEqual([]);
    gateway.isDead = false;
    await isUp();
  });

  it("because it does not answer to a session is left, and asked for another in its turn", async () => {
    gateway.isMute = true;
    hold();
    await kept.until(() => kept.reasons.includes("silent"), "it to be given up");
    gateway.isMute = false;
    await isUp();
    expect(bySequence()).toEqual([
      ["identify", 0],
      ["identify", "ready"],
    ]);
    expect(gateway.violations).toEqual([]);
  });

  it.each([401, 403, 429, 500, 503])(
    "but answers %i is told of, and asked again after growing pauses",
    async (status) => {
      gateway.refusesUpgradeWith = status;
      hold();
      await gateway.until(() => gateway.refusals.length === 3, "three tries");
      expect(kept.states).toContainEqual({
        status: "connecting",
        details: `could not connect (HTTP ${status})`,
      });
      expect(kept.slept.slice(0, 2)).toEqual([1_000, 2_000]);

      gateway.refusesUpgradeWith = null;
      await isUp();
      expect(kept.reasons).toEqual(["unreachable", "unreachable", "unreachable"]);
      // Nothing that came to nothing has cost a session.
      expect(gateway.logins).toHaveLength(1);
    },
  );

  it("and whose address is limited is asked again when Discord said, and no sooner", async () => {
    fake.refuse("/gateway/bot", discordRateLimit(10));
    hold();
    const [first, second] = await fake.waitFor(({ path }) => path.endsWith("/gateway/bot"), 2);
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(10_000 / FASTER - 5);
    await isUp();
  });

  it.each([4_010, 4_012, 4_013])(
    "but closes it with %i is told of by its word, and tried again at growing intervals",
    async (code) => {
      gateway.refusesWith = code;
      hold();
      await gateway.until(() => gateway.logins.length === 3, "three tries");
      expect(kept.states).toContainEqual({ status: "failed", details: expect.stringMatching(`^${code} `) });
      expect(kept.slept.filter((ms) => [1_000, 2_000].includes(ms))).toEqual([1_000, 2_000]);

      gateway.refusesWith = null;
      await isUp();
      expect(gateway.violations).toEqual([]);
    },
  );
});

describe("a session", () => {
  it("that is invalid and may be resumed is resumed, with what was said meanwhile", async () => {
    hold();
    await isUp();
    gateway.invalidate(true);
    gateway.say({ content: "<@900> meanwhile" });
    await heard("meanwhile");
    expect(bySequence()).toEqual([
      ["identify", "ready"],
      ["resume", "resumed"],
    ]);
    expect(kept.reasons).toEqual(["invalid_session"]);
    expect(gateway.closeCodes).toEqual([4_900]);
  });

  it.each([
    ["asked to be left", () => gateway.wantsReconnect()],
    ["cut", () => gateway.cut()],
    ["closed with 4000", () => gateway.close(4_000)],
    ["closed with 4008", () => gateway.close(4_008)],
  ])(
    "that is %s while an event is being stored is resumed before that event, which counts once",
    async (_, end) => {
      hold();
      await isUp();
      gateway.say({ content: "<@900> stored" });
      await heard("stored");
      kept.isAway = true;
      gateway.say({ content: "<@900> in hand" });
      await kept.until(() => kept.refused > 0, "the store to be asked");
      end();
      await gateway.until(() => gateway.logins.at(-1)?.outcome === "resumed", "it to be resumed");
      // READY, GUILD_CREATE and what was stored.
      expect(gateway.logins.at(-1)?.seq).toBe(3);
      kept.isAway = false;
      gateway.say({ content: "<@900> after" });
      await heard("in hand", "after");
      expect(kept.texts).toEqual(["stored", "in hand", "after"]);
    },
  );

  it("of which five hundred events wait to be stored is left with Discord, and resumed when they are", async () => {
    hold();
    await isUp();
    kept.isAway = true;
    const texts = Array.from({ length: 700 }, (_, n) => `m${n}`);
    for (const [n, text] of texts.entries())
      gateway.say({ content: `<@900> ${text}`, channel: String(1_000 + n) });
    await kept.until(() => kept.reasons.includes("store_full"), "it to be left");
    expect(kept.asked.size).toBe(500);
    expect(kept.states.at(-1)).toEqual({
      status: "connecting",
      details: "waits until the store takes what has come",
    });
    expect(gateway.logins).toHaveLength(1);
    kept.isAway = false;
    await heard(...texts);
    expect([...kept.texts].sort()).toEqual([...texts].sort());
    expect(new Set(bySequence().slice(1).flat())).toEqual(new Set(["resume", "resumed"]));
    expect(new Set(gateway.closeCodes)).toEqual(new Set([4_900]));
  });

  it("that two hold at once is fought over with growing pauses, and loses nothing", async () => {
    const first = hold();
    await isUp();
    await kept.until(() => kept.notes.has("session.0"), "the session to be noted");
    const other = new Kept();
    for (const [name, value] of kept.notes) other.notes.set(name, value);
    hold(other);
    await isUp(other);
    const texts = Array.from({ length: 20 }, (_, n) => `m${n}`);
    for (const text of texts) gateway.say({ content: `<@900> ${text}` });
    const both = () => new Set([...kept.texts, ...other.texts]);
    await Promise.race([
      kept.until(() => both().size === texts.length, "all to be heard"),
      other.until(() => both().size === texts.length, "all to be heard"),
    ]);
    await first.stop();
    gateway.say({ content: "<@900> alone" });
    await other.until(() => other.texts.includes("alone"), "the other to have it");
    // In the time of a fight that nobody ends: one try each is free, each after that costs more.
    expect(gateway.logins.length).toBeLessThanOrEqual(10);
    expect(gateway.logins.filter(({ kind }) => kind === "identify")).toHaveLength(1);
  });
});

describe("the pause before a connection", () => {
  it("is as long as Discord asks for, where that is longer", async () => {
    const clock = new FakeClock();
    const pauses = new Pauses(clock, () => 0.5);
    const wait = async () => {
      const waited = pauses.wait(new AbortController().signal);
      const untilMs = clock.nextWakeMs ?? clock.nowMs();
      const ms = untilMs - clock.nowMs();
      clock.advance(ms);
      await waited;
      return ms;
    };
    pauses.failed(90_000);
    expect(await wait()).toBe(90_000);
    pauses.failed(500);
    expect(await wait()).toBe(2_000);
  });
});
