import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FakeAnswer, FakeCall, Fault } from "../fakes/server.ts";
import { slackError } from "../fakes/slack.ts";
import { forbidden } from "../fakes/telegram.ts";
import { configFolder } from "./configuration.ts";
import { startGateway, temporaryFolder } from "./gateway-process.ts";
import { type Setup, startWithPlatforms } from "./gateway-with-platforms.ts";
import {
  CHAT_PLATFORMS,
  type ChatPlatform,
  deliver,
  openPlatforms,
  privateMessage,
  statusFault,
  tooMany,
} from "./platforms.ts";
import { recordsOf, said } from "./records.ts";

let setup: Setup;
beforeAll(async () => {
  setup = await startWithPlatforms();
});
afterAll(() => setup[Symbol.asyncDispose]());

/** Longer than the gateway would wait by itself before a second try. */
const PAUSE_SECONDS = 3;

/** Never works, however often it is tried. */
const REFUSED: Readonly<Record<ChatPlatform, FakeAnswer>> = {
  slack: slackError("channel_not_found"),
  discord: { status: 403, body: { code: 50_001, message: "Missing Access" } },
  telegram: forbidden(),
  whatsapp: { status: 400, body: { error: { code: 131_047 } } },
};

let people = 40_000;

/**
 * Asks where the first call that answers goes wrong, then asks something else in the same conversation. That is
 * answered after all that was ever to be said to the first question, so what is recorded then is the outcome.
 */
async function askTwice(platform: ChatPlatform, fault: Fault) {
  const { platforms, gateway } = setup;
  const person = ++people;
  const isAboutFirst = ({ body }: { body: string }) => body.includes(`first-${person}`);
  platforms[platform].faults.push({ ...fault, match: isAboutFirst });
  for (const text of [`first-${person}`, `second-${person}`]) {
    const { status } = await deliver(gateway.url, privateMessage(platform, { person, text }));
    expect(status).toBe(200);
  }
  await said(platforms, platform, `second-${person}`);
  const records = recordsOf(platforms, platform).filter(({ text }) => text.includes(`first-${person}`));
  return {
    calls: platforms[platform].calls.filter(isAboutFirst),
    plain: records.filter(({ isMarked }) => !isMarked).length,
    marked: records.filter(({ isMarked }) => isMarked).length,
  };
}

/** Between the call that went wrong and the next. */
function pauseMs([first, second]: readonly FakeCall[]): number {
  return (second?.at ?? 0) - (first?.at ?? 0);
}

/** Whether the platform lets a sender find out what became of a message. */
const CAN_TELL: Readonly<Record<ChatPlatform, boolean>> = {
  slack: true,
  discord: true,
  telegram: false,
  whatsapp: false,
};

describe.concurrent.each(CHAT_PLATFORMS)("an answer on %s", (platform) => {
  it("waits as long as the platform asks, and is said once", async () => {
    const { plain, marked, calls } = await askTwice(platform, statusFault(tooMany(platform, PAUSE_SECONDS)));
    expect({ plain, marked }).toEqual({ plain: 1, marked: 0 });
    expect(pauseMs(calls)).toBeGreaterThanOrEqual(PAUSE_SECONDS * 1000);
  });

  it("is said once after two server errors", async () => {
    const { plain, marked, calls } = await askTwice(platform, { kind: "status", status: 500, times: 2 });
    expect({ plain, marked, calls: calls.length }).toEqual({ plain: 1, marked: 0, calls: 3 });
  });

  it("is said once when the connection breaks before it arrived; marked where nobody can tell", async () => {
    const { plain, marked } = await askTwice(platform, { kind: "reset" });
    expect({ plain, marked }).toEqual(CAN_TELL[platform] ? { plain: 1, marked: 0 } : { plain: 0, marked: 1 });
  });

  it("is said once when the connection breaks after it arrived; a repeat says that it is one", async () => {
    const { plain, marked } = await askTwice(platform, { kind: "reset-after" });
    expect({ plain, marked }).toEqual({ plain: 1, marked: CAN_TELL[platform] ? 0 : 1 });
  });

  it("is given up when the platform refuses it for good, and the conversation goes on", async () => {
    const { plain, marked, calls } = await askTwice(platform, statusFault(REFUSED[platform]));
    expect({ plain, marked, calls: calls.length }).toEqual({ plain: 0, marked: 0, calls: 1 });
  });
});

describe("an answer in doubt", () => {
  it("is left alone where the operator wants it so", async () => {
    await using platforms = await openPlatforms();
    const config = configFolder("  replies: { in_doubt: leave }\n  routes: [{ agent: assistant }]\n");
    await using gateway = await startGateway({ dataDir: temporaryFolder(), config, env: platforms.env });
    platforms.telegram.faults.push({
      kind: "reset-after",
      match: ({ body }) => body.includes("You said: first"),
    });
    for (const text of ["first", "second"])
      expect((await deliver(gateway.url, privateMessage("telegram", { person: 1, text }))).status).toBe(200);
    await said(platforms, "telegram", "You said: second");
    expect(recordsOf(platforms, "telegram").map(({ text }) => text)).toEqual([
      "You said: first",
      "You said: second",
    ]);
  });
});
