import { describe, expect, it } from "vitest";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import type { Adapter } from "../../src/ports/adapter.ts";
import type { FakeServer } from "../fakes/server.ts";

interface Shared {
  readonly place: string;
  readonly name: string;
  readonly text: string;
}

/** What the suite needs of a platform on which long answers are files. */
export interface FilesUnderTest {
  readonly adapter: Adapter;
  readonly fake: FakeServer;
  /** What people can read, oldest first; what only a file says is not in it. */
  readonly said: () => readonly { readonly text: string }[];
  readonly files: () => readonly Shared[];
  /** From now on no file is taken here. */
  readonly refuseFiles: () => void;
}

const never = new AbortController().signal;

/** `charsMax`: so long an answer is messages, and a longer one a file. */
export function filesContract(
  charsMax: number,
  open: (timeoutMs?: number) => Promise<{ under: FilesUnderTest; event: TriggerEvent }>,
): void {
  describe("an answer that is too long for messages", () => {
    const prose = (chars: number) => {
      const text = Array.from({ length: Math.ceil(chars / 20) }, (_, n) => `Sentence ${n} of **it**.`).join(
        " ",
      );
      return `${text.slice(0, chars - 1)}!`;
    };
    const deliveriesOf = (adapter: Adapter, { replyTo: to }: TriggerEvent, text: string): Delivery[] =>
      adapter.render(text, to).map((part, index) => {
        return { partId: `event/${index}`, to, part, index, sendsBefore: index, mayRepeat: false };
      });
    async function sendAll(adapter: Adapter, deliveries: readonly Delivery[]): Promise<Receipt[]> {
      const receipts: Receipt[] = [];
      for (const delivery of deliveries) receipts.push(await adapter.send(delivery, never));
      return receipts;
    }
    const words = (texts: readonly { text: string }[]) =>
      texts
        .map(({ text }) => text)
        .join("\n")
        .match(/Sentence \d+/g) ?? [];

    it("is one message with its beginning and one file with the whole", async () => {
      const { under, event } = await open();
      const text = prose(charsMax + 1);
      await sendAll(under.adapter, deliveriesOf(under.adapter, event, text));
      expect(under.files()).toEqual([{ place: event.place, name: "answer.md", text }]);
      const said = under.said().filter((one) => one.text !== "");
      expect(said).toHaveLength(1);
      expect(said[0]?.text).toMatch(/^Sentence 0 of .*whole answer is in the file/s);
      await under.fake.close();
    });

    it("is messages when it is a character shorter", async () => {
      const { under, event } = await open();
      await sendAll(under.adapter, deliveriesOf(under.adapter, event, prose(charsMax)));
      expect(under.files()).toEqual([]);
      expect(under.said().length).toBeGreaterThan(1);
      await under.fake.close();
    });

    it("keeps every character of every language in its file", async () => {
      const { under, event } = await open();
      const text = `${'ä€👩‍👩‍👧 "quoted"\r\n--boundary\n'.repeat(700)}end`;
      await sendAll(under.adapter, deliveriesOf(under.adapter, event, text));
      expect(under.files().map((file) => file.text)).toEqual([text]);
      await under.fake.close();
    });

    it.each(["reset-after", "hang-after"] as const)(
      "is in doubt after a %s, and its file is there once",
      async (kind) => {
        const { under, event } = await open(kind === "reset-after" ? 60_000 : 2_000);
        const deliveries = deliveriesOf(under.adapter, event, prose(charsMax + 1));
        const last = deliveries.at(-1) as Delivery;
        await sendAll(under.adapter, deliveries.slice(0, -1));
        // Of the calls that it takes, the one that people see.
        under.fake.faults.push({
          kind,
          match: ({ path }) => !/upload|\/media$/i.test(path) || /complete/.test(path),
        });
        await expect(under.adapter.send(last, never)).rejects.toBeInstanceOf(DeliveryError);
        expect(under.files()).toHaveLength(1);
        const found = await under.adapter.recover(last, never);
        if (found === "absent" || found === "repeatable")
          await under.adapter.send({ ...last, sendsBefore: last.index + 1 }, never);
        expect(under.files()).toHaveLength(1);
        await under.fake.close();
      },
    );

    it("is sent again without a doubt after what nobody has seen", async () => {
      const { under, event } = await open();
      const deliveries = deliveriesOf(under.adapter, event, prose(charsMax + 1));
      const last = deliveries.at(-1) as Delivery;
      await sendAll(under.adapter, deliveries.slice(0, -1));
      under.fake.faults.push({ kind: "status", status: 503 });
      await expect(under.adapter.send(last, never)).rejects.toMatchObject({ kind: "retry" });
      expect(under.files()).toEqual([]);
      await under.adapter.send(last, never);
      expect(under.files()).toHaveLength(1);
      await under.fake.close();
    });

    it("is said in words where no file is taken, as far as it goes, and what is missing is said", async () => {
      const { under, event } = await open();
      under.refuseFiles();
      const text = prose(charsMax + 1);
      const receipts = await sendAll(under.adapter, deliveriesOf(under.adapter, event, text));
      expect(under.files()).toEqual([]);
      const isAllSaid = new Set(words(under.said())).size === new Set(words([{ text }])).size;
      const isCutAloud =
        receipts.at(-1)?.endsReply !== undefined && /is missing/.test(under.said().at(-1)?.text ?? "");
      expect([isAllSaid, isCutAloud].filter((one) => one)).toHaveLength(1);
      await under.fake.close();
    });
  });
}
