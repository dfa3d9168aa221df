import { beforeEach, describe, expect, it } from "vitest";
import { type Admin, aRun, openAdmin, TOKEN } from "../support/admin.ts";
import { anEvent } from "../support/event.ts";
import { anOffer, claimOne } from "../support/store.ts";
import { call } from "./helpers.ts";

let admin: Admin;
let env: Record<string, string>;
beforeEach(async () => {
  admin = await openAdmin();
  admin.clock.advance(Date.now() - admin.clock.nowMs());
  env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: await admin.listen() };
  await admin.finish(
    { id: "slack:1", text: "what is up?" },
    { kind: "done", outcome: "answered", turns: [] },
    aRun({}),
  );
});

describe("parley events", () => {
  it("lists them, the newest first", async () => {
    await admin.bury({ id: "slack:2" });
    const { code, stdout } = await call(["events", "list"], { env });
    expect(code).toBe(0);
    expect(stdout.replaceAll(/^\d+s /gm, "0s ").split("\n")).toEqual([
      "AGE  STATE  TEXT         ID",
      "0s   dead   hello        slack:2",
      "0s   done   what is up?  slack:1",
      "",
    ]);
    const done = await call(["events", "list", "--state", "done", "--since", "1h", "--json"], { env });
    expect(JSON.parse(done.stdout)).toMatchObject([{ id: "slack:1", attempts: 1 }]);
    expect(await call(["events", "list", "--state", "running"], { env })).toMatchObject({
      stdout: "",
      stderr: "No events match.\n",
    });
  });

  it("shows one", async () => {
    const { stdout } = await call(["events", "show", "slack:1"], { env });
    expect(stdout).toContain("State         done\n");
    expect(stdout).toContain("Message\n  what is up?\n\nAnswer\n  hi\n");
    const json = await call(["events", "show", "slack:1", "--json"], { env });
    expect(JSON.parse(json.stdout)).toMatchObject({ progress: { answer: { text: "hi" } } });
  });

  it("shows the steps of a run in progress", async () => {
    await admin.inbox.accept(anOffer(anEvent({ id: "slack:2" })));
    const usage = { inputTokens: 1, outputTokens: 1, cacheReadTokens: 0, cacheWriteTokens: 0, costCents: 0 };
    const steps = [
      { kind: "model", text: "I look", toolCalls: [{ id: "t", name: "kubectl", input: { a: 1 } }], usage },
      { kind: "tool-started", callId: "t" },
      { kind: "tool", callId: "t", result: "no such pod", isError: true },
    ] as const;
    await admin.queue.checkpoint(await claimOne(admin.queue), aRun(null, { steps }));
    const { stdout } = await call(["events", "show", "slack:2"], { env });
    expect(stdout).toContain("Steps         3 done, no answer yet\n");
    expect(stdout).toContain('Step: model\n  I look\n  → kubectl {"a":1}\n');
    expect(stdout).toContain("Step: tool\n  call t, an error\n  no such pod\n");
  });
});

describe("parley replay", () => {
  it("runs a finished event again, and says how to see what becomes of it", async () => {
    const { code, stdout, stderr } = await call(["replay", "slack:1", "--yes"], { env });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toBe("It waits for its new run; parley events show slack:1 says what became of it.\n");
    expect(await claimOne(admin.queue)).toMatchObject({ replay: 1 });
    expect((await call(["events", "show", "slack:1"], { env })).stdout).toMatch(
      /^Replayed {6}\S+ by \S+@\S+, as a new run$/m,
    );
  });

  it("prints the gateway's answer for a program", async () => {
    const { stdout } = await call(["replay", "slack:1", "--yes", "--json"], { env });
    expect(JSON.parse(stdout)).toMatchObject({ id: "slack:1", status: "queued", mode: "anew" });
  });

  it("asks first, and does nothing without a yes", async () => {
    const questions: string[] = [];
    const confirm = async (question: string) => {
      questions.push(question);
      return questions.length > 1;
    };
    expect(await call(["replay", "slack:1"], { env, confirm })).toMatchObject({
      code: 1,
      stderr: "Nothing was done.\n",
    });
    expect(await admin.store.journal.find("slack:1")).toMatchObject({ state: "done" });
    expect((await call(["replay", "slack:1"], { env, confirm })).code).toBe(0);
    expect(questions[0]).toBe("Run again what ann said (it is done)? The answer is said again, too.");
    expect(await call(["replay", "slack:1"], { env })).toMatchObject({
      code: 2,
      stderr: "parley: expected --yes where nobody can be asked\n",
    });
  });

  it("ends with 1 and says why when it cannot be", async () => {
    await call(["replay", "slack:1", "--yes"], { env });
    expect(await call(["replay", "slack:1", "--yes"], { env })).toMatchObject({
      code: 1,
      stderr: "parley: The event is queued now\n",
    });
    expect(await call(["replay", "slack:none", "--yes"], { env })).toMatchObject({
      code: 1,
      stderr: "parley: There is no event of this id\n",
    });
  });
});
