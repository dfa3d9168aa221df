import { beforeEach, describe, expect, it } from "vitest";
import { earlierIn } from "../../src/dispatch/earlier.ts";
import { BREAKER_FAILURES_IN_ROW_MAX } from "../../src/domain/bounds.ts";
import { Breakers } from "../../src/domain/breaker.ts";
import { contextItem } from "../../src/domain/context.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { ThreadReader } from "../../src/ports/adapter.ts";
import { Secret } from "../../src/shared/secret.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { FakeAdapter } from "../support/adapter.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";

const UNREAD = [{ kind: "note", text: "The earlier messages of this thread could not be read." }];
const said = (text: string) => contextItem("thread", text, { author: { id: "U8", name: "Bea" } });

let clock: FakeClock;
let breakers: Breakers;
let adapter: FakeAdapter;
let asked: number;

beforeEach(() => {
  clock = new FakeClock();
  breakers = new Breakers(clock);
  adapter = new FakeAdapter("slack");
  asked = 0;
});

function reading(read: ThreadReader["read"]): void {
  adapter.thread = {
    waitMs: 5_000,
    read(event, signal) {
      asked += 1;
      return read(event, signal);
    },
  };
}

const ask = (event: Partial<TriggerEvent> = {}, signal = new AbortController().signal) =>
  earlierIn(
    anEvent({ thread: "100.1", ...event }),
    adapter,
    { breakers, clock, log: silentLogger(), sinceMs: clock.nowMs() - 60_000 },
    signal,
  );

describe("what was said earlier in a thread", () => {
  it("is what the platform gives", async () => {
    reading(async () => ({ items: [said("one"), said("two")], isWhole: true }));
    expect(await ask()).toEqual([said("one"), said("two")]);
  });

  it("holds no secret of ours that the platform repeats, and no name or list of files without a bound", async () => {
    const secret = new Secret("xoxb-canary-0123456789").reveal();
    const file = { id: "F1", kind: "document" as const, name: secret, mime: "x".repeat(5_000), sizeBytes: 1 };
    const item = contextItem("thread", `the token is ${secret}`, {
      author: { id: "U8", name: `${secret}${"n".repeat(5_000)}` },
      attachments: Array(500).fill(file),
    });
    reading(async () => ({ items: [said("one"), item], isWhole: true }));
    const items = (await ask()) ?? [];
    expect(items[1]).toMatchObject({ text: "the token is ***", author: { id: "U8" } });
    expect(JSON.stringify(items)).not.toContain("canary");
    expect(JSON.stringify(items).length).toBeLessThan(10_000);
  });

  it("tells when the platform gave only a part", async () => {
    reading(async () => ({ items: [said("one")], isWhole: false }));
    expect(await ask()).toMatchObject([
      { kind: "note", text: expect.stringMatching(/^Only a part/) },
      said("one"),
    ]);
  });

  it.each<[string, Partial<TriggerEvent>]>([
    ["outside of a thread", { thread: null }],
    ["for a command", { trigger: "command" }],
  ])("is not asked for %s", async (_name, event) => {
    reading(async () => ({ items: [said("one")], isWhole: true }));
    expect([await ask(event), asked]).toEqual([null, 0]);
  });

  it("is asked for when a button is what brings the bot into the thread", async () => {
    reading(async () => ({ items: [said("one")], isWhole: true }));
    expect(await ask({ trigger: "button" })).toEqual([said("one")]);
  });

  it("does not bring back what somebody asked to forget", async () => {
    const items = ["secret", "!reset", "again secret", "@UBOT !reset", "after"].map(said);
    reading(async () => ({ items, isWhole: true }));
    expect(await ask()).toEqual([said("after")]);
  });

  it("is, but for the message that began it, no older than memory", async () => {
    const at = (text: string, agoMs: number) => ({ ...said(text), atMs: clock.nowMs() - agoMs });
    const items = [at("root", 90_000), at("old", 61_000), at("new", 59_000)];
    reading(async () => ({ items, isWhole: true }));
    expect((await ask())?.map(({ text }) => text)).toEqual(["root", "new"]);
  });

  it("is waited for no longer than it may take, even of a platform that does not let go", async () => {
    let heard: AbortSignal | undefined;
    reading((_event, signal) => {
      heard = signal;
      return new Promise(() => {});
    });
    const answer = ask();
    clock.advance(5_000);
    expect(await answer).toMatchObject(UNREAD);
    expect(heard?.aborted).toBe(true);
    expect(breakers.of("slack").state()).toBe("closed");
  });

  it("ends with the run, and with its reason", async () => {
    const run = new AbortController();
    reading(() => new Promise(() => {}));
    const answer = ask({}, run.signal);
    run.abort("draining");
    await expect(answer).rejects.toBe("draining");
    expect(clock.sleeping).toBe(0);
  });

  it("is not asked of a platform that is left alone, and its failures count like others", async () => {
    reading(() => Promise.reject(new DeliveryError("retry", "HTTP 503", { status: 503 })));
    for (let n = 0; n < BREAKER_FAILURES_IN_ROW_MAX; n++) expect(await ask()).toMatchObject(UNREAD);
    expect(breakers.of("slack").state()).toBe("open");
    expect([await ask(), asked]).toMatchObject([UNREAD, BREAKER_FAILURES_IN_ROW_MAX]);
  });

  it.each([
    new DeliveryError("rejected", "missing_scope"),
    new DeliveryError("retry", "ratelimited", { status: 429 }),
    new TypeError("a bug"),
  ])("says nothing about the platform when it fails with %s", async (error) => {
    reading(() => Promise.reject(error));
    for (let n = 0; n < BREAKER_FAILURES_IN_ROW_MAX; n++) expect(await ask()).toMatchObject(UNREAD);
    expect(breakers.of("slack").state()).toBe("closed");
  });
});
