import { beforeEach, expect, it } from "vitest";
import type { Deed } from "../src/domain/audit.ts";
import { type Asking, bob, openAsking } from "./support/asking.ts";

const ID = "apr_1_1";
const carla = { id: "U3", name: "carla", isBot: false };
let asking: Asking;
let deeds: Omit<Deed, "atMs">[];
beforeEach(async () => {
  asking = await openAsking();
  asking.slack.canEdit();
  deeds = [];
  const audit = { write: async (deed: Omit<Deed, "atMs">) => void deeds.push(deed) };
  asking.deps = { ...asking.deps, control: { ...asking.deps.control, audit } };
  asking.ruledBy({ needs: 2 });
  await asking.say('demo: tool deploy {"service":"api"}');
});

const press = (button: string, sender = bob) => asking.press(`${button}:${ID}`, { sender });
const told = () => deeds.map(({ actor, after }) => [actor, after]);

it("has each word of a person that counts, and neither their reasons nor what came too late", async () => {
  await press("approve");
  await press("approve");
  await press("approve", carla);
  await press("deny");
  expect(deeds[0]).toMatchObject({ role: "member", action: "approval.decided", subject: ID });
  expect(told()).toEqual([
    ["slack:T1:U2", expect.objectContaining({ verdict: "approved", state: "waiting", needed: 1 })],
    ["slack:T1:U3", expect.objectContaining({ verdict: "approved", state: "approved", needed: 0 })],
  ]);
});

it("has who denied it, without the words", async () => {
  await asking.say(`!deny ${ID} it is Friday`, { sender: bob });
  expect(told()).toEqual([["slack:T1:U2", expect.objectContaining({ verdict: "denied", state: "denied" })]]);
  expect(JSON.stringify(deeds)).not.toContain("Friday");
});
