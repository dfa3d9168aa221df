import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { KeptFile, Media } from "../../src/ports/media.ts";
import type { FakeClock } from "../support/clock.ts";

/** Where a driver keeps its files, as a test may open it again and again. */
export interface MediaPlace extends AsyncDisposable {
  readonly clock: FakeClock;
  /** As another process would, or the next one after a crash. */
  open(bytesMax?: number): Promise<Media>;
}

export async function bytesOf(file: KeptFile | null): Promise<string | null> {
  if (file === null) return null;
  const chunks: Uint8Array[] = [];
  for await (const chunk of file.read()) chunks.push(chunk);
  expect(Buffer.concat(chunks)).toHaveLength(file.sizeBytes);
  return Buffer.concat(chunks).toString("latin1");
}

export function streamOf(...chunks: readonly (string | Error)[]): AsyncIterable<Uint8Array> {
  return Readable.from(
    (function* () {
      for (const chunk of chunks) {
        if (chunk instanceof Error) throw chunk;
        yield Buffer.from(chunk, "latin1");
      }
    })(),
  );
}

const MANY = 1_000_000;
const DAY_MS = 86_400_000;

/** The one suite of the Media port. */
export function mediaContract(name: string, start: () => Promise<MediaPlace>): void {
  describe(`media: ${name}`, () => {
    const key = { conversation: "slack:T1:C1:1", id: "slack:T1:C1:1/F1" };
    const put = (media: Media, text = "hello", over: Partial<typeof key> = {}) =>
      media.put({ ...key, ...over }, streamOf(text), MANY);

    it("gives back what it was given, to whoever opens it, byte for byte", async () => {
      await using place = await start();
      const all = String.fromCharCode(...Array.from({ length: 256 }, (_, byte) => byte)).repeat(300);
      expect(await (await place.open()).put(key, streamOf(all.slice(0, 7), all.slice(7)), MANY)).toBe(76_800);
      const other = await place.open();
      expect((await bytesOf(await other.find(key))) === all).toBe(true);
      expect(await other.usage()).toEqual({ files: 1, bytes: 76_800 });
    });

    it("keeps an empty file, and has none that it was not given", async () => {
      await using place = await start();
      const media = await place.open();
      expect(await media.put(key, streamOf(), MANY)).toBe(0);
      expect(await bytesOf(await media.find(key))).toBe("");
      expect(await media.find({ ...key, id: "another" })).toBe(null);
      expect(await media.find({ ...key, conversation: "another" })).toBe(null);
    });

    it("leaves what is there as it is", async () => {
      await using place = await start();
      const media = await place.open();
      await put(media, "first");
      expect(await put(media, "second, and longer")).toBe(5);
      expect(await bytesOf(await media.find(key))).toBe("first");
      expect(await media.usage()).toEqual({ files: 1, bytes: 5 });
    });

    it("takes a file of exactly its limit, and nothing of one that is a byte larger", async () => {
      await using place = await start();
      const media = await place.open();
      expect(await media.put(key, streamOf("12345"), 5)).toBe(5);
      const larger = { ...key, id: "larger" };
      const put = media.put(larger, streamOf("123456"), 5);
      await expect(put).rejects.toMatchObject({ name: "MediaRefused", why: "too-large" });
      expect(await media.find(larger)).toBe(null);
      expect(await media.usage()).toEqual({ files: 1, bytes: 5 });
    });

    it("keeps nothing of a file that breaks off, and takes it when it comes again", async () => {
      await using place = await start();
      const media = await place.open();
      const broken = media.put(key, streamOf("half", new Error("cut")), MANY);
      await expect(broken).rejects.toThrow("cut");
      expect(await media.find(key)).toBe(null);
      expect(await media.usage()).toEqual({ files: 0, bytes: 0 });
      await put(media, "whole");
      expect(await bytesOf(await media.find(key))).toBe("whole");
    });

    it("takes no more than there is room for, and goes on when there is some again", async () => {
      await using place = await start();
      const media = await place.open(10);
      await put(media, "1234567");
      const full = put(media, "1234", { id: "second" });
      await expect(full).rejects.toMatchObject({ name: "MediaRefused", why: "full" });
      await put(media, "123", { id: "third" });
      place.clock.advance(DAY_MS + 1);
      await media.sweep(DAY_MS);
      await put(media, "1234", { id: "second" });
      expect(await media.usage()).toEqual({ files: 1, bytes: 4 });
    });

    it("forgets the files of one conversation, and no others", async () => {
      await using place = await start();
      const media = await place.open();
      await put(media, "one");
      await put(media, "two", { id: "second" });
      await put(media, "of another", { conversation: "slack:T1:C1:2" });
      await (await place.open()).forget(key.conversation);
      await media.forget(key.conversation);
      expect(await media.find(key)).toBe(null);
      expect(await media.usage()).toEqual({ files: 1, bytes: 10 });
      await put(media, "anew");
      expect(await bytesOf(await media.find(key))).toBe("anew");
    });

    it("deletes what is past its time, and nothing before", async () => {
      await using place = await start();
      const media = await place.open();
      await put(media, "old");
      place.clock.advance(DAY_MS);
      await put(media, "new", { id: "second" });
      expect(await media.sweep(DAY_MS)).toBe(0);
      expect(await bytesOf(await media.find(key))).toBe("old");
      place.clock.advance(1);
      expect(await media.sweep(DAY_MS)).toBe(1);
      expect(await media.find(key)).toBe(null);
      expect(await bytesOf(await media.find({ ...key, id: "second" }))).toBe("new");
    });

    it("takes names of any kind, and none of them leads anywhere else", async () => {
      await using place = await start();
      const media = await place.open();
      const names = ["../../etc/passwd", "", ".", "..", "a/b", "a\0b", "\ud800", "%2e%2e", "x".repeat(5_000)];
      for (const id of names) await media.put({ conversation: id, id }, streamOf(id.slice(0, 9)), MANY);
      expect(await media.usage()).toMatchObject({ files: names.length });
      for (const id of names) expect(await media.find({ conversation: id, id })).not.toBe(null);
    });
  });
}
