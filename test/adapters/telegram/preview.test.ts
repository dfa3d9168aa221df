import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Breakers } from "../../../src/domain/breaker.ts";
import type { Render } from "../../../src/ports/adapter.ts";
import type { Job } from "../../../src/ports/queue.ts";
import { deliver } from "../../../src/reply/deliver.ts";
import { type Preview, Previews } from "../../../src/reply/preview.ts";
import { silentLogger } from "../../../src/telemetry/log.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { type FakeTelegram, tooManyRequests } from "../../fakes/telegram.ts";
import { FakeClock } from "../../support/clock.ts";
import { eventually } from "../../support/eventually.ts";
import { aJob, LEASE_MS, openTestStore } from "../../support/store.ts";
import { adapterFor, openFake } from "./fake.ts";
import { addressOf } from "./setup.ts";

const render: Render = (adapter, markdown, to) => adapter.render(markdown, to);

let fake: FakeTelegram;
let clock: FakeClock;
let job: Job;
let preview: Preview;
let say: (answer: string) => Promise<void>;

beforeEach(async () => {
  fake = await openFake();
  clock = new FakeClock();
  const { outbox } = await openAt();
  const adapter = adapterFor(fake, { clock });
  const metrics = createMetrics();
  const deps = {
    outbox,
    breakers: new Breakers(clock),
    isHeld: async () => true,
    leftMs: () => LEASE_MS,
    log: silentLogger(),
  };
  const previews = new Previews({ agents: new Set(["assistant"]), render, clock, metrics });
  const { signal } = new AbortController();
  const begun = previews.begin(job, "assistant", adapter, deps, signal);
  if (begun === undefined) throw new Error("Expected a preview, got none");
  preview = begun;
  say = async (answer) => {
    await preview.end();
    const parts = adapter.render(answer, job.event.replyTo);
    await deliver(job, parts, adapter, { ...deps, inDoubt: "resend_marked", metrics }, signal);
  };
});
afterEach(() => fake.close());

async function openAt() {
  const store = await openTestStore(clock);
  job = await aJob(store, { platform: "telegram", replyTo: addressOf({ messageId: 5 }) });
  return store;
}

/** What Telegram was asked, each with the milliseconds since the start. */
const golden: [atMs: number, method: string, text: string][] = [];
async function show(text: string, afterMs: number, isCalled = true): Promise<void> {
  const before = fake.calls.length;
  preview.show(text);
  // The call before has come to its end, and the next is planned.
  await eventually(async () => expect(clock.sleeping).toBe(1), 5_000);
  clock.advance(afterMs);
  if (isCalled) await fake.until(() => fake.calls.length > before);
  note();
}

let startMs = 0;
function note(): void {
  for (const { path, body } of fake.calls.slice(golden.length)) {
    const { text } = JSON.parse(body) as { text: string };
    golden.push([clock.nowMs() - startMs, path.split("/").at(-1) ?? "", text]);
  }
}

beforeEach(() => {
  golden.length = 0;
  startMs = clock.nowMs();
});

const STAGES = [
  "## Plan\n\nFirst **look at the po",
  "## Plan\n\nFirst **look at the pods**, then:\n\n```sh\nkubectl get pods -n web\nkubectl des",
  "## Plan\n\nFirst **look at the pods**, then:\n\n```sh\nkubectl get pods -n web\nkubectl describe pod web-0\n```\n\n- one\n- two with [a li",
];
const WHOLE =
  "## Plan\n\nFirst **look at the pods**, then:\n\n```sh\nkubectl get pods -n web\nkubectl describe pod web-0\n```\n\n- one\n- two with [a link](https://example.com/a)";

describe("an answer in Markdown, on Telegram", () => {
  it("is shown as valid markup at each stage: these calls, at these times", async () => {
    await show(STAGES[0] ?? "", 500);
    await show(STAGES[1] ?? "", 1_100);
    await show(STAGES[2] ?? "", 1_100);
    clock.advance(200);
    await say(WHOLE);
    note();
    expect(golden).toEqual([
      [500, "sendMessage", "<b>Plan</b>\n\nFirst **look at the …"],
      [
        1_600,
        "editMessageText",
        '<b>Plan</b>\n\nFirst <b>look at the pods</b>, then:\n\n<pre><code class="language-sh">kubectl get pods -n web\nkubectl …</code></pre>',
      ],
      [
        2_700,
        "editMessageText",
        '<b>Plan</b>\n\nFirst <b>look at the pods</b>, then:\n\n<pre><code class="language-sh">kubectl get pods -n web\nkubectl describe pod web-0</code></pre>\n\n• one\n• two with [a …',
      ],
      [
        2_900,
        "editMessageText",
        '<b>Plan</b>\n\nFirst <b>look at the pods</b>, then:\n\n<pre><code class="language-sh">kubectl get pods -n web\nkubectl describe pod web-0</code></pre>\n\n• one\n• two with <a href="https://example.com/a">a link</a>',
      ],
    ]);
    expect(fake.messages).toMatchObject([{ messageId: 101, asHtml: true }]);
    expect(fake.calls.every(({ fault }) => fault === null)).toBe(true);
  });

  it("leaves the chat alone while Telegram asks for it, and is whole right after", async () => {
    await show(STAGES[0] ?? "", 500);
    fake.faults.push({ kind: "status", ...tooManyRequests(7), status: 429 });
    await show(STAGES[1] ?? "", 1_100);
    await show(STAGES[2] ?? "", 1_100, false);
    await expect(say(WHOLE)).rejects.toMatchObject({ status: 429, retryAfterMs: 5_900 });
    clock.advance(5_900);
    await say(WHOLE);
    note();
    expect(golden.map(([atMs, method]) => [atMs, method])).toEqual([
      [500, "sendMessage"],
      [1_600, "editMessageText"],
      [8_600, "editMessageText"],
    ]);
    expect(fake.messages.map(({ text }) => text)).toEqual([expect.stringContaining("two with a link")]);
  });
});
