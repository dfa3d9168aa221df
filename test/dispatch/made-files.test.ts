import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { filesFor, MadeFiles } from "../../src/dispatch/made-files.ts";
import { keepOut } from "../../src/domain/redact.ts";
import type { Step } from "../../src/domain/run.ts";
import type { OutgoingFiles } from "../../src/ports/adapter.ts";
import type { Media } from "../../src/ports/media.ts";
import { openMediaFolder } from "../../src/store/media/folder.ts";
import { bytesOf } from "../contract/media.ts";
import { FakeClock } from "../support/clock.ts";
import { anEvent } from "../support/event.ts";

const LIMITS = { fileBytes: 1_000, eventBytes: 1_500 };
const OUTGOING: OutgoingFiles = {
  bytesMax: 900,
  filesMax: 1,
  messageBytesMax: 900,
  render: () => "" as never,
};
const png = (bytes: number) =>
  Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), Buffer.alloc(bytes - 8)]);

let folder: string;
let media: Media;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-made-"));
  media = await openMediaFolder({ folder, bytesMax: 3_000, isOwn: true, clock: new FakeClock() });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function keeper(outgoing: OutgoingFiles | null = OUTGOING, steps: readonly Step[] = []) {
  let count = 0;
  const deps = { files: { media, limits: LIMITS }, newId: (prefix: string) => `${prefix}_${++count}` };
  const { keepFile } = MadeFiles.keeping(anEvent(), steps, outgoing === null ? {} : { outgoing }, deps);
  if (keepFile === undefined) throw new Error("Expected a keeper of files");
  return keepFile;
}
const kept = async (id: string) =>
  await bytesOf(await media.find({ conversation: anEvent().conversation, id: `${anEvent().id}/made/${id}` }));

describe("files that tools make", () => {
  it("are kept as they are, under the type that their bytes say", async () => {
    const made = await keeper()({ name: "a.gif", mime: "image/gif", data: png(100) });
    expect(made).toEqual({ id: "file_1", name: "a.gif.png", mime: "image/png", bytes: 100 });
    expect(await kept("file_1")).toBe(png(100).toString("latin1"));
  });

  it("that are no picture are sent as none", async () => {
    const made = await keeper()({ name: "a.png", mime: "image/png", data: Buffer.from([0, 255, 1]) });
    expect(made).toMatchObject({ mime: "application/octet-stream" });
  });

  it("hold no secret of ours where they are text", async () => {
    keepOut("sk-made-files-secret");
    const data = Buffer.from('{"key":"sk-made-files-secret"}');
    await keeper()({ name: "sk-made-files-secret.json", mime: "application/json", data });
    expect(await kept("file_1")).toBe('{"key":"***"}');
  });

  it.each([
    ["no files can be sent here", null, 10],
    ["it is empty", OUTGOING, 0],
    ["it is larger than 0 MiB", OUTGOING, 901],
    ["not that", { ...OUTGOING, refusal: () => "not that" }, 10],
  ])("are refused with a reason: %s", async (why, outgoing, bytes) => {
    const data = Buffer.alloc(bytes, "x");
    const made = await keeper(outgoing)({ name: "a.txt", mime: "text/plain", data });
    expect(made).toEqual({ name: "a.txt", why });
  });

  it("are told in order with those that were not taken at all", async () => {
    const keep = keeper();
    expect(await keep({ name: "../a.bin", why: "too much" })).toEqual({ name: "a.bin", why: "too much" });
    const after = await keep({ name: "a.bin", mime: undefined, data: Buffer.from("x") });
    expect(after).toMatchObject({ name: "a-2.bin", bytes: 1 });
  });

  it("are bounded in number and in bytes, also over what an earlier holder has recorded", async () => {
    const files = Array.from({ length: 9 }, (_, n) => ({ id: `f${n}`, name: `${n}`, mime: "a/b", bytes: 1 }));
    const inner: Step = { kind: "tool", callId: "1", result: "", isError: false, files };
    const steps: Step[] = [{ kind: "agent", callId: "0", agent: "b", steps: [inner] }];
    const keep = keeper(OUTGOING, steps);
    const one = (bytes: number) =>
      keep({ name: "a.txt", mime: "text/plain", data: Buffer.alloc(bytes, "x") });
    expect(await one(800)).toMatchObject({ bytes: 800 });
    expect(await one(1)).toMatchObject({ why: "one answer takes no more than 10 files" });
    const all = keeper();
    const two = (bytes: number) => all({ name: "b.txt", mime: "text/plain", data: Buffer.alloc(bytes, "x") });
    expect(await two(800)).toMatchObject({ name: "b.txt" });
    expect(await two(800)).toMatchObject({
      name: "b-2.txt",
      why: "all files together are larger than 0 MiB",
    });
  });

  it("are told not to be kept where there is no room", async () => {
    await media.put({ conversation: "c", id: "other" }, streamed(2_900), 10_000);
    const made = await keeper()({ name: "a.txt", mime: "text/plain", data: Buffer.alloc(200, "x") });
    expect(made).toEqual({ name: "a.txt", why: "there is no room to keep it" });
  });

  it("go out with an answer, and with none that failed or that somebody ended", () => {
    const sent = { id: "f", name: "a", mime: "a/b", bytes: 1 };
    const unsent = { name: "b", why: "no" };
    const steps: Step[] = [{ kind: "tool", callId: "1", result: "", isError: false, files: [sent, unsent] }];
    expect(filesFor({ outcome: "answered" }, steps)).toEqual({ files: [sent], unsent: [unsent] });
    expect(filesFor({ outcome: "out-of-time" }, steps).files).toEqual([sent]);
    for (const outcome of ["stopped", "refused", "failed"] as const)
      expect(filesFor({ outcome }, steps)).toEqual({ files: [], unsent: [] });
  });
});

async function* streamed(bytes: number): AsyncGenerator<Uint8Array> {
  yield Buffer.alloc(bytes);
}
