import { beforeEach, describe, expect, it } from "vitest";
import type { Noted } from "../../src/ingress/recorder.ts";
import { type Admin, openAdmin, TOKEN } from "../support/admin.ts";
import { call } from "./helpers.ts";

let admin: Admin;
let env: Record<string, string>;
beforeEach(async () => {
  admin = await openAdmin();
  admin.clock.advance(Date.now() - admin.clock.nowMs());
  env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: await admin.listen() };
});

function note(requestId: string, changes: Partial<Noted> = {}): void {
  admin.recorder.note({
    requestId,
    platform: "slack",
    outcome: "ignored",
    reason: "not_addressed",
    peer: "192.0.2.1",
    eventId: null,
    conversation: null,
    ...changes,
  });
}

describe("parley events list --refused", () => {
  it("shows why the bot was silent, newest first, and nothing that a terminal would obey", async () => {
    note("req_1", { outcome: "forged", reason: "missing X-Slack-Signature", peer: "2001:db8::1" });
    note("req_2", { peer: null, reason: "not\u001b[2J_addressed" });
    note("req_3", { outcome: "accepted" });
    note("req_4", { outcome: "forged", reason: "word ".repeat(20), peer: "192.0.2.1" });
    const { code, stdout } = await call(["events", "list", "--refused"], { env });
    expect(code).toBe(0);
    expect(stdout.replaceAll(/^\d+s /gm, "0s ").split("\n")).toEqual([
      "AGE  PLATFORM  OUTCOME  FROM         REASON                                                  REQUEST",
      "0s   slack     forged   192.0.2.1    word word word word word word word word word word wor…  req_4",
      "0s   slack     ignored  -            not [2J_addressed                                       req_2",
      "0s   slack     forged   2001:db8::1  missing X-Slack-Signature                               req_1",
      "",
    ]);
  });

  it("takes outcome, platform, time and limit, and prints JSON for a program", async () => {
    for (let n = 0; n < 5; n++) note(`req_${n}`, { outcome: n % 2 === 0 ? "forged" : "stale" });
    note("req_9", { platform: "telegram" });
    const args = [
      "--outcome",
      "forged,stale",
      "--platform",
      "slack",
      "--since",
      "1h",
      "--limit",
      "3",
      "--json",
    ];
    const { stdout, stderr } = await call(["events", "list", "--refused", ...args], { env });
    expect((JSON.parse(stdout) as { request_id: string }[]).map(({ request_id }) => request_id)).toEqual([
      "req_4",
      "req_3",
      "req_2",
    ]);
    expect(stderr).toBe("There are more; --limit shows more than 3.\n");
  });

  it("says so when there is nothing, and what does not go together", async () => {
    expect(await call(["events", "list", "--refused"], { env })).toMatchObject({
      code: 0,
      stdout: "",
      stderr: expect.stringContaining("No refused or ignored request matches"),
    });
    expect(await call(["events", "list", "--refused", "--state", "dead"], { env })).toMatchObject({
      code: 2,
      stderr: "parley: expected --outcome, --platform or --since with --refused, got --state\n",
    });
    expect(await call(["events", "list", "--outcome", "forged"], { env })).toMatchObject({ code: 2 });
    expect(await call(["events", "list", "--refused", "--outcome", "forgd"], { env })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('got "forgd" (did you mean forged?)'),
    });
  });
});

describe("parley explain", () => {
  it("says what became of a request in words, and ends with 0", async () => {
    note("req_1");
    const { code, stdout } = await call(["explain", "req_1"], { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^The request req_1 is ignored: not_addressed\.\nIt was taken and ignored .* Mention it/,
    );
    const json = await call(["explain", "req_1", "--json"], { env });
    expect(JSON.parse(json.stdout)).toEqual({
      id: "req_1",
      kind: "request",
      outcome: "ignored",
      reason: "not_addressed",
      words: expect.stringContaining("Mention it"),
    });
  });

  it("says what becomes of an event", async () => {
    await admin.bury({ id: "slack:1" }, "MODEL_AUTH: 401");
    const { code, stdout } = await call(["explain", "slack:1", "--json"], { env });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      id: "slack:1",
      kind: "event",
      outcome: "dead",
      reason: "MODEL_AUTH: 401",
      event: { id: "slack:1", state: "dead" },
    });
    const text = (await call(["explain", "slack:1"], { env })).stdout;
    expect(text).toMatch(/^The event slack:1 is dead\.\n/);
    expect(text.split("MODEL_AUTH: 401")).toHaveLength(2);
  });

  it("ends with 1 where nothing is known, and says what to do", async () => {
    expect(await call(["explain", "req_nobody", "--json"], { env })).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringContaining("Nothing is known of this id"),
    });
    expect(await call(["explain", "x"], { env: { ...env, PARLEY_URL: "http://127.0.0.1:9" } })).toMatchObject(
      {
        code: 69,
      },
    );
  });
});
