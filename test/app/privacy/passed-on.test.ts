import { expect, it } from "vitest";
import { createAcquaintances } from "../../../src/admit/people.ts";
import { createPrivacy } from "../../../src/app/privacy/index.ts";
import type { Exported } from "../../../src/ports/privacy.ts";
import { type Admin, openAdmin } from "../../support/admin.ts";
import { anEvent } from "../../support/event.ts";

const NUMBER = "447700900123";
const nameOf = (id: string) => ({ id, conversation: `whatsapp:W1:PN1:${id}` });
const HOUR_MS = 3_600_000;
const OF_ANN = ["a number alone, of ann", "both names, of ann", "the number again, of ann"];
const OF_BEA = ["both names, of bea", "the number again, of bea", "the lasting name, of bea"];

/** As the gateway takes and answers it: first who it is from. */
async function say(admin: Admin, text: string, lasting: string | null, passing: string | null) {
  admin.clock.advance(HOUR_MS);
  const event = anEvent({
    ...{ id: `whatsapp:${text}`, platform: "whatsapp", tenant: "W1", place: "PN1", isDirect: true, text },
    conversation: nameOf(lasting ?? passing ?? "").conversation,
    sender: { id: lasting ?? passing ?? "", name: "somebody", isBot: false },
    person: {
      lasting: lasting === null ? null : nameOf(lasting),
      passing: passing === null ? null : nameOf(passing),
    },
    occurredAtMs: admin.clock.nowMs(),
  });
  const [settled = event] = await createAcquaintances(admin.store.people).settle([event]);
  const turns = [{ role: "user", name: "somebody", text, atMs: admin.clock.nowMs() } as const];
  await admin.finish(settled, { kind: "done", outcome: "answered", turns });
}

async function twoHolders() {
  const admin = await openAdmin();
  await say(admin, "a number alone, of ann", null, NUMBER);
  await say(admin, "both names, of ann", "GB.ANN", NUMBER);
  await say(admin, "the number again, of ann", null, NUMBER);
  await say(admin, "both names, of bea", "GB.BEA", NUMBER);
  await say(admin, "the number again, of bea", null, NUMBER);
  await say(admin, "the lasting name, of bea", "GB.BEA", null);
  const privacy = createPrivacy({
    ...{ store: admin.store, clock: admin.clock, writeNotes: async () => {}, tellAll: async () => {} },
    media: { find: async () => null, forget: async () => {} },
  });
  const person = (id: string) => ({ platform: "whatsapp", tenant: "W1", id });
  const exported = async (id: string, kind: "event" | "turn" = "event") => {
    const texts: string[] = [];
    for await (const one of privacy.export(person(id), { files: false })) texts.push(...textsOf(one, kind));
    return texts.sort();
  };
  const erase = (id: string) =>
    privacy.erase(person(id), { isDry: false, signal: new AbortController().signal });
  return { exported, erase };
}

const textsOf = (one: Exported, kind: string) =>
  one.kind === kind && "text" in one ? [String(one.text)] : [];

it("a number that was passed on tells neither holder what the other said", async () => {
  const { exported } = await twoHolders();
  for (const kind of ["event", "turn"] as const) {
    expect(await exported("GB.ANN", kind)).toEqual(OF_ANN);
    expect(await exported("GB.BEA", kind)).toEqual([...OF_BEA].sort());
  }
  // It is its last holder's.
  expect(await exported(NUMBER)).toEqual([...OF_BEA].sort());
});

it.each([
  ["GB.BEA", "GB.BEA", "GB.ANN", OF_ANN],
  ["GB.ANN", "GB.ANN", "GB.BEA", OF_BEA],
  [NUMBER, "GB.BEA", "GB.ANN", OF_ANN],
])("who is erased by %s takes nothing of the other holder along", async (asked, gone, other, left) => {
  const { exported, erase } = await twoHolders();
  expect(await erase(asked)).toMatchObject({ events: 3, turns: 3 });
  for (const kind of ["event", "turn"] as const) {
    expect(await exported(gone, kind)).toEqual([]);
    expect(await exported(other, kind)).toEqual([...left].sort());
  }
});
