import { beforeEach, describe, expect, it } from "vitest";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Progress, Turn } from "../../src/domain/run.ts";
import { countedIn, summaryTurn } from "../../src/domain/summary.ts";
import type { Settlement } from "../../src/ports/queue.ts";
import { createGrants } from "../../src/store/grants.ts";
import { createShownMenus } from "../../src/store/shown-menus.ts";
import { type Admin, openAdmin, TOKEN } from "../support/admin.ts";
import { anEvent } from "../support/event.ts";
import { anOffer } from "../support/store.ts";
import { call } from "./helpers.ts";

const ANN = { id: "U1", name: "Ann Needle", isBot: false };
const BOB = { id: "U2", name: "Bob", isBot: false };
const ROOM = "slack:T1:C1:1.1";
const PRIVATE = "slack:T1:D1";
const NEEDLES = ["Ann Needle", "the needle of ann", "answer to ann", "ann-file.txt"];

let admin: Admin;
let env: Record<string, string>;
beforeEach(async () => {
  admin = await openAdmin();
  env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: await admin.listen() };
});
const asked = async (...args: readonly string[]) => await call(["conversations", ...args], { env });

async function say(event: Partial<TriggerEvent> & Pick<TriggerEvent, "id" | "sender">, answer: string) {
  const { sender, text = "" } = event;
  const progress: Progress = {
    ...{ runId: `run_${event.id}`, agent: "assistant", startedAtMs: 1, steps: [] },
    answer: { outcome: "answered", text: answer, parts: [{ text: answer }], usage: USAGE } as never,
  };
  const turns: Turn[] = [
    { role: "user", name: sender.name, text, atMs: 1, by: sender.id },
    { role: "assistant", name: null, text: answer, atMs: 2, by: sender.id },
  ];
  await admin.finish(event, { kind: "done", outcome: "answered", turns } satisfies Settlement, progress);
}
const USAGE = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costCents: 0 };

async function someTalk(): Promise<void> {
  const file = { id: "F1", kind: "document", name: "ann-file.txt", mime: null, sizeBytes: 3 } as const;
  const inRoom = { conversation: ROOM, tenant: "T1", place: "C1" };
  await say(
    { ...inRoom, id: "slack:1", sender: ANN, text: "the needle of ann", attachments: [file] },
    "answer to ann",
  );
  await say(
    {
      ...inRoom,
      ...{ id: "slack:2", sender: BOB, text: "what did she say?" },
      context: [
        {
          kind: "quoted",
          author: { id: "U1", name: "Ann Needle" },
          text: "half of the needle of ann",
          attachments: [file],
          atMs: 1,
        },
        { kind: "thread", author: { id: "U3", name: "Cy" }, text: "words of cy", attachments: [], atMs: 1 },
      ],
    },
    "Ann Needle said: the needle of ann. And that is all",
  );
  const alone = { conversation: PRIVATE, tenant: "T1", place: "D1", isDirect: true };
  await say({ ...alone, id: "slack:3", sender: ANN, text: "the needle of ann, alone" }, "answer to ann");
  // The same id of another workspace is somebody else.
  await say(
    { id: "slack:4", tenant: "T2", conversation: "slack:T2:C1", sender: ANN, text: "of T2" },
    "said in T2",
  );
  const caps = ["user:slack:T1:U1", "conversation:slack:T1:D1", "user:slack:T1:U2", "global"];
  await admin.store.purse.hold({
    ...{ id: "in-hand", day: "2026-11-29", amount: 7 },
    caps: caps.map((scope) => ({ scope, limit: null, warnAt: null })),
  });
  const granted = { conversation: ROOM, agent: "assistant", tool: "kubectl" };
  const by = { id: "U1", name: "Ann Needle" };
  const menu = { eventId: "slack:1", text: "What?", choices: [{ label: "half of the needle of ann" }] };
  await createShownMenus(admin.store.vault, { nowMs: () => 1 }).show(ROOM, menu);
  await createGrants(admin.store.vault).allow(granted, { untilMs: Number.MAX_SAFE_INTEGER, by });
}

async function everything(): Promise<string> {
  const events = await admin.store.journal.list({ limit: 100 });
  const turns = await Promise.all(
    [ROOM, PRIVATE, "slack:T2:C1"].map((one) => admin.store.memory.recall(one, { turnsMax: 99, sinceMs: 0 })),
  );
  const vault = await admin.store.vault.list({ prefix: "", limit: 100 });
  const held = await admin.store.records.search({ shelf: "held", words: ["user:"] });
  const ofT1 = events.filter(({ event }) => event.tenant === "T1");
  return JSON.stringify([ofT1, turns.slice(0, 2), vault, held]);
}

it("conversations list and show say what is remembered", async () => {
  await someTalk();
  const { stdout } = await asked("list", "--json");
  const ids = (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);
  expect(ids.sort()).toEqual([ROOM, PRIVATE, "slack:T2:C1"].sort());
  const shown = await asked("show", ROOM);
  expect(shown.stdout).toContain("Bob: what did she say?");
  expect(JSON.parse((await asked("show", ROOM, "--json")).stdout).turns).toHaveLength(4);
  expect(await asked("show", "slack:T1:nowhere")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("There is no conversation of this id"),
  });
});

/** Bob's run, which made a summary of all that was said in the room until then. */
async function summarized(by = ["U1", "U2"], first = 0): Promise<void> {
  const recalled = await admin.store.memory.recall(ROOM, { turnsMax: 99, sinceMs: 0 });
  const places = [...new Set(recalled.flatMap(({ stored }) => stored?.[0] ?? []))].slice(first);
  const { turns, size } = countedIn(recalled, places);
  const covers = { from: places[0] ?? 0, places, turns, size, by };
  const text = "A woman has lost a thimble.";
  const compacted = { kind: "compacted" as const, text, atMs: 1, covers, usage: USAGE };
  const event = { id: "slack:5", sender: BOB, text: "go on", conversation: ROOM, tenant: "T1", place: "C1" };
  const progress: Progress = {
    ...{ runId: "run_5", agent: "assistant", startedAtMs: 1, steps: [], compacted },
    answer: { outcome: "answered", text: "yes", parts: [], usage: USAGE },
  };
  const said = { role: "assistant", name: null, text: "yes", atMs: 2, by: "U2" } as const;
  const end = { kind: "done", outcome: "answered", turns: [summaryTurn(compacted), said] } as const;
  await admin.finish(event, end, progress);
}

it("a summary is shown as one, is in nobody's export but that of who was alone in it, and goes with any of them", async () => {
  await someTalk();
  await summarized();
  expect((await asked("show", ROOM)).stdout).toContain("(summary): A woman has lost a thimble.");
  const turns = JSON.parse((await asked("show", ROOM, "--json")).stdout).turns as { role: string }[];
  expect(turns.map(({ role }) => role)).toContain("summary");
  expect((await asked("export", "--user", "slack:T1:U2")).stdout).not.toContain("thimble");
  expect((await asked("erase", "--user", "slack:T1:U1", "--yes")).code).toBe(0);
  const left = await everything();
  expect(left).not.toContain("thimble");
  expect(left).not.toContain('"U1"');
  expect(left).toContain("what did she say?");
});

it("a summary of turns of which an older version did not keep whose they are is nobody's", async () => {
  await someTalk();
  await summarized([], 1);
  expect((await asked("show", ROOM)).stdout).toContain("thimble");
  expect((await asked("export", "--user", "slack:T1:U1")).stdout).not.toContain("thimble");
  expect((await asked("erase", "--user", "slack:T1:U1", "--yes")).code).toBe(0);
  expect((await asked("show", ROOM)).stdout).toContain("thimble");
});

describe("conversations export", () => {
  it("has all that is kept of a person, and nothing of others", async () => {
    await someTalk();
    expect(await asked("export", "--user", "slack:T1:U404")).toMatchObject({
      ...{ code: 0, stdout: "", stderr: "Nothing is kept of slack:T1:U404.\n" },
    });
    const { code, stdout } = await asked("export", "--user", "slack:T1:U1");
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(code).toBe(0);
    expect(lines.filter(({ kind }) => kind === "event").map(({ id }) => id)).toEqual(["slack:1", "slack:3"]);
    expect(lines.filter(({ kind }) => kind === "turn")).toHaveLength(4);
    expect(lines.filter(({ kind }) => kind === "other").map(({ shelf }) => shelf)).toEqual(
      expect.arrayContaining(["vault", "conversations"]),
    );
    expect(stdout).not.toMatch(/what did she say|words of cy|slack:T2/);
    expect(JSON.parse((await asked("export", "--user", "slack:T1:U1", "--json")).stdout)).toHaveLength(
      lines.length,
    );
  });
});

describe("conversations erase", () => {
  it("leaves nothing of the person, and all of others", async () => {
    await someTalk();
    const { code, stdout } = await asked("erase", "--user", "slack:T1:U1", "--yes", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      dry_run: false,
      complete: true,
      subject: expect.stringMatching(/^person:[0-9a-f]{32}$/),
      events: 2,
      turns: 4,
      in_hand: 0,
    });
    expect(code).toBe(0);
    const left = await everything();
    for (const needle of NEEDLES) expect(left).not.toContain(needle);
    expect(left).not.toContain('"U1"');
    expect(left).not.toContain("user:slack:T1:U1");
    expect(left).toContain("user:slack:T1:U2");
    for (const other of ["what did she say?", "words of cy", "And that is all", "Bob"])
      expect(left).toContain(other);
    const shown = await asked("show", ROOM);
    expect(shown.stdout.split("\n")).toEqual([
      expect.stringContaining("[removed]: [removed]"),
      expect.stringContaining("(bot): [removed]"),
      expect.stringContaining("Bob: what did she say?"),
      expect.stringContaining("(bot): [removed] said: [removed]. And that is all"),
      "",
    ]);
    expect((await asked("show", PRIVATE)).code).toBe(1);
    expect((await asked("show", "slack:T2:C1")).stdout).toContain("Ann Needle: of T2");
    // Again is no harm, and what the platform brings once more is no news.
    expect(
      JSON.parse((await asked("erase", "--user", "slack:T1:U1", "--yes", "--json")).stdout),
    ).toMatchObject({
      ...{ complete: true, events: 0, turns: 0, changed: 0 },
    });
    const again = anEvent({ id: "slack:1", text: "the needle of ann", sender: ANN });
    expect(await admin.inbox.accept(anOffer(again))).toEqual({ kind: "duplicate" });
  });

  it("reaches memories that are wider than a conversation", async () => {
    const turn = (by: string, text: string, role: "user" | "assistant" = "user"): Turn => {
      return { role, name: role === "user" ? by : null, text, atMs: 1, by, conversation: ROOM };
    };
    const said = { conversation: ROOM, tenant: "T1", place: "C1" };
    const done = { kind: "done", outcome: "answered" } as const;
    const remembered = async (id: string, sender: typeof ANN, memory: string, turns: Turn[]) =>
      await admin.finish({ ...said, id, sender, text: "the needle of ann" }, { ...done, turns, memory });
    await remembered("slack:1", ANN, "user:slack:T1:U1:open", [turn("U1", "the needle of ann")]);
    await remembered("slack:2", ANN, "slack:T1:C1", [turn("U1", "the needle of ann")]);
    const repeated = turn("U2", "she said: the needle of ann", "assistant");
    await remembered("slack:3", BOB, "slack:T1:C1", [turn("U2", "and what?"), repeated]);
    await remembered("slack:4", BOB, "user:slack:T1:U2:open", [turn("U2", "of bob")]);
    expect((await asked("erase", "--user", "slack:T1:U1", "--yes")).code).toBe(0);
    const recall = async (key: string) =>
      (await admin.store.memory.recall(key, { turnsMax: 9, sinceMs: 0 })).map(({ text }) => text);
    expect(await recall("user:slack:T1:U1:open")).toEqual([]);
    expect(await recall("slack:T1:C1")).toEqual(["[removed]", "and what?", "she said: [removed]"]);
    expect(await recall("user:slack:T1:U2:open")).toEqual(["of bob"]);
  });

  it("only counts in a dry run", async () => {
    await someTalk();
    const before = await everything();
    const { code, stderr } = await asked("erase", "--user", "slack:T1:U1", "--dry-run");
    expect([code, stderr]).toEqual([0, expect.stringContaining("Would erase 2 events, 4 turns, 0 files")]);
    expect(await everything()).toBe(before);
  });

  it("asks on a terminal, and does nothing without a yes", async () => {
    await someTalk();
    const before = await everything();
    const questions: string[] = [];
    const answering = (answer: boolean) =>
      call(["conversations", "erase", "--user", "slack:T1:U1"], {
        env,
        confirm: async (question) => {
          questions.push(question);
          return answer;
        },
      });
    expect(await answering(false)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("nothing was erased"),
    });
    expect(await everything()).toBe(before);
    expect(await asked("erase", "--user", "slack:T1:U1")).toMatchObject({ code: 2 });
    expect((await answering(true)).code).toBe(0);
    expect(await everything()).not.toContain("the needle of ann");
    expect(questions).toEqual(Array(2).fill("Erase all of this of slack:T1:U1? It cannot be brought back."));
  });

  it.each(["U1", "pigeon:T1:U1", "slack:U1"])("wants a person: %s", async (user) => {
    const { code, stderr } = await asked("erase", "--user", user, "--yes");
    expect([code, stderr]).toEqual([2, expect.stringContaining("user: expected platform:workspace:id")]);
  });
});
