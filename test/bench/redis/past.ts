import type { ReplyPart } from "../../../src/domain/reply.ts";
import { NO_USAGE, type Progress, type Turn } from "../../../src/domain/run.ts";
import type { Job } from "../../../src/ports/queue.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { RedisLink } from "../../../src/store/redis/redis-link.ts";
import { openStoreOn, type SharedStore } from "../../../src/store/redis/store.ts";
import { FakeClock } from "../../support/clock.ts";
import { anOffer } from "./store.ts";

export interface Past extends AsyncDisposable {
  readonly store: SharedStore;
  readonly clock: FakeClock;
}

/** For what has happened before: made by the scripts themselves, by a clock that stands still and without chance. */
export async function openPast(url: string, prefix: string): Promise<Past> {
  const clock = new FakeClock();
  const random = () => 0.5;
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const connection = {
    url: new Secret(url),
    cluster: false,
    sentinel: null,
    tls: null,
    waitReplicas: 0,
  };
  // However busy the machine is: nobody waits for this.
  const times = { briefMs: 60_000, silentMs: 60_000 };
  const link = new RedisLink({ connection, key: `{${prefix}}:meta`, random, log, times });
  await link.open(5_000);
  const limits = { waitingPerLaneMax: 1e6, waitingMax: 1e7 };
  const store = await openStoreOn({
    link,
    prefix,
    owner: "past",
    clock,
    random,
    limits,
    durability: "none",
    time: "clock",
    log,
  });
  return { store, clock, [Symbol.asyncDispose]: () => store[Symbol.asyncDispose]() };
}

/** A message that waits. */
export async function ask({ store, clock }: Past, number: string, text: string, round = 0): Promise<void> {
  const answer = await store.inbox.accept(anOffer({ id: `${number}.${round}`, place: number, text, clock }));
  if (answer.kind !== "accepted") throw new Error(`Expected accepted, got ${answer.kind}`);
}

/** Answers all that waits, in one part each, and remembers question and answer unless told otherwise. */
export async function answerAll(past: Past, text: string, { remember = true } = {}): Promise<void> {
  for (;;) {
    const jobs = await past.store.queue.claim({ jobsMax: 1_000, leaseMs: 30_000 });
    if (jobs.length === 0) return;
    await Promise.all(jobs.map((job) => answerOne(past, job, text, remember)));
  }
}

async function answerOne({ store, clock }: Past, job: Job, text: string, remember: boolean): Promise<void> {
  const atMs = clock.nowMs();
  const progress: Progress = {
    runId: "run_1k7u7dbav4jgcln00001",
    agent: "assistant",
    startedAtMs: atMs,
    steps: [],
    answer: {
      outcome: "answered",
      text,
      parts: [JSON.stringify({ text }) as ReplyPart],
      usage: NO_USAGE,
    },
  };
  await store.queue.checkpoint(job, progress);
  const partId = `${job.event.id}/0`;
  await store.outbox.reserve(job, partId);
  await store.outbox.record(partId, { messageId: "1700000000.000001", via: "chat.postMessage" });
  const turns: Turn[] = [
    { role: "user", name: job.event.sender.name, text: job.event.text, atMs },
    { role: "assistant", name: null, text, atMs },
  ];
  await store.queue.settle(job, { kind: "done", outcome: "answered", turns: remember ? turns : [] });
}
