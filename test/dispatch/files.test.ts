import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunFiles } from "../../src/dispatch/files.ts";
import type { Attachment, FileRecord } from "../../src/domain/attachment.ts";
import { FILES_TIMEOUT_MS } from "../../src/domain/bounds.ts";
import { contextItem } from "../../src/domain/context.ts";
import { DeliveryError, GatewayError } from "../../src/domain/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { type FileRequest, FileUnreadable } from "../../src/ports/files.ts";
import { type Media, MediaRefused } from "../../src/ports/media.ts";
import { openMediaFolder } from "../../src/store/media/folder.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { streamOf } from "../contract/media.ts";
import { FakeAdapter } from "../support/adapter.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";
import { packedPdf, plainPdf } from "../support/pdf.ts";

const LIMITS = { fileBytes: 100_000, eventBytes: 150_000 };
const PNG = "\x89PNG\r\n\x1a\n\0\0";
const never = new AbortController().signal;

let folder: string;
let media: Media;
let clock: FakeClock;
let adapter: FakeAdapter;
let asked: string[];

beforeEach(async () => {
  clock = new FakeClock();
  folder = await mkdtemp(join(tmpdir(), "parley-files-"));
  media = await openMediaFolder({ folder, bytesMax: 1e9, isOwn: true, clock });
  adapter = new FakeAdapter("slack");
  asked = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Opened = (request: FileRequest) => AsyncIterable<Uint8Array> | null | Promise<AsyncIterable<Uint8Array>>;

function giving(open: Opened): void {
  adapter.files = {
    async open(request) {
      asked.push(request.file.id);
      return await open(request);
    },
  };
}

/** Waiting takes no time but on the clock. */
const patient = (): Clock => ({
  nowMs: () => clock.nowMs(),
  sleep: async (ms) => clock.advance(ms),
  timer: clock.timer,
});
const file = (id: string, over: Partial<Attachment> = {}): Attachment => {
  return { id, kind: "document", name: `${id}.txt`, mime: "text/plain", sizeBytes: null, ...over };
};
const filesOf = (records: readonly FileRecord[] = [], over: { media?: Media } = {}) =>
  new RunFiles(adapter, records, {
    ...{ media, limits: LIMITS, clock: patient(), log: silentLogger(), metrics: createMetrics() },
    ...over,
  });
async function taken(attachments: readonly Attachment[], files = filesOf()): Promise<RunFiles> {
  await files.takeAll([anEvent({ attachments })], [], never);
  return files;
}
const whyOf = (files: RunFiles, id = "F1") => files.records.find((one) => one.file === id)?.why;

describe("the files of a run", () => {
  it("are not read again for memory when their text was shown", async () => {
    giving(() => streamOf("said in it"));
    const files = await taken([file("F1")]);
    await media.forget(anEvent().conversation);
    const texts = await files.texts([anEvent({ attachments: [file("F1")] })], []);
    expect(texts.get("F1")).toEqual({ kind: "text", text: "said in it", isWhole: true });
  });

  it("are fetched once, kept, and shown", async () => {
    giving(({ file: { id } }) => streamOf(`text of ${id}`));
    const files = await taken([file("F1"), file("F2")]);
    expect(files.records).toEqual([
      { event: "slack:T1:C1:1", file: "F1", bytes: 10 },
      { event: "slack:T1:C1:1", file: "F2", bytes: 10 },
    ]);
    expect([...files.views.values()]).toEqual([
      { kind: "text", text: "text of F1", isWhole: true },
      { kind: "text", text: "text of F2", isWhole: true },
    ]);
    const again = filesOf(files.records);
    expect(await again.takeAll([anEvent({ attachments: [file("F1"), file("F2")] })], [], never)).toBe(false);
    expect([...again.views]).toEqual([...files.views]);
    expect(asked.sort()).toEqual(["F1", "F2"]);
  });

  it("are found again after a crash before that was recorded, and not fetched", async () => {
    giving(() => streamOf("once"));
    await taken([file("F1")]);
    const files = await taken([file("F1")]);
    expect(files.records).toMatchObject([{ file: "F1", bytes: 4 }]);
    expect(asked).toEqual(["F1"]);
  });

  it("are told where the disk does not take them or give them back, and the run goes on", async () => {
    giving(() => streamOf("said in it"));
    const { records } = await taken([file("F1")]);
    const broken = new MediaRefused("failed", "The folder of the files cannot be used: EROFS");
    const readOnly: Media = {
      ...{ place: "", usage: () => Promise.reject(broken), sweep: () => Promise.reject(broken) },
      forget: () => Promise.reject(broken),
      find: async ({ id }) =>
        id.endsWith("F1") ? { sizeBytes: 3, read: () => streamOf(broken) } : await Promise.resolve(null),
      put: () => Promise.reject(broken),
    };
    const files = await taken([file("F1"), file("F2")], filesOf(records, { media: readOnly }));
    expect(whyOf(files, "F2")).toBe("it cannot be kept at the moment");
    expect([...files.views.values()]).toEqual([
      { kind: "unread", why: "it cannot be kept at the moment" },
      { kind: "unread", why: "it cannot be kept at the moment" },
    ]);
  });

  it("that could not be read stay so for whoever goes on, and are not asked for again", async () => {
    giving(() => {
      throw new FileUnreadable("gone", "it is not there any more");
    });
    const { records } = await taken([file("F1")]);
    const files = filesOf(records);
    await taken([file("F1")], files);
    expect(files.views.get("F1")).toEqual({ kind: "unread", why: "it is not there any more" });
    expect(asked).toEqual(["F1"]);
  });

  it("that are not kept any more are told as such", async () => {
    giving(() => streamOf("x"));
    const { records } = await taken([file("F1")]);
    await media.forget("slack:T1:C1");
    const files = await taken([file("F1")], filesOf(records));
    expect(files.views.get("F1")).toEqual({ kind: "unread", why: "it is not kept any more" });
  });

  it("are those of the message, and then of what it refers to, each message bounded for itself", async () => {
    giving(() => streamOf("x"));
    const context = [contextItem("quoted", "see", { attachments: [file("F2"), file("F1")] })];
    const earlier = [contextItem("thread", "before", { attachments: [file("F3")] })];
    const files = filesOf();
    const events = [
      anEvent({ attachments: [file("F1")], context }),
      anEvent({ id: "slack:T1:C1:2", attachments: [file("F4")] }),
    ];
    await files.takeAll(events, earlier, never);
    expect(files.records.map((one) => `${one.event} ${one.file}`)).toEqual([
      "slack:T1:C1:1 F1",
      "slack:T1:C1:1 F2",
      "slack:T1:C1:1 F3",
      "slack:T1:C1:2 F4",
    ]);
  });

  it("are not waited for where no model could be shown them, or nothing is known of where they are", async () => {
    giving(() => null);
    const files = await taken([file("F1", { kind: "audio" }), file("F2", { kind: "video" }), file("F3")]);
    expect(asked).toEqual(["F3"]);
    expect(files.records).toEqual([{ event: "slack:T1:C1:1", file: "F3" }]);
    expect(files.views.size).toBe(0);
  });

  it("are not read where the platform gives none", async () => {
    expect((await taken([file("F1")])).records).toEqual([]);
  });

  it("are no larger than they may be, as announced or as they come", async () => {
    giving(() => streamOf("x".repeat(100_001)));
    const files = await taken([file("F1"), file("F2", { sizeBytes: 210_000 })]);
    expect(whyOf(files)).toBe("it is larger than 0.1 MiB");
    expect(whyOf(files, "F2")).toBe("it is larger than 0.1 MiB (0.2 MiB)");
    expect(asked).toEqual(["F1"]);
  });

  it("are together no more than one message may bring, also when they come at the same time", async () => {
    giving(() => streamOf("x".repeat(70_000)));
    const files = await taken(["F1", "F2", "F3"].map((id) => file(id, { sizeBytes: 70_000 })));
    // They come at the same time, so it is chance which of them finds no room.
    const without = files.records.filter(({ bytes }) => (bytes ?? 0) === 0);
    expect(files.records.map(({ bytes }) => bytes ?? 0).sort((a, b) => b - a)).toEqual([70_000, 70_000, 0]);
    expect(without.map(({ file }) => whyOf(files, file))).toEqual([
      expect.stringMatching(/^it is larger than the 0.14 MiB that one message may bring/),
    ]);
  });

  it("are asked for again after a failure that may pass, and no more than three times", async () => {
    const failures = [new DeliveryError("retry", "x"), new DeliveryError("unknown", "x")];
    giving(() => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      return streamOf("at last");
    });
    const waited = clock.nowMs();
    const taking = taken([file("F1")]);
    expect((await taking).views.get("F1")).toMatchObject({ text: "at last" });
    expect(clock.nowMs() - waited).toBe(2_500);
    giving(() => {
      throw new DeliveryError("retry", "HTTP 503");
    });
    const failing = taken([file("F2")]);
    expect(whyOf(await failing, "F2")).toBe("the platform did not give it");
    expect(asked).toEqual(["F1", "F1", "F1", "F2", "F2", "F2"]);
  });

  it("are waited for as long as the platform asks, when that is short", async () => {
    const asks = [3_000, 60_000];
    giving(() => {
      throw new DeliveryError("retry", "HTTP 429", { status: 429, retryAfterMs: asks.shift() ?? null });
    });
    const before = clock.nowMs();
    const taking = taken([file("F1")]);
    expect(whyOf(await taking)).toBe("the platform did not give it");
    expect([asked.length, clock.nowMs() - before]).toEqual([2, 3_000]);
  });

  it("are given up together when their time is over", async () => {
    giving(() => {
      clock.advance(FILES_TIMEOUT_MS);
      throw new DeliveryError("unknown", "timed out");
    });
    const taking = taken([file("F1")]);
    expect(whyOf(await taking)).toBe("the platform did not give it in time");
  });

  it("stop the run when it is stopped, and when the store of media cannot be reached", async () => {
    const stop = new AbortController();
    giving(() => {
      stop.abort(new Error("stopped"));
      throw new DeliveryError("unknown", "aborted");
    });
    const files = filesOf();
    const taking = files.takeAll([anEvent({ attachments: [file("F1")] })], [], stop.signal);
    await expect(taking).rejects.toThrow("stopped");
    expect(files.records).toEqual([]);
    const away = new GatewayError("STORE_UNAVAILABLE", "away");
    const gone = { ...media, find: () => Promise.reject(away) } as unknown as Media;
    giving(() => streamOf("x"));
    await expect(taken([file("F1")], filesOf([], { media: gone }))).rejects.toBe(away);
  });

  it("are told when there is no room to keep them", async () => {
    media = await openMediaFolder({ folder, bytesMax: 3, isOwn: true, clock });
    giving(() => streamOf("four"));
    expect(whyOf(await taken([file("F1")]))).toBe("there is no room to keep it");
  });

  it.each<[string, string, Partial<Attachment>, object | undefined]>([
    ["a text in UTF-8", "\xc3\xa4\r\nb", {}, { kind: "text", text: "ä\nb", isWhole: true }],
    ["a text in UTF-16", "\xff\xfea\0b\0", {}, { kind: "text", text: "ab", isWhole: true }],
    ["a text of an unknown type", "a: 1", { mime: null }, { kind: "text", text: "a: 1", isWhole: true }],
    ["an empty file", "", {}, { kind: "text", text: "", isWhole: true }],
    ["what is no text", "PK\x03\x04\0\xff", {}, undefined],
    ["an image", PNG, { mime: "text/plain" }, expect.objectContaining({ kind: "image", mime: "image/png" })],
    [
      "an image that is none",
      "\0\x01",
      { mime: "image/png" },
      { kind: "unread", why: "it is not the image that it is said to be" },
    ],
  ])("show %s by what it holds", async (_, bytes, over, view) => {
    giving(() => streamOf(bytes));
    expect((await taken([file("F1", over)])).views.get("F1")).toEqual(view);
  });

  it("show of a long text its beginning, cut between characters", async () => {
    giving(() => streamOf(`a${"\xe2\x82\xac".repeat(20_000)}`));
    const view = (await taken([file("F1")])).views.get("F1");
    expect(view).toEqual({ kind: "text", text: `a${"€".repeat(10_922)}`, isWhole: false });
  });

  it("have their texts for memory, and no images", async () => {
    giving(({ file: { id } }) => streamOf(id === "F1" ? "text" : PNG));
    const { records } = await taken([file("F1"), file("F2")]);
    const event = anEvent({ attachments: [file("F1"), file("F2")] });
    const texts = await filesOf(records).texts([event], []);
    expect([...texts]).toEqual([["F1", { kind: "text", text: "text", isWhole: true }]]);
  });

  it("are shown of a PDF the whole, and not in memory, also where its text could be read", async () => {
    giving(({ file: { id } }) => streamOf((id === "F1" ? plainPdf(2) : packedPdf(3)).toString("latin1")));
    const attachments = [file("F1", { mime: "application/pdf" }), file("F2")];
    const files = await taken(attachments);
    expect([...files.views.values()]).toMatchObject([
      { kind: "pdf", name: "F1.txt.pdf", pages: 2 },
      { kind: "pdf", pages: 3 },
    ]);
    const event = anEvent({ attachments });
    expect([...(await files.texts([event], []))]).toEqual([]);
    expect([...(await filesOf(files.records).texts([event], []))]).toEqual([]);
  });

  it("are of PDFs no more pages than one request may have", async () => {
    giving(() => streamOf(plainPdf(60).toString("latin1")));
    const files = await taken([file("F1"), file("F2")]);
    expect([...files.views.values()]).toMatchObject([
      { kind: "pdf", pages: 60 },
      { kind: "unread", why: "there are too many pages at once" },
    ]);
  });

  it("hold in memory only so many images", async () => {
    const large = PNG + "x".repeat(3_000_000);
    giving(() => streamOf(large));
    const files = new RunFiles(adapter, [], {
      ...{
        media,
        limits: { fileBytes: 1e8, eventBytes: 1e9 },
        clock,
        log: silentLogger(),
        metrics: createMetrics(),
      },
    });
    await taken(
      ["F1", "F2", "F3"].map((id) => file(id, { kind: "image", mime: "image/png" })),
      files,
    );
    expect([...files.views.values()].map(({ kind }) => kind)).toEqual(["image", "image", "unread"]);
  });
});
