import { expect, it } from "vitest";
import { createPrivacy } from "../../../src/app/privacy/index.ts";
import { createNotebooks } from "../../../src/store/notebooks.ts";
import { openAdmin } from "../../support/admin.ts";

const PERSON = { platform: "slack", tenant: "T1", id: "U1" };
const [CHANNEL, ELSEWHERE] = ["slack:T1:C1", "slack:T2:C9"];

it("of the notes of a channel those go that the person had written, and what is theirs in those of others", async () => {
  const admin = await openAdmin();
  const { store, clock } = admin;
  const notebooks = createNotebooks(store.vault);
  const write = (owner: string, text: string, id: string) =>
    notebooks.write(owner, "assistant", { text, atMs: clock.nowMs(), by: { id, name: `name of ${id}` } });
  const notesOf = async (owner: string) =>
    (await notebooks.read(owner, "assistant")).map(({ text, by }) => [text, by.id]);
  const sender = { id: "U1", name: "Ann", isBot: false };
  const said = {
    id: "slack:1",
    tenant: "T1",
    conversation: CHANNEL,
    sender,
    text: "my gate opens with 4711",
  };
  await admin.finish(said, { kind: "done", outcome: "answered", turns: [] });
  await write(CHANNEL, "the gate of Ann opens with 4711", "U1");
  await write(CHANNEL, "once said: my gate opens with 4711, they say", "U2");
  await write(CHANNEL, "lunch is at noon", "U2");
  await write(ELSEWHERE, "somebody else with the same id", "U1");
  await write("slack:T1:C2", "the only one there", "U1");
  await write("user:slack:T1:U1:private", "what is private", "U1");
  const privacy = createPrivacy({
    ...{ store, clock, writeNotes: async () => {}, tellAll: async () => {} },
    media: { find: async () => null, forget: async () => {} },
  });
  const { signal } = new AbortController();
  await privacy.erase(PERSON, { isDry: false, signal });
  expect(await notesOf(CHANNEL)).toEqual([
    ["once said: [removed], they say", "U2"],
    ["lunch is at noon", "U2"],
  ]);
  expect(await notesOf("slack:T1:C2")).toEqual([]);
  expect(await notesOf("user:slack:T1:U1:private")).toEqual([]);
  expect(await notesOf(ELSEWHERE)).toEqual([["somebody else with the same id", "U1"]]);
});
