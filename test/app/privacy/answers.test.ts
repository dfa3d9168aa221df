import { expect, it } from "vitest";
import { createPrivacy } from "../../../src/app/privacy/index.ts";
import { createAnswers } from "../../../src/store/answers.ts";
import { openAdmin } from "../../support/admin.ts";

it("with a person go all answers of the workspace that might be given again, and those of no other", async () => {
  const { store, clock } = await openAdmin();
  const answers = createAnswers(store.vault, clock);
  const places = ["slack:T1:D1", "slack:T1:C1:17.1", "slack:T2:C1", "telegram:T1:1"];
  for (const conversation of places)
    await answers.keep({ conversation, eventId: "slack:1" }, "d", { text: "secret", model: "m/n" }, 60_000);
  const privacy = createPrivacy({
    ...{ store, clock, writeNotes: async () => {}, tellAll: async () => {} },
    media: { find: async () => null, forget: async () => {} },
  });
  const { signal } = new AbortController();
  const person = { platform: "slack", tenant: "T1", id: "U1" };
  await privacy.erase(person, { isDry: true, signal });
  const left = async () => {
    const found = await Promise.all(places.map((place) => answers.find(place, "d")));
    return found.map((one) => one !== null);
  };
  expect(await left()).toEqual([true, true, true, true]);
  await privacy.erase(person, { isDry: false, signal });
  expect(await left()).toEqual([false, false, true, true]);
});
