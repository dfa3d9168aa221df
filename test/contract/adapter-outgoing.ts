import { describe, expect, it } from "vitest";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { SentFile } from "../../src/domain/made-file.ts";
import type { Delivery } from "../../src/domain/reply.ts";
import type { Adapter } from "../../src/ports/adapter.ts";
import type { FilesUnderTest } from "./adapter-files.ts";

const never = new AbortController().signal;
/** No text: each byte there is, and a zero among them. */
const PIXELS = Buffer.concat([
  Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
  Buffer.from(Array.from({ length: 512 }, (_, index) => index % 256)),
]);
const PICTURE: SentFile = { id: "file_1", name: "chart.png", mime: "image/png", bytes: PIXELS.length };
const TABLE: SentFile = { id: "file_2", name: "Häuser & „Preise“.csv", mime: "text/csv", bytes: 11 };
const KEPT = new Map([
  [PICTURE.id, PIXELS],
  [TABLE.id, Buffer.from("häuser,1\r\n")],
]);

/** Files that tools made, behind an answer: on each platform that takes any. */
export function outgoingContract(
  open: (timeoutMs?: number) => Promise<{ under: FilesUnderTest; event: TriggerEvent }>,
): void {
  describe("files behind an answer", () => {
    const outgoingOf = ({ outgoing }: Adapter) => {
      if (outgoing === undefined) throw new Error("Expected a platform that takes files");
      return outgoing;
    };
    const words = (adapter: Adapter, { replyTo: to }: TriggerEvent): Delivery => {
      const [part] = adapter.render("Here it is", to);
      if (part === undefined) throw new Error("Expected a part");
      return { partId: "event/0", to, part, index: 0, sendsBefore: 0, mayRepeat: false };
    };
    const behind = (
      adapter: Adapter,
      { replyTo: to }: TriggerEvent,
      file: SentFile,
      number = 1,
      kept: ReadonlyMap<string, Buffer> = KEPT,
    ): Delivery => ({
      ...{ partId: `event/file-${number}/0`, to, part: outgoingOf(adapter).render([file]) },
      ...{ index: 0, sendsBefore: number, mayRepeat: false, follows: true },
      readFile: async (id) => kept.get(id) ?? null,
    });
    const texts = (under: FilesUnderTest) => under.files().map(({ text }) => text);
    const PICTURE_TEXT = `base64:${PIXELS.toString("base64")}`;

    it("arrive with every byte, in the place of the question, a picture and a table alike", async () => {
      const { under, event } = await open();
      const { adapter } = under;
      await adapter.send(words(adapter, event), never);
      await adapter.send(behind(adapter, event, PICTURE), never);
      await adapter.send(behind(adapter, event, TABLE, 2), never);
      expect(texts(under).sort()).toEqual([PICTURE_TEXT, "häuser,1\r\n"].sort());
      expect(new Set(under.files().map(({ place }) => place))).toEqual(new Set([event.place]));
      expect(under.said().filter(({ text }) => text.trim() !== "")).toHaveLength(1);
      await under.fake.close();
    });

    it.each(["reset-after", "hang-after"] as const)(
      "are in doubt after a %s, and each is there once",
      async (kind) => {
        const { under, event } = await open(kind === "reset-after" ? 60_000 : 2_000);
        const { adapter } = under;
        await adapter.send(words(adapter, event), never);
        const deliveries = [behind(adapter, event, PICTURE), behind(adapter, event, TABLE, 2)];
        for (const delivery of deliveries) {
          const before = under.files().length;
          under.fake.faults.push({
            kind,
            match: ({ path }) => !/upload|\/media$/i.test(path) || /complete/.test(path),
          });
          await expect(adapter.send(delivery, never)).rejects.toBeInstanceOf(DeliveryError);
          const found = await adapter.recover(delivery, never);
          if (found === "absent" || found === "repeatable")
            await adapter.send({ ...delivery, sendsBefore: delivery.sendsBefore + 1 }, never);
          expect(under.files()).toHaveLength(before + 1);
        }
        await under.fake.close();
      },
    );

    it("that were never sent are not found in those that were", async () => {
      const { under, event } = await open();
      const { adapter } = under;
      await adapter.send(words(adapter, event), never);
      await adapter.send(behind(adapter, event, PICTURE), never);
      expect(["absent", "unknown"]).toContain(await adapter.recover(behind(adapter, event, TABLE, 2), never));
      await under.fake.close();
    });

    it("that are not kept any more are rejected, and nobody sees anything", async () => {
      const { under, event } = await open();
      const delivery = behind(under.adapter, event, PICTURE, 1, new Map());
      await expect(under.adapter.send(delivery, never)).rejects.toMatchObject({ kind: "rejected" });
      expect([...under.files(), ...under.said()]).toEqual([]);
      await under.fake.close();
    });

    it("are rejected where none is taken", async () => {
      const { under, event } = await open();
      under.refuseFiles();
      const sent = under.adapter.send(behind(under.adapter, event, TABLE), never);
      await expect(sent).rejects.toMatchObject({ kind: "rejected" });
      expect(under.files()).toEqual([]);
      await under.fake.close();
    });

    it("may be repeated with a mark that they may be a repeat", async () => {
      const { under, event } = await open();
      const { adapter, fake } = under;
      await adapter.send({ ...behind(adapter, event, TABLE), mayRepeat: true }, never);
      expect(under.files()).toHaveLength(1);
      expect(fake.calls.some(({ body }) => /may.{1,3}be.{1,3}a.{1,3}repeat/i.test(body))).toBe(true);
      await fake.close();
    });
  });
}
