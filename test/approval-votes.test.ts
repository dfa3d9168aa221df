import { beforeEach, describe, expect, it } from "vitest";
import type { TriggerEvent } from "../src/domain/event.ts";
import { type Asking, bob, openAsking } from "./support/asking.ts";

const ID = "apr_1_1";
const NOT_THEIRS = "You are not among those who may decide this.";
const carla = { id: "U3", name: "carla", isBot: false };
let asking: Asking;
beforeEach(async () => {
  asking = await openAsking();
  asking.slack.canEdit();
});

const deploy = () => asking.say('demo: tool deploy {"service":"api"}');
const answer = () => asking.read(() => asking.runOne());
const press = (button: string, sender: TriggerEvent["sender"] = bob, more: Partial<TriggerEvent> = {}) =>
  asking.press(`${button}:${ID}`, { sender, ...more });
const lastEdit = () => asking.slack.edits.at(-1)?.delivery.part as string | undefined;
const stateOf = async () => (await asking.store.journal.find("slack:1"))?.state;

describe("a question that several have to approve", () => {
  beforeEach(() => asking.ruledBy({ needs: 2 }));

  it("is approved by two, and says after the first that one more is needed", async () => {
    const [question] = await deploy();
    expect(question).toContain("2 people have to approve.");
    expect(await press("approve")).toEqual(["Approved; one more is needed."]);
    expect(await answer()).toEqual([]);
    expect(await stateOf()).toBe("parked");
    expect(lastEdit()).toContain("**Approved** by bob; one more is needed.");
    expect(lastEdit()).toContain(`[Approve](approve:${ID})`);
    expect(await press("approve", carla)).toEqual(["Approved."]);
    expect(await answer()).toEqual(['Tool deploy said: deployed {"service":"api"}']);
    expect(lastEdit()).toMatch(/\*\*Approved\*\* by bob and carla\.$/);
  });

  it("counts a person once, however often they press, before and after the run has heard of it", async () => {
    await deploy();
    await press("approve");
    expect(await press("approve")).toEqual(["You have approved it; one more is needed."]);
    await answer();
    expect(await press("approve")).toEqual(["You have approved it; one more is needed."]);
    expect(await stateOf()).toBe("parked");
  });

  it("counts a person once, whichever of their two names a press comes by", async () => {
    const names = ["4917100071", "DE.71"] as const;
    asking.ruledBy({ needs: 2, only: new Set(names.map((name) => `whatsapp:${name}`)) });
    asking.alsoOn("whatsapp");
    await deploy();
    const conversation = `whatsapp:WABA1:PN1:${names[0]}`;
    const there = {
      platform: "whatsapp",
      tenant: "WABA1",
      place: "PN1",
      conversation,
      isDirect: true,
    } as const;
    const [number, lasting] = names;
    await press("approve", { id: number, name: "dora", isBot: false }, there);
    const known = { id: lasting, alsoKnownAs: [number], name: "dora", isBot: false };
    await press("approve", known, there);
    await press("approve", { ...known, id: number, alsoKnownAs: [lasting] }, there);
    await answer();
    expect(await stateOf()).toBe("parked");
    expect((await asking.store.journal.find("slack:1"))?.progress?.steps).toEqual(
      expect.arrayContaining([expect.objectContaining({ kind: "tool-voted" })]),
    );
  });

  it("counts two who press before the run has heard of either", async () => {
    await deploy();
    await press("approve");
    expect(await press("approve", carla)).toEqual(["Approved."]);
    expect(await answer()).toEqual(['Tool deploy said: deployed {"service":"api"}']);
    const [approval] = (await asking.store.journal.find("slack:1"))?.progress?.approvals ?? [];
    expect(approval).toMatchObject({
      votes: [{ by: { id: "U2" } }],
      decided: { verdict: "approved", by: { id: "U3" } },
    });
  });

  it("is denied by one, also by somebody who has approved", async () => {
    await deploy();
    await press("approve");
    await answer();
    expect(await press("deny")).toEqual(["Denied."]);
    expect(await press("approve", carla)).toEqual(["It is decided already: denied by bob."]);
    expect(await answer()).toEqual(["Tool deploy said: denied by bob"]);
  });

  it("keeps those who have approved over the death of whoever has noted them", async () => {
    await deploy();
    await press("approve");
    const job = await asking.claim();
    if (job.progress === null) throw new Error("Expected what the run has recorded");
    const voted = { kind: "tool-voted", approvalId: ID, by: { id: "U2", name: "bob" } } as const;
    await asking.store.queue.checkpoint(job, { ...job.progress, steps: [...job.progress.steps, voted] });
    asking.clock.advance(asking.leaseMs);
    await answer();
    expect(await stateOf()).toBe("parked");
    expect(await press("approve", carla)).toEqual(["Approved."]);
    expect(await answer()).toHaveLength(1);
  });

  it("is over in time with one of two", async () => {
    await deploy();
    await press("approve");
    await answer();
    asking.clock.advance(300_000);
    expect((await answer()).at(-1)).toBe("Tool deploy said: no decision in time");
  });
});

describe("who may decide", () => {
  const role = new Set(["slack:role:T1:77"]);
  it.each<[string, ReadonlySet<string>, Partial<TriggerEvent>, boolean]>([
    ["somebody with the role", role, { sender: { ...bob, roles: ["5", "77"] } }, true],
    ["somebody with another role", role, { sender: { ...bob, roles: ["5"] } }, false],
    ["somebody whose id is that of the role", role, { sender: { ...bob, id: "77" } }, false],
  ])("%s", async (_, only, by, may) => {
    asking.ruledBy({ only });
    await deploy();
    expect(await press("approve", bob, by)).toEqual([may ? "Approved." : NOT_THEIRS]);
  });
});

describe("a press that comes from another conversation than the question", () => {
  const thread = { conversation: "slack:T1:C1:7" };
  const elsewhere = { conversation: "slack:T1:C2", place: "C2" };
  const abroad = { platform: "telegram", tenant: "9", place: "5", conversation: "telegram:9:5" } as const;

  it("decides it where it is of the same place, as on the answer to a command that all see", async () => {
    await deploy();
    expect(await press("approve", bob, thread)).toEqual(["Approved."]);
    expect(await answer()).toEqual(['Tool deploy said: deployed {"service":"api"}']);
    expect(await press("deny", carla, thread)).toEqual([expect.stringContaining("does not wait")]);
  });

  it("is no use to whoever is somewhere else, unless they are named", async () => {
    await deploy();
    expect(await press("approve", bob, elsewhere)).toEqual([expect.stringContaining("does not wait")]);
    asking.ruledBy({ only: new Set(["slack:T1:U2"]) });
    expect(await press("approve", bob, elsewhere)).toEqual(["Approved."]);
    expect(await answer()).toEqual(['Tool deploy said: deployed {"service":"api"}']);
  });

  it("may come from another platform, of somebody who is named there", async () => {
    const telegram = asking.alsoOn("telegram");
    await deploy();
    expect(await press("approve", bob, abroad)).toEqual([]);
    expect(telegram.said).toEqual([expect.stringContaining("does not wait")]);
    asking.ruledBy({ only: new Set(["telegram:U2"]) });
    await press("approve", bob, { ...abroad, sender: { ...bob, name: "bob there" } });
    expect(telegram.said.slice(1)).toEqual(["Approved."]);
    await answer();
    expect(lastEdit()).toMatch(/\*\*Approved\*\* by bob there\.$/);
    const [approval] = (await asking.store.journal.find("slack:1"))?.progress?.approvals ?? [];
    expect(approval?.decided?.by).toEqual({ id: "U2", name: "bob there", from: "telegram:9" });
  });

  it("finds nothing once the run has ended without a decision", async () => {
    await deploy();
    await asking.store.lanes.signal("slack:T1:C1", { kind: "stop", by: bob });
    await answer();
    expect(await press("approve", bob, thread)).toEqual([expect.stringContaining("does not wait")]);
  });
});
