import { beforeEach, describe, expect, it } from "vitest";
import { createNotebooks } from "../../src/store/notebooks.ts";
import { type Admin, openAdmin, TOKEN } from "../support/admin.ts";
import { call } from "./helpers.ts";

const ANN = "user:slack:T1:U1:open";
const ANN_ALONE = "user:slack:T1:U1:private";
const ROOM = "slack:T1:C1";
const by = { id: "U1", name: "ann" };

let admin: Admin;
let env: Record<string, string>;
beforeEach(async () => {
  admin = await openAdmin();
  env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: await admin.listen() };
});

async function write(owner: string, text: string, agent = "ops"): Promise<void> {
  const atMs = admin.clock.nowMs();
  await createNotebooks(admin.store.vault).write(owner, agent, { text, atMs, by });
}
async function someNotes(): Promise<void> {
  await write(ANN, "likes tea\u001b[2J");
  await write(ANN, "knows jazz");
  await write(ANN_ALONE, "is away", "sales");
  await write(ROOM, "is about deploys");
  await write(`${ROOM}2`, "is another room");
  await write("whatsapp:PN1:4917", "is after user: by name");
}
interface Page {
  readonly notebooks: readonly { owner: string; agent: string; notes: readonly { id: string }[] }[];
  readonly next: string | null;
}
async function page(query: string): Promise<Page> {
  const response = await admin.ask(`/notes${query}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Page;
}
const owners = async (query: string) => (await page(query)).notebooks.map(({ owner }) => owner);
const asked = async (...args: readonly string[]) => await call(["notes", ...args], { env });

describe("GET /notes", () => {
  it("has those about people or channels, and of an owner, but not of one whose key begins like it", async () => {
    await someNotes();
    expect(await owners("?about=person")).toEqual([ANN, ANN_ALONE]);
    expect(await owners("?about=channel")).toEqual([ROOM, `${ROOM}2`, "whatsapp:PN1:4917"]);
    expect(await owners(`?owner=${ROOM}`)).toEqual([ROOM]);
    expect(await owners("?owner=user:slack:T1:U1")).toEqual([ANN, ANN_ALONE]);
    expect(await owners("?owner=user:slack:T1:U1&about=channel")).toEqual([]);
  });

  it.each(["", "&about=channel"])("goes on where a page ends: %s", async (filter) => {
    await someNotes();
    const found: string[] = [];
    for (let next: string | null = ""; next !== null; ) {
      const part: Page = await page(`?limit=2${filter}${next && `&cursor=${next}`}`);
      found.push(...part.notebooks.map(({ owner }) => owner));
      next = part.next;
    }
    expect(found).toEqual(await owners(`?limit=99${filter}`));
    expect(found).toHaveLength(filter === "" ? 5 : 3);
  });

  it("says what was expected", async () => {
    for (const query of ["?cursor=zzz", "?about=cat", "?limit=0", "?ownr=x"])
      expect((await admin.ask(`/notes${query}`)).status, query).toBe(400);
  });
});

describe("parley notes", () => {
  it("lists notes, and nothing that a terminal would obey", async () => {
    expect(await asked("list")).toMatchObject({ code: 0, stdout: "", stderr: "No notes.\n" });
    await someNotes();
    const { stdout } = await asked("list", "--about", "person");
    expect(stdout).toMatch(/^AGE +NOTE +AGENT +BY +TEXT +OWNER\n/);
    expect(stdout).toMatch(/ [0-9a-f]{8} +ops +ann +likes tea\\u\{1b\}\[2J +user:slack:T1:U1:open\n/);
    expect(stdout.split("\n")).toHaveLength(5);
    const listed = JSON.parse((await asked("list", "--owner", ROOM, "--json")).stdout);
    expect(listed).toMatchObject([
      { owner: ROOM, about: "channel", agent: "ops", notes: [{ text: "is about deploys", by }] },
    ]);
  });

  it("erases one of them, or all of an owner, and tells the audit without naming a person", async () => {
    await someNotes();
    const first = (await page(`?owner=${ANN}`)).notebooks[0]?.notes[0]?.id ?? "";
    const dry = await asked("erase", ANN, "--dry-run");
    expect(dry).toMatchObject({ code: 0, stderr: `Would erase 2 notes about ${ANN}.\n` });
    expect(await asked("erase", ANN)).toMatchObject({ code: 2 });
    expect((await page(`?owner=${ANN}`)).notebooks[0]?.notes).toHaveLength(2);

    const one = await asked("erase", ANN, first, "--yes", "--json");
    expect(JSON.parse(one.stdout)).toMatchObject({ id: ANN, erased: 1 });
    expect(await asked("erase", ANN, first, "--yes")).toMatchObject({ code: 1 });
    expect(await asked("erase", ANN, "--agent", "sales", "--yes")).toMatchObject({ code: 1 });
    expect(await asked("erase", ROOM, "-y")).toMatchObject({ stderr: `Erased 1 note about ${ROOM}.\n` });
    expect((await page("")).notebooks).toMatchObject([
      ...[{ owner: `${ROOM}2` }, { owner: ANN, notes: [{ text: "knows jazz" }] }, { owner: ANN_ALONE }],
      { owner: "whatsapp:PN1:4917" },
    ]);

    const audit = await (await admin.ask("/audit?action=notes.erased")).text();
    expect(audit).toContain(`"owner":"${ROOM}"`);
    expect(audit).toMatch(/"owner":"person:[0-9a-f]{32}"/);
    expect(audit).not.toContain("U1");
  });

  it("asks before, and erases nothing without a yes", async () => {
    await someNotes();
    const questions: string[] = [];
    const answer = (yes: boolean) => async (question: string) => {
      questions.push(question);
      return yes;
    };
    const no = await call(["notes", "erase", ANN], { env, confirm: answer(false) });
    expect(no).toMatchObject({ code: 1, stderr: "parley: nothing was erased\n" });
    expect(questions).toEqual([`Erase 2 notes about ${ANN}? It cannot be brought back.`]);
    expect(await owners(`?owner=${ANN}`)).toEqual([ANN]);
    expect((await call(["notes", "erase", ANN], { env, confirm: answer(true) })).code).toBe(0);
    expect(await owners(`?owner=${ANN}`)).toEqual([]);
  });
});
