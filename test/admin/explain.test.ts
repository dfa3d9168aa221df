import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { MODULES } from "../../adapters/index.ts";
import { REASONS as SLACK } from "../../adapters/slack/verify.ts";
import { errorWords } from "../../src/admin/error-words.ts";
import type { Explanation } from "../../src/admin/explain.ts";
import { IGNORED_WORDS } from "../../src/admin/ignored-words.ts";
import { requestWords } from "../../src/admin/request-words.ts";
import { wordsOf as wordsAmong } from "../../src/app/platforms.ts";
import { ERROR_CODES } from "../../src/domain/errors.ts";
import { PLATFORMS } from "../../src/domain/event.ts";
import { ignoredLabel } from "../../src/domain/ignored.ts";
import { REFUSAL_CAUSES } from "../../src/domain/refusal.ts";
import { REQUEST_OUTCOMES } from "../../src/domain/request.ts";
import type { Noted } from "../../src/ingress/recorder.ts";
import { type Admin, aRun, openAdmin } from "../support/admin.ts";
import { anEvent } from "../support/event.ts";
import { anOffer, claimOne } from "../support/store.ts";

let admin: Admin;
beforeEach(async () => {
  admin = await openAdmin();
});

function note(requestId: string, changes: Partial<Noted>): void {
  const noted = { requestId, platform: "slack", reason: null, peer: null, eventId: null, conversation: null };
  admin.recorder.note({ ...noted, outcome: "ignored", ...changes } as Noted);
}

async function explain(id: string): Promise<Explanation> {
  const response = await admin.ask(`/explain/${encodeURIComponent(id)}`);
  expect(response.status).toBe(200);
  return (await response.json()) as Explanation;
}

describe("what became of a request", () => {
  it("is said in words, with what to do", async () => {
    note("req_1", { outcome: "forged", reason: SLACK.mismatch, peer: "192.0.2.1" });
    expect(await explain("req_1")).toEqual({
      id: "req_1",
      kind: "request",
      outcome: "forged",
      reason: SLACK.mismatch,
      words: expect.stringMatching(/^It was refused with 401, unread: .* Compare SLACK_SIGNING_SECRET with /),
    });
  });

  it("leads from an accepted request to its event, and says where that stands", async () => {
    await admin.inbox.accept(anOffer(anEvent({ id: "slack:1" })));
    note("req_1", { outcome: "accepted", eventId: "slack:1" });
    const waiting = await explain("req_1");
    expect(waiting).toMatchObject({
      kind: "request",
      outcome: "accepted",
      event: { id: "slack:1", state: "queued" },
    });
    expect(waiting.words).toMatch(
      /^It was accepted and stored\. Its event is slack:1\. It is stored and waits\./,
    );
    await admin.queue.settle(await claimOne(admin.queue), { kind: "dead", cause: "MODEL_AUTH: 401" });
    expect((await explain("req_1")).words).toContain(
      "The cause: MODEL_AUTH: 401. The model's provider refuses the key",
    );
  });

  it("is told of a whole batch, what was decided about it first", async () => {
    note("req_1", { outcome: "ignored", reason: "status_read", platform: "whatsapp" });
    note("req_1", { outcome: "accepted", eventId: "whatsapp:1", platform: "whatsapp" });
    note("req_1", {
      outcome: "refused",
      reason: "not_allowed: user",
      eventId: "whatsapp:2",
      platform: "whatsapp",
    });
    const { outcome, words } = await explain("req_1");
    expect(outcome).toBe("accepted");
    expect(words).toContain("Beside it: whatsapp:2: It was taken, recorded and not run (not_allowed: user).");
    expect(words).toContain("Beside it: another part: It was taken and ignored (status_read).");
  });

  it("is found by the id of the refusal, and by that of an event that was never stored", async () => {
    note("req_1", { reason: "not_addressed", eventId: "slack:T1:C1:1.2" });
    note("req_2", { reason: "bot", eventId: "slack:T1:C1:1.3" });
    const { refusals } = (await (await admin.ask("/refusals")).json()) as { refusals: { id: string }[] };
    expect(await explain(refusals[0]?.id ?? "")).toMatchObject({ outcome: "ignored", reason: "bot" });
    expect(await explain("slack:T1:C1:1.2")).toMatchObject({ kind: "request", reason: "not_addressed" });
  });

  it("is 404 for an id that nobody knows, whatever it looks like", async () => {
    for (const id of ["x", "req_nobody", "slack:T9:C9:9.9", `ref_${"0".repeat(20)}`, "a\nb"]) {
      const response = await admin.ask(`/explain/${encodeURIComponent(id)}`);
      expect([id, response.status]).toEqual([id, 404]);
      expect(await response.text()).toContain("Nothing is known of this id");
    }
  });
});

describe("what becomes of an event", () => {
  const words = async (id: string) => (await explain(id)).words;

  it("says what a queued one waits for", async () => {
    await admin.inbox.accept(anOffer(anEvent({ id: "slack:1" })));
    await admin.inbox.accept(anOffer(anEvent({ id: "slack:2" })));
    expect(await words("slack:2")).toContain("It is its turn, or an earlier message");
    const job = await claimOne(admin.queue);
    expect(await words("slack:1")).toMatch(/^The agent of its route works on it \(attempt 1\)\.$/);
    expect(await words("slack:2")).toContain("An earlier message of the same conversation is being answered");
    await admin.queue.settle(job, { kind: "defer", afterMs: 1_000, cause: "BREAKER_OPEN: anthropic" });
    expect(await words("slack:1")).toContain("The model or the platform kept failing and is left alone");
    const untold = "slack has not told yet whose credentials these are";
    await admin.inbox.accept(anOffer(anEvent({ id: "slack:3", conversation: "slack:T1:C3" })));
    await admin.queue.settle(await claimOne(admin.queue), { kind: "defer", afterMs: 1_000, cause: untold });
    expect(await words("slack:3")).toMatch(/ are\. It runs as soon as the platform's API .* takes our token/);
  });

  it("says why one waits for its next attempt", async () => {
    await admin.inbox.accept(anOffer(anEvent({ id: "slack:1" })));
    await admin.queue.settle(await claimOne(admin.queue), {
      kind: "retry",
      afterMs: 1_000,
      cause: "MODEL_UNREACHABLE: ECONNREFUSED",
    });
    expect(await words("slack:1")).toMatch(
      /^It failed once and waits .* MODEL_UNREACHABLE: .* could not be reached/,
    );
  });

  it.each([
    ["answered", "It was answered, in 1 message of 2 characters in all."],
    ["stopped", "Somebody stopped it with /stop, and it was told so, in 1 message"],
    ["out-of-money", "The run was over its budget (budgets.cost_cents)"],
    ["refused", "The model declined to answer"],
  ] as const)("says how one that is done ended: %s", async (outcome, expected) => {
    await admin.finish({ id: "slack:1" }, { kind: "done", outcome, turns: [] }, aRun({ outcome }));
    expect(await words("slack:1")).toContain(expected);
  });

  it("says what to do with a dead letter, whether there is an answer or none", async () => {
    await admin.bury({ id: "slack:1" }, "gave up after 12 attempts: MODEL_BILLING: 402");
    expect(await words("slack:1")).toMatch(/cannot pay.*parley dead replay 'slack:1' runs it again\.$/);
    await admin.bury({ id: "slack:2" }, "DELIVERY_REJECTED: channel_not_found", aRun({}));
    expect(await words("slack:2")).toMatch(
      /refuses the answer for good.*parley dead replay 'slack:2' says the rest\.$/,
    );
  });

  it("says why one was dropped", async () => {
    await admin.finish({ id: "slack:1" }, { kind: "dropped", cause: "paused" });
    expect(await words("slack:1")).toContain("The bot is paused: the kill switch is on");
    await admin.bury({ id: "slack:2" });
    await admin.ask("/dead/slack%3A2", { method: "DELETE", headers: { "x-parley-operator": "ann" } });
    await admin.finish({ id: "slack:7" }, { kind: "dropped", cause: "loop" });
    expect(await words("slack:7")).toContain("the bot's own posts come back");
    await admin.finish({ id: "slack:8" }, { kind: "dropped", cause: "not_installed" });
    expect(await words("slack:8")).toContain("no answer could be said there");
    expect(await words("slack:2")).toContain("an operator put it away: dropped by ann");
  });
});

const wordsOf = wordsAmong(MODULES);

/** Every word that the sources of the adapters and of admission give as a reason to ignore something. */
function reasonsIn(folders: readonly string[]): string[] {
  const files = folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith(".ts"))
      .map((name) => readFileSync(join(folder, name), "utf8")),
  );
  /** Where a reason stands, and what it looks like there. */
  const given: readonly (readonly [within: RegExp, reason: RegExp])[] = [
    [/.+/gs, /\b(?:reason|ignored): "(\w+)"/g],
    [/function (?:uninteresting|reasonToIgnore)\b.*?\n\}/gs, /return "(\w+)"/g],
    [/const IGNORED\b.*?\n\]/gs, /\["\w+", "(\w+)"\]/g],
    [/\.\.\.\[[^[\]]*\]\.map\(\(kind\)/g, /"(\w+)"/g],
    [/const SILENT_TYPES = .*/g, /"(\w+)"/g],
  ];
  const found = given.flatMap(([within, reason]) => {
    const places = files.flatMap((text) => text.match(within) ?? []);
    // In none of the folders together: then the pattern is out of date.
    if (folders.length > 1) expect(places, `${within} in the sources`).not.toEqual([]);
    return places.flatMap((place) => [...place.matchAll(reason)].map((match) => match[1] ?? ""));
  });
  return [...new Set(found)];
}

describe("the words", () => {
  it.each(REQUEST_OUTCOMES)("say something whole of each outcome: %s", (outcome) => {
    for (const platform of PLATFORMS) {
      const words = requestWords({ outcome, reason: null }, wordsOf(platform));
      expect(words).toMatch(/^[A-Z].{20,}\.$/);
      expect(words).not.toMatch(/undefined|null|\s{2}/);
    }
  });

  it.each(PLATFORMS)(
    "say what to compare for each way in which a request of %s is not verified",
    async (platform) => {
      const verify = new URL(`../../adapters/${platform}/verify.ts`, import.meta.url).href;
      const { REASONS: reasons } = (await import(verify)) as { REASONS: Readonly<Record<string, string>> };
      for (const reason of Object.values(reasons)) {
        const outcome = /s old$|ahead of/.test(reason)
          ? "stale"
          : reason.includes("hub.")
            ? "handshake-refused"
            : "forged";
        const words = requestWords({ outcome, reason }, wordsOf(platform));
        expect(words).toContain(reason);
        expect(words).toMatch(
          /Compare (?:[A-Z_]+|the webhook's `secret`)|PARLEY_DEV_KEY|NTP|WHATSAPP_VERIFY_TOKEN|It was not \w+ that sent it/,
        );
      }
    },
  );

  it("know every cause of a refusal", () => {
    for (const cause of REFUSAL_CAUSES) {
      const reason = `${cause}: user`;
      const words = requestWords({ outcome: "refused", reason }, wordsOf("slack"));
      expect(words).toMatch(/^It was taken, recorded and not run \(\w+: user\)\. .{20,}\.$/);
    }
  });

  it("know every code of a failure", () => {
    for (const code of [...ERROR_CODES, "QUEUE_FULL", "STORE_SLOW"])
      expect(errorWords(`gave up after 3 attempts: ${code}: x`)).toMatch(/\.$/);
    expect(errorWords("HTTP_500: x")).toBe("");
  });

  it("know every reason to ignore that the sources name", () => {
    expect(reasonsIn(["src/admit", ...PLATFORMS.map((name) => `adapters/${name}`)]).length).toBeGreaterThan(
      20,
    );
    expect(reasonsIn(["src/admit"]).filter((reason) => !Object.hasOwn(IGNORED_WORDS, reason))).toEqual([]);
  });

  it.each(PLATFORMS)("know every reason to ignore that %s names, and metrics tell it apart", (platform) => {
    const { ignored } = wordsOf(platform);
    const reasons = reasonsIn([`adapters/${platform}`]);
    expect(reasons.filter((reason) => !Object.hasOwn({ ...ignored, ...IGNORED_WORDS }, reason))).toEqual([]);
    expect(reasons.filter((reason) => ignoredLabel(reason, ignored) !== reason)).toEqual([]);
  });
});
