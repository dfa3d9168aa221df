import { beforeEach, describe, expect, it } from "vitest";
import { createGrants } from "../src/store/grants.ts";
import { type Asking, bob, openAsking } from "./support/asking.ts";

const HOUR_MS = 3_600_000;
const carla = { id: "U3", name: "carla", isBot: false };
let asking: Asking;
beforeEach(async () => {
  asking = await openAsking({ rememberMs: HOUR_MS });
  asking.slack.canEdit();
});

const deploy = (conversation = "slack:T1:C1") =>
  asking.say('demo: tool deploy {"service":"api"}', { conversation });
const answer = () => asking.read(() => asking.runOne());
const DEPLOYED = 'Tool deploy said: deployed {"service":"api"}';
const always = (sender = bob) => asking.press("always:apr_1_1", { sender });

describe("an approval for the calls to come", () => {
  it("is offered, and lets the tool be used in that conversation without asking until then", async () => {
    const [question] = await deploy();
    expect(question).toContain("[Always here](always:apr_1_1)");
    expect(question).toContain(
      "`/approve apr_1_1 always` lets me use it here without asking for 60 minutes.",
    );
    expect(await always()).toEqual([expect.stringMatching(/^Approved, and always here;/)]);
    expect(await answer()).toEqual([DEPLOYED]);
    expect(asking.slack.edits.at(-1)?.delivery.part).toMatch(/\*\*Approved\*\* by bob, and always here\.$/);
    expect(await deploy()).toEqual([DEPLOYED]);
    const until = new Date(asking.clock.nowMs() + HOUR_MS).toISOString();
    expect(await asking.say("!status")).toEqual([
      expect.stringContaining(`\`deploy\` of \`assistant\` needs no approval here until ${until}.`),
    ]);
    asking.clock.advance(HOUR_MS);
    expect(await deploy()).toEqual([expect.stringContaining("May I use")]);
  });

  it("holds in no other conversation", async () => {
    await deploy();
    await always();
    await answer();
    expect(await deploy("slack:T1:C2")).toEqual([expect.stringContaining("May I use")]);
  });

  it("is said by command as well, and ends with /reset", async () => {
    await deploy();
    expect(await asking.say("!approve apr_1_1 always", { sender: bob })).toEqual([
      expect.stringMatching(/^Approved, and always here;/),
    ]);
    await answer();
    const grants = createGrants(asking.store.vault);
    expect(await grants.list("slack:T1:C1", asking.clock.nowMs())).toHaveLength(1);
    await asking.deps.control.grants?.revoke("slack:T1:C1");
    expect(await deploy()).toEqual([expect.stringContaining("May I use")]);
  });

  it("is not for whoever asked, and not of one call alone", async () => {
    await deploy();
    expect(await asking.press("always:apr_1_1")).toEqual(["You are not among those who may decide this."]);
    expect(await asking.press("approve:apr_1_1", { sender: bob })).toEqual(["Approved."]);
    await answer();
    expect(await deploy()).toEqual([expect.stringContaining("May I use")]);
  });

  it("ends when the configuration offers it no more", async () => {
    await deploy();
    await always();
    await answer();
    asking.ruledBy({ rememberMs: 0 });
    expect(await deploy()).toEqual([expect.stringContaining("May I use")]);
  });

  it("needs all who have to approve to say so", async () => {
    asking.ruledBy({ rememberMs: HOUR_MS, needs: 2 });
    await deploy();
    await always();
    await answer();
    expect(await asking.press("approve:apr_1_1", { sender: carla })).toEqual(["Approved."]);
    expect(await answer()).toEqual([DEPLOYED]);
    expect(await deploy()).toEqual([expect.stringContaining("May I use")]);
  });

  it("is no more than an approval where it is not offered", async () => {
    asking.ruledBy({});
    const [question] = await deploy();
    expect(question).not.toContain("Always here");
    expect(await always()).toEqual(["Approved."]);
    expect(await answer()).toEqual([DEPLOYED]);
    expect(await deploy()).toEqual([expect.stringContaining("May I use")]);
  });
});

it("a grant is deleted when its time is over, and no other", async () => {
  const grants = createGrants(asking.store.vault);
  const tool = { conversation: "slack:T1:C1/ä", agent: "a", tool: "mcp__x" };
  await grants.allow(tool, { untilMs: 10, by: { id: "U2", name: "bob" } });
  await grants.allow({ ...tool, tool: "y" }, { untilMs: 20, by: { id: "U2", name: "bob" } });
  expect(await grants.forget(10)).toBe(1);
  expect(await grants.find(tool, 0)).toBeNull();
  expect(await grants.list(tool.conversation, 0)).toEqual([
    { agent: "a", tool: "y", untilMs: 20, by: { id: "U2", name: "bob" } },
  ]);
});
