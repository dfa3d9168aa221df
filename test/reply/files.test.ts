import { beforeEach, describe, expect, it } from "vitest";
import { Breakers } from "../../src/domain/breaker.ts";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { SentFile } from "../../src/domain/made-file.ts";
import type { ReplyPart } from "../../src/domain/reply.ts";
import type { Job } from "../../src/ports/queue.ts";
import { type DeliverFilesDeps, deliverFiles } from "../../src/reply/files.ts";
import type { InlineStore } from "../../src/store/sqlite/inline.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { FakeAdapter, failing } from "../support/adapter.ts";
import { FakeClock } from "../support/clock.ts";
import { countOf } from "../support/metrics.ts";
import { aJob, LEASE_MS, nextAttempt, openTestStore } from "../support/store.ts";

const A: SentFile = { id: "f1", name: "a.png", mime: "image/png", bytes: 60 };
const B: SentFile = { id: "f2", name: "b.csv", mime: "text/csv", bytes: 50 };
const C: SentFile = { id: "f3", name: "c.csv", mime: "text/csv", bytes: 40 };
const never = new AbortController().signal;

let store: InlineStore;
let slack: FakeAdapter;
let deps: DeliverFilesDeps;
let metrics: Metrics;
let job: Job;

beforeEach(async () => {
  const clock = new FakeClock();
  store = await openTestStore(clock);
  slack = new FakeAdapter("slack");
  metrics = createMetrics();
  slack.outgoing = {
    ...{ bytesMax: 100, filesMax: 2, messageBytesMax: 100 },
    render: (files) => files.map(({ name }) => name).join("+") as ReplyPart,
  };
  deps = {
    ...{ outbox: store.outbox, isHeld: async () => true, leftMs: () => LEASE_MS },
    ...{ breakers: new Breakers(clock), inDoubt: "resend_marked", log: silentLogger() },
    metrics,
    media: {
      find: async ({ id }) => ({
        sizeBytes: 2,
        async *read() {
          yield Buffer.from(id.slice(-2));
        },
      }),
    },
  };
  job = await aJob(store);
});
const said = () => slack.sends.map(({ part }) => part as string);
const sent = (outcome: string) => countOf(metrics, "filesSent", { platform: "slack", outcome });

describe("files behind an answer", () => {
  it("are as many messages as they need, each with a part of its own, and their bytes within reach", async () => {
    await deliverFiles(job, [A, C, B], slack, deps, never);
    expect(slack.sends.map(({ partId, part, follows }) => [partId, part, follows])).toEqual([
      [`${job.event.id}/file-1/0`, "a.png+c.csv", true],
      [`${job.event.id}/file-2/0`, "b.csv", true],
    ]);
    expect(String(await slack.sends[0]?.readFile?.("f1"))).toBe("f1");
    expect(await sent("sent")).toBe(3);
  });

  it("are each said once, whoever goes on", async () => {
    slack.fates.push(() => ({ messageId: "m1", via: "fake" }), failing(new DeliveryError("retry", "busy")));
    await expect(deliverFiles(job, [A, B], slack, deps, never)).rejects.toThrow("busy");
    job = await nextAttempt(store, job);
    await deliverFiles(job, [A, B], slack, deps, never);
    expect(said()).toEqual(["a.png", "b.csv", "b.csv"]);
  });

  it("that the platform does not take are told, and those behind them go out", async () => {
    slack.fates.push(failing(new DeliveryError("rejected", "missing_scope")));
    await deliverFiles(job, [A, B], slack, deps, never);
    expect(said()).toEqual([
      "a.png",
      "(The file `a.png` could not be sent: it is not taken here, or not kept any more.)",
      "b.csv",
    ]);
    expect([await sent("sent"), await sent("refused")]).toEqual([1, 1]);
  });

  it("are told where nothing goes out any more", async () => {
    delete slack.outgoing;
    await deliverFiles(job, [A, B], slack, deps, never);
    expect(said()).toEqual([
      "(The files `a.png`, `b.csv` could not be sent: they are not taken here, or not kept any more.)",
    ]);
  });

  it("cost nothing where there are none", async () => {
    await deliverFiles(job, [], slack, deps, never);
    expect(said()).toEqual([]);
  });
});
