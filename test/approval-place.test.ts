import { beforeEach, describe, expect, it } from "vitest";
import { DeliveryError } from "../src/domain/errors.ts";
import type { ReplyAddress, TriggerEvent } from "../src/domain/event.ts";
import type { ApprovalPlace } from "../src/domain/run.ts";
import type { FakeAdapter } from "./support/adapter.ts";
import { failing } from "./support/adapter.ts";
import { APPROVAL_MS, type Asking, bob, openAsking } from "./support/asking.ts";
import { A_STOP, anEvent } from "./support/event.ts";
import { LEASE_MS } from "./support/store.ts";

const ID = "apr_1_1";
const PLACE: ApprovalPlace = { platform: "telegram", tenant: null, channel: "-100", thread: null };
const THERE = {
  ...{ platform: "telegram", tenant: "77", place: "-100", conversation: "telegram:77:-100" },
  ...{ sender: { id: "9001", name: "Olga", isBot: false } },
} as const satisfies Partial<TriggerEvent>;

let asking: Asking;
let telegram: FakeAdapter;

beforeEach(async () => {
  asking = await openAsking({ place: PLACE });
  asking.slack.canEdit();
  telegram = asking.alsoOn("telegram").canEdit();
  telegram.addressOf = (place) => JSON.stringify(place) as ReplyAddress;
});

const deploy = () => asking.say('demo: tool deploy {"service":"secret-api"}');
const answer = () => asking.read(() => asking.runOne());
const pressThere = (button: string, more: Partial<TriggerEvent> = {}) =>
  asking.press(`${button}:${ID}`, { ...THERE, ...more });
const stateOf = async () => (await asking.store.journal.find("slack:1"))?.state;
const editsOf = (adapter: FakeAdapter) => adapter.edits.map(({ delivery }) => String(delivery.part));

describe("a question that is asked in a place of its own", () => {
  it("stands there with all that it takes to decide; the conversation hears that it waits", async () => {
    const [told, ...more] = await deploy();
    expect(more).toEqual([]);
    expect(told).toContain("`deploy` needs an approval");
    expect(told).toContain(`I have asked for it in another place (\`${ID}\`)`);
    expect(told).not.toContain("secret-api");
    expect(told).not.toContain("[Approve]");
    const [question, ...others] = telegram.said;
    expect(others).toEqual([]);
    expect(question).toContain('"service": "secret-api"');
    expect(question).toContain("For **ann** (`slack:T1:U1`), who has written in `C1` on slack:");
    expect(question).toContain(`[Approve](approve:${ID})`);
    const [{ to, partId }] = telegram.sends as [(typeof telegram.sends)[number]];
    expect(JSON.parse(to)).toMatchObject({ channel: "-100", thread: null, eventId: "slack:1" });
    expect(partId).toBe("slack:1/there/ask/1/0");
    expect(await stateOf()).toBe("parked");
  });

  it("is decided there, and says in both places who has decided what", async () => {
    await deploy();
    await pressThere("approve");
    expect(telegram.said.at(-1)).toBe("Approved.");
    expect(await answer()).toEqual(['Tool deploy said: deployed {"service":"secret-api"}']);
    expect(editsOf(telegram)).toEqual([
      expect.stringMatching(/secret-api[\s\S]*\*\*Approved\*\* by Olga\.$/),
    ]);
    expect(editsOf(telegram)[0]).not.toContain("[Approve]");
    expect(editsOf(asking.slack)).toEqual([
      "`deploy` needs an approval. It changes something. **Approved** by Olga.",
    ]);
  });

  it("shows there who has approved while others have to as well", async () => {
    asking.ruledBy({ place: PLACE, needs: 2 });
    await deploy();
    await pressThere("approve");
    expect(await answer()).toEqual([]);
    expect(editsOf(telegram).at(-1)).toMatch(/\*\*Approved\*\* by Olga; one more is needed\.[\s\S]*\[Deny\]/);
    await pressThere("approve", { sender: { id: "9002", name: "Pia", isBot: false } });
    expect(await answer()).toHaveLength(1);
  });

  it.each<[string, Partial<TriggerEvent>, boolean]>([
    ["whoever is there", {}, true],
    ["a bot there", { sender: { ...THERE.sender, isBot: true } }, false],
    ["somebody in another chat", { place: "-200", conversation: "telegram:77:-200" }, false],
    [
      "somebody in the conversation",
      { platform: "slack", tenant: "T1", place: "C1", conversation: "slack:T1:C1", sender: bob },
      false,
    ],
    [
      "a place of that name on another platform",
      { platform: "discord", tenant: "77", conversation: "discord:77:-100" },
      false,
    ],
  ])("may be decided by %s: %o", async (_, by, decides) => {
    asking.alsoOn("discord");
    await deploy();
    await pressThere("approve", by);
    expect(await stateOf()).toBe(decides ? "queued" : "parked");
  });

  it("may be decided from anywhere by those who are named, and by nobody else there", async () => {
    asking.ruledBy({ place: PLACE, only: new Set(["slack:T1:U2"]) });
    await deploy();
    await pressThere("approve");
    expect(telegram.said.at(-1)).toContain("does not wait for a decision here");
    expect(await stateOf()).toBe("parked");
    expect(await asking.say(`!approve ${ID}`, { sender: bob })).toEqual(["Approved."]);
  });

  it("is that of its tool, where the tool has one of its own, and so are those who decide", async () => {
    const tools = new Map([["deploy", { place: null, only: new Set(["slack:T1:U2"]) }]]);
    asking.ruledBy({ place: PLACE, tools });
    expect((await deploy())[0]).toContain(`[Approve](approve:${ID})`);
    expect(telegram.said).toEqual([]);
    const carla = { id: "U3", name: "carla", isBot: false };
    expect(await asking.press(`approve:${ID}`, { sender: carla })).toEqual([
      "You are not among those who may decide this.",
    ]);
    expect(await asking.press(`approve:${ID}`, { sender: bob })).toEqual(["Approved."]);
  });

  it("is not decided by whoever asked, also where they are in that place", async () => {
    const place: ApprovalPlace = { platform: "slack", tenant: null, channel: "C9", thread: null };
    asking.ruledBy({ place });
    asking.slack.addressOf = (where) => JSON.stringify(where) as ReplyAddress;
    await deploy();
    const there = { place: "C9", conversation: "slack:T1:C9" };
    await asking.press(`approve:${ID}`, there);
    expect(await stateOf()).toBe("parked");
    await asking.press(`approve:${ID}`, { ...there, tenant: "T2", sender: bob });
    expect(await stateOf()).toBe("parked");
    await asking.press(`approve:${ID}`, { ...there, sender: bob });
    expect(await stateOf()).toBe("queued");
  });

  it("tells whoever is second, and whoever is late, that it is decided", async () => {
    await deploy();
    await pressThere("deny");
    const late = { sender: { id: "9002", name: "Pia", isBot: false } };
    await pressThere("approve", late);
    expect(telegram.said.at(-1)).toBe("It is decided already: denied by Olga.");
    expect(await answer()).toEqual(["Tool deploy said: denied by Olga"]);
    await pressThere("approve", late);
    expect(telegram.said.at(-1)).toContain("does not wait");
  });

  it("goes in both places when nobody decides in time, and when its run is stopped", async () => {
    await deploy();
    asking.clock.advance(APPROVAL_MS);
    expect(await answer()).toEqual([
      "Nobody decided in time, so I do not do it.",
      "Tool deploy said: no decision in time",
    ]);
    expect(editsOf(telegram).at(-1)).toMatch(/Nobody decided in time[^\n]*$/);
    expect(editsOf(asking.slack).at(-1)).toMatch(/Nobody decided in time[^\n]*$/);
    await deploy();
    await asking.store.lanes.signal(anEvent().conversation, A_STOP);
    expect(await answer()).toEqual(["Stopped."]);
    expect(editsOf(telegram).at(-1)).toMatch(/Stopped\.$/);
    expect(editsOf(asking.slack).at(-1)).toMatch(/Stopped\.$/);
  });

  it("is asked once, also when whoever asked there has died before the conversation heard of it", async () => {
    asking.slack.fates.push(() => new Promise(() => {}));
    void deploy();
    await expect.poll(() => asking.slack.sends.length).toBe(1);
    asking.clock.advance(LEASE_MS);
    await asking.runOne();
    expect(telegram.said).toHaveLength(1);
    expect(await stateOf()).toBe("parked");
    expect(asking.slack.said).toEqual([
      expect.stringContaining("I have asked for it"),
      expect.stringMatching(/^\(again\?\) .*I have asked for it/),
    ]);
  });

  it("has its long arguments there, and none of them in the conversation", async () => {
    // Of words: a row of one letter may be a secret of another test in this process, which is said nowhere.
    const told = await asking.say(`demo: tool deploy {"service":"${"every word of it ".repeat(180)}"}`);
    expect(told.join()).not.toContain("every word");
    expect(telegram.said).toHaveLength(2);
    expect(telegram.said[0]).toContain("every word");
  });

  it("is asked in a direct message, too, where nobody else could decide", async () => {
    const direct = { isDirect: true, place: "D1", conversation: "slack:T1:D1" };
    await asking.say('demo: tool deploy {"service":"api"}', direct);
    expect(telegram.said[0]).toContain("who has written in a direct message on slack");
    expect(await stateOf()).toBe("parked");
  });
});

describe("a place that cannot be reached", () => {
  const REFUSED =
    "This needs an approval that is given in another place, and I cannot ask there, so I do not do it. The operator can see why.";

  it.each<[string, () => void]>([
    ["is not configured", () => asking.ruledBy({ place: { ...PLACE, platform: "discord" } })],
    ["is no place of that platform", () => void Object.assign(telegram, { addressOf: () => null })],
    ["is refused", () => void telegram.fates.push(failing(new DeliveryError("rejected", "chat not found")))],
    ["has other credentials", () => void telegram.fates.push(failing(new DeliveryError("refused", "401")))],
  ])("for good, because it %s, ends the wait at once, and both hear why", async (_, breaks) => {
    breaks();
    expect(await deploy()).toEqual([REFUSED, "Tool deploy said: no decision in time"]);
    expect(await stateOf()).toBe("done");
    const { progress } = (await asking.store.journal.find("slack:1")) ?? {};
    expect(progress?.approvals).toMatchObject([{ decided: { verdict: "expired", unasked: true } }]);
  });

  it("for now is tried again, and costs no attempt; the conversation hears so once", async () => {
    const busy = new DeliveryError("retry", "busy", { status: 503 });
    telegram.fates.push(failing(busy), failing(busy));
    expect(await deploy()).toEqual([expect.stringContaining("which I cannot reach at the moment")]);
    expect(await asking.store.journal.find("slack:1")).toMatchObject({ state: "parked", attempt: 0 });
    asking.clock.advance(10_000);
    expect(await answer()).toEqual([]);
    asking.clock.advance(10_000);
    expect(await answer()).toEqual([expect.stringContaining("I have asked for it in another place")]);
    await pressThere("approve");
    expect(await answer()).toEqual(['Tool deploy said: deployed {"service":"secret-api"}']);
  });

  it("until the time is over is as one where nobody decides", async () => {
    asking.ruledBy({ place: PLACE, expiresMs: 15_000 });
    const busy = new DeliveryError("retry", "busy", { status: 503 });
    telegram.fates.push(failing(busy), failing(busy));
    await deploy();
    asking.clock.advance(10_000);
    expect(await answer()).toEqual([]);
    asking.clock.advance(5_000);
    expect(await answer()).toEqual([
      "Nobody decided in time, so I do not do it.",
      "Tool deploy said: no decision in time",
    ]);
  });
});
