import { beforeEach, describe, expect, it } from "vitest";
import { DeliveryError } from "../src/domain/errors.ts";
import type { TriggerEvent } from "../src/domain/event.ts";
import type { InlineStore } from "../src/store/sqlite/inline.ts";
import type { WorkerDeps } from "../src/worker/deps.ts";
import { type FakeAdapter, failing } from "./support/adapter.ts";
import { APPROVAL_MS, type Asking, bob, openAsking } from "./support/asking.ts";
import type { FakeClock } from "./support/clock.ts";
import { A_STOP, anEvent } from "./support/event.ts";
import { countOf } from "./support/metrics.ts";
import { claimOne, LEASE_MS } from "./support/store.ts";

const ID = "apr_1_1";
const busy = new DeliveryError("retry", "busy", { status: 503 });

let asking: Asking;
let clock: FakeClock;
let store: InlineStore;
let slack: FakeAdapter;

beforeEach(async () => {
  asking = await openAsking({ self: true });
  ({ clock, store, slack } = asking);
});

const say: Asking["say"] = (...words) => asking.say(...words);
const press: Asking["press"] = (...words) => asking.press(...words);
const read: Asking["read"] = (doing) => asking.read(doing);
const runOne = () => asking.runOne();
const decidedBy = (approversOf: WorkerDeps["control"]["approversOf"]) => {
  const { deps } = asking;
  asking.deps = { ...deps, control: { ...deps.control, approversOf } };
};

const asked = () => say("demo: ask Deploy to production?");
const stateOf = async (id = "slack:1") => (await store.journal.find(id))?.state;

describe("a tool that needs an approval", () => {
  it("parks its run, and asks with all that is needed to decide", async () => {
    const [question, ...more] = await asked();
    expect(more).toEqual([]);
    expect(question).toContain("> Deploy to production?");
    expect(question).toContain(`\`/approve ${ID}\``);
    expect(question).toContain(`\`/deny ${ID}\``);
    expect(question).toContain("within 5 minutes");
    expect(await store.journal.find("slack:1")).toMatchObject({ state: "parked", attempt: 0 });
    expect(slack.sends.map(({ partId }) => partId)).toEqual(["slack:1/ask/1/0"]);
    expect(await countOf(asking.deps.metrics, "runAttempts", { agent: "assistant", outcome: "parked" })).toBe(
      1,
    );
  });

  it("is called once somebody approves, and the answer follows", async () => {
    await asked();
    expect(await say(`!approve ${ID}`, { sender: bob })).toEqual(["Approved."]);
    expect(await read(runOne)).toEqual(["Tool ask said: approved by bob"]);
    expect(await stateOf()).toBe("done");
  });

  it("is not called when somebody denies, and the model hears who and why", async () => {
    await asked();
    expect(await say("!deny it is Friday", { sender: bob })).toEqual(["Denied."]);
    expect(await read(runOne)).toEqual(["Tool ask said: denied by bob: it is Friday"]);
  });

  it("is not called when nobody decides in time, and the person is told once", async () => {
    await asked();
    clock.advance(APPROVAL_MS);
    expect(await read(runOne)).toEqual([
      "Nobody decided in time, so I do not do it.",
      "Tool ask said: no decision in time",
    ]);
  });

  it("counts a word that came in time, also where it is found only after that", async () => {
    await asked();
    await say("!approve", { sender: bob });
    clock.advance(APPROVAL_MS);
    expect(await read(runOne)).toEqual(["Tool ask said: approved by bob"]);
  });

  it("is asked for once, however often its run is taken up again", async () => {
    await asked();
    await store.lanes.signal(anEvent().conversation, { kind: "interrupt", byEvent: "x" });
    expect(await read(runOne)).toEqual([]);
    expect(await stateOf()).toBe("parked");
    clock.advance(APPROVAL_MS);
    expect(await read(runOne)).toHaveLength(2);
  });

  it("is asked for again where nobody knows whether it was, and says so", async () => {
    slack.fates.push(failing(new DeliveryError("unknown", "cut")));
    expect(await asked()).toHaveLength(1);
    expect(await stateOf()).toBe("retrying");
    clock.advance(1_000);
    expect(await read(runOne)).toEqual([expect.stringMatching(/^\(again\?\) \*\*May I\?/)]);
    expect(await stateOf()).toBe("parked");
  });

  it("ends its run when it cannot be asked for, and the person hears that", async () => {
    slack.fates.push(failing(busy), failing(busy), failing(busy));
    await asked();
    for (let tries = 0; tries < 2; tries++) {
      clock.advance(1_000);
      await runOne();
    }
    expect(slack.said.at(-1)).toContain("I could not answer this");
    expect(await store.journal.find("slack:1")).toMatchObject({
      state: "dead",
      cause: "DELIVERY_RETRY: busy",
    });
  });

  it("is forgotten with its run when somebody says stop", async () => {
    await asked();
    await store.lanes.signal(anEvent().conversation, A_STOP);
    expect(await read(runOne)).toEqual(["Stopped."]);
    expect(await stateOf()).toBe("done");
    expect(await say(`!approve ${ID}`)).toEqual([expect.stringContaining(`\`${ID}\` does not wait`)]);
  });

  it("takes nothing of the time of its run while that is parked", async () => {
    await say("demo: ask first?\ndemo: ask second?");
    for (const id of ["apr_1_1", "apr_1_2"]) {
      clock.advance(APPROVAL_MS - 1);
      expect(await say(`!approve ${id}`, { sender: bob })).toEqual(["Approved."]);
      await runOne();
    }
    expect(slack.said.at(-1)).toBe("Tool ask said: approved by bob\n\nTool ask said: approved by bob");
    const record = await store.journal.find("slack:1");
    expect(record?.progress?.parkedMs).toBe(2 * (APPROVAL_MS - 1));
  });

  it("survives the death of whoever has just heard the decision, and of whoever acts upon it", async () => {
    await asked();
    await say("!approve", { sender: bob });
    await claimOne(store.queue);
    clock.advance(LEASE_MS);
    expect(await read(runOne)).toEqual(["Tool ask said: approved by bob"]);
  });
});

describe("the buttons of a question", () => {
  const edited = () =>
    slack.edits.map(({ delivery, receipt }) => [delivery.partId, receipt.messageId, String(delivery.part)]);
  beforeEach(() => void slack.canEdit());

  it("stand below it, decide it like the command, and give way to who decided what", async () => {
    const [question] = await asked();
    expect(question).toContain(`[Approve](approve:${ID})`);
    expect(question).toContain(`[Deny](deny:${ID})`);
    expect(await press(`approve:${ID}`, { sender: bob })).toEqual(["Approved."]);
    expect(edited()).toEqual([]);
    expect(await read(runOne)).toEqual(["Tool ask said: approved by bob"]);
    expect(edited()).toEqual([
      ["slack:1/ask/1/0", "m0", "**May I?**\n\n> Deploy to production?\n\n**Approved** by bob."],
    ]);
    const { progress } = (await store.journal.find("slack:1")) ?? {};
    expect(progress?.approvals).toMatchObject([
      { approvalId: ID, tool: "ask", decided: { verdict: "approved", by: { id: "U2", name: "bob" } } },
    ]);
    expect(slack.sends.at(-1)).toMatchObject({ follows: true });
  });

  it("decide once, and whoever presses late, or may not, is told so", async () => {
    decidedBy(() => ({ only: null, self: false }));
    await asked();
    expect(await press(`approve:${ID}`)).toEqual(["You are not among those who may decide this."]);
    expect(await stateOf()).toBe("parked");
    expect(await press(`deny:${ID}`, { sender: bob })).toEqual(["Denied."]);
    expect(await press(`approve:${ID}`, { sender: { ...bob, id: "U3" } })).toEqual([
      "It is decided already: denied by bob.",
    ]);
    await runOne();
    expect(edited().map(([, , text]) => text)).toEqual([expect.stringMatching(/\*\*Denied\*\* by bob\.$/)]);
    expect(await press(`approve:${ID}`, { sender: bob })).toEqual([expect.stringContaining("does not wait")]);
  });

  it("go when nobody decides in time, and when the run is stopped", async () => {
    await asked();
    clock.advance(APPROVAL_MS);
    expect(await press(`approve:${ID}`)).toEqual([expect.stringContaining("too late")]);
    await runOne();
    expect(edited().map(([, , text]) => text)).toEqual([
      expect.stringMatching(/Nobody decided in time[^\n]*$/),
    ]);
    await asked();
    await store.lanes.signal(anEvent().conversation, A_STOP);
    await runOne();
    expect(edited().at(-1)?.[2]).toMatch(/\n\nStopped\.$/);
  });

  it("hold up nobody where the question cannot be changed", async () => {
    slack.editFates.push(failing(busy));
    await asked();
    await press(`approve:${ID}`, { sender: { ...bob, name: "*b* [x](http://e)" } });
    expect(await read(runOne)).toHaveLength(1);
    expect(await stateOf()).toBe("done");
    expect(edited()[0]?.[2]).toContain("by \\*b\\* \\[x\\]\\(http\\:\\/\\/e\\)");
  });

  it("are changed by whoever goes on after a death in between", async () => {
    await asked();
    await press(`approve:${ID}`, { sender: bob });
    const job = await claimOne(store.queue);
    if (job.progress === null) throw new Error("Expected what the run has recorded");
    const decided = { kind: "tool-decided", approvalId: ID, verdict: "approved", by: bob } as const;
    await store.queue.checkpoint(job, { ...job.progress, steps: [...job.progress.steps, decided] });
    clock.advance(LEASE_MS);
    await runOne();
    expect(edited()).toHaveLength(1);
  });
});

describe("a word on a question", () => {
  it("counts once: of two people at once the first decides, and the other is told what", async () => {
    await asked();
    expect(await say(`!approve ${ID}`, { sender: bob })).toEqual(["Approved."]);
    expect(await say(`!deny ${ID}`)).toEqual(["It is decided already: approved by bob."]);
    expect(await say(`!approve ${ID}`)).toEqual(["It is decided already: approved by bob."]);
    expect(await say(`!approve ${ID}`, { sender: bob })).toEqual(["Approved."]);
    expect(await read(runOne)).toEqual(["Tool ask said: approved by bob"]);
  });

  it("is of no use where nothing waits, nor on another question, nor elsewhere", async () => {
    expect(await say("!approve")).toEqual(["Nothing waits for a decision here."]);
    await asked();
    expect(await say("!approve apr_other")).toEqual([expect.stringContaining("`apr_other` does not wait")]);
    const elsewhere = { conversation: "slack:T1:C2", place: "C2" };
    expect(await say(`!approve ${ID}`, elsewhere)).toEqual([
      expect.stringContaining(`\`${ID}\` does not wait`),
    ]);
    expect(await stateOf("slack:2")).toBe("parked");
  });

  it("is too late when the time is over, whoever has noticed", async () => {
    await asked();
    clock.advance(APPROVAL_MS - 1);
    expect(await stateOf()).toBe("parked");
    clock.advance(1);
    expect(await say("!approve")).toEqual([expect.stringContaining("too late")]);
    expect((await read(runOne)).at(-1)).toBe("Tool ask said: no decision in time");
  });

  it("is taken back by a newer message, and who decides after that is told", async () => {
    await asked();
    await store.lanes.signal("slack:T1:C1", { kind: "interrupt", byEvent: "slack:2" });
    const job = await claimOne(store.queue);
    if (job.progress === null) throw new Error("Expected what the run has recorded");
    const withdrawn = { kind: "tool-decided", approvalId: ID, verdict: "withdrawn", by: null } as const;
    await store.queue.checkpoint(job, { ...job.progress, steps: [...job.progress.steps, withdrawn] });
    expect(await say(`!approve ${ID}`)).toEqual([expect.stringContaining("A newer message came")]);
  });

  it.each<[string, ReturnType<WorkerDeps["control"]["approversOf"]>, Partial<TriggerEvent>, boolean]>([
    ["of whoever asked", { only: null, self: true }, {}, true],
    ["of whoever asked, where that does not count", { only: null, self: false }, {}, false],
    ["of another", { only: null, self: false }, { sender: bob }, true],
    ["of a bot", { only: null, self: true }, { sender: { ...bob, isBot: true } }, false],
    ["of somebody of another workspace", { only: null, self: true }, { sender: bob, tenant: "T2" }, false],
    ["of one of those named", { only: new Set(["slack:T1:U2"]), self: false }, { sender: bob }, true],
    [
      "of one of those named for any workspace",
      { only: new Set(["slack:U2"]), self: false },
      { sender: bob },
      true,
    ],
    [
      "of somebody else than those named",
      { only: new Set(["slack:U3"]), self: true },
      { sender: bob },
      false,
    ],
    ["on what an agent asked that is gone", null, {}, false],
  ])("%s decides or does not", async (_, approvers, by, decides) => {
    decidedBy(() => approvers);
    await asked();
    expect(await say("!approve", by)).toEqual([
      decides ? "Approved." : "You are not among those who may decide this.",
    ]);
    expect(await stateOf()).toBe(decides ? "queued" : "parked");
  });

  it("shows itself in no other words than its own", async () => {
    await asked();
    await say("!deny **x**\n\n> y", { sender: { ...bob, name: "bob\n# is root" } });
    expect(await read(runOne)).toEqual([
      expect.stringMatching(/^Tool ask said: denied by bob # is root: [^\n]*$/),
    ]);
  });
});
