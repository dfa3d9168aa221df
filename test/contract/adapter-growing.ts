import { describe, expect, it } from "vitest";
import { DeliveryError } from "../../src/domain/errors.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Delivery, Receipt } from "../../src/domain/reply.ts";
import type { Adapter } from "../../src/ports/adapter.ts";
import { growing } from "../../src/reply/preview.ts";
import type { FakeServer, Fault } from "../fakes/server.ts";

/** What the suite needs of a platform on which answers are shown while they grow. */
export interface GrowingUnderTest {
  readonly adapter: Adapter;
  readonly fake: FakeServer;
  /** Another process with the same credentials. */
  readonly another: () => Adapter;
  /** What people can read, oldest first. */
  readonly said: () => readonly { readonly text: string }[];
  /** Somebody deletes all of it. */
  readonly deleteAll: () => void;
  readonly rateLimited: Fault;
}

const STAGES = [
  "Once upon a time there was a ",
  "Once upon a time there was a **very** small gateway, ",
  "Once upon a time there was a **very** small gateway, and it had `two` friends: ",
];
const WHOLE =
  "Once upon a time there was a **very** small gateway, and it had `two` friends: the pump and the valve.";
const never = new AbortController().signal;

/** For platforms that can change what was said. `open` gives a new adapter and the event that is answered. */
export function growingContract(
  open: (timeoutMs?: number) => Promise<{ under: GrowingUnderTest; event: TriggerEvent }>,
): void {
  describe("an answer that grows", () => {
    const partOf = (adapter: Adapter, { replyTo: to }: TriggerEvent, text: string): Delivery => {
      const [part, ...rest] = adapter.render(text, to);
      if (part === undefined || rest.length > 0) throw new Error("Expected one part");
      return { partId: "event/0", to, part, index: 0, sendsBefore: 0, mayRepeat: false };
    };
    const growingPart = (adapter: Adapter, event: TriggerEvent, text: string): Delivery => ({
      ...partOf(adapter, event, growing(text)),
      isGrowing: true,
    });
    const edit = async (
      adapter: Adapter,
      receipt: Receipt,
      delivery: Delivery,
    ): Promise<Receipt | "gone" | undefined> => await adapter.edit?.(receipt, delivery, never);
    /** What the answer looks like when it is said at once. */
    const wholeAtOnce = async (text = WHOLE): Promise<string> => {
      const { under, event } = await open();
      await under.adapter.send(partOf(under.adapter, event, text), never);
      await under.fake.close();
      return under.said()[0]?.text ?? "";
    };
    const letters = (text = "") => text.replaceAll(/[^\p{L}\p{N}]/gu, "");
    const shown = async (timeoutMs?: number) => {
      const { under, event } = await open(timeoutMs);
      expect(under.adapter.previewInMs?.(event.replyTo, true)).toBe(0);
      const receipt = await under.adapter.send(growingPart(under.adapter, event, STAGES[0] ?? ""), never);
      return { under, event, receipt };
    };

    it("is shown, changed and whole in one message, which says no more and no less at any time", async () => {
      const { under, event, receipt } = await shown();
      expect(receipt.messageId).not.toBe(null);
      expect(letters(under.said()[0]?.text)).toBe(letters(STAGES[0]));
      for (const stage of STAGES.slice(1)) {
        expect(under.adapter.previewInMs?.(event.replyTo, false)).toBeGreaterThan(0);
        expect(await edit(under.adapter, receipt, growingPart(under.adapter, event, stage))).not.toBe("gone");
        expect(under.said()).toHaveLength(1);
        const read = letters(under.said()[0]?.text);
        expect(letters(stage).startsWith(read)).toBe(true);
        expect(read.length).toBeGreaterThan(letters(STAGES[0]).length);
      }
      expect(await edit(under.adapter, receipt, partOf(under.adapter, event, WHOLE))).not.toBe("gone");
      expect(under.said().map(({ text }) => letters(text))).toEqual([letters(WHOLE)]);
      await under.fake.close();
    });

    it("becomes what is said instead of it", async () => {
      const { under, event, receipt } = await shown();
      await edit(under.adapter, receipt, growingPart(under.adapter, event, STAGES[1] ?? ""));
      await edit(under.adapter, receipt, partOf(under.adapter, event, "Stopped."));
      expect(under.said().map(({ text }) => text)).toEqual([await wholeAtOnce("Stopped.")]);
      await under.fake.close();
    });

    it("is made whole by another process, in the same message", async () => {
      const { under, event, receipt } = await shown();
      await edit(under.adapter, receipt, growingPart(under.adapter, event, STAGES[1] ?? ""));
      const another = under.another();
      expect(await edit(another, receipt, growingPart(another, event, STAGES[2] ?? ""))).not.toBe("gone");
      expect(await edit(another, receipt, partOf(another, event, WHOLE))).not.toBe("gone");
      expect(under.said().map(({ text }) => text)).toEqual([await wholeAtOnce()]);
      await under.fake.close();
    });

    it("that somebody has deleted is gone, and is then said anew, once", async () => {
      const { under, event, receipt } = await shown();
      under.deleteAll();
      expect(await edit(under.adapter, receipt, growingPart(under.adapter, event, STAGES[1] ?? ""))).toBe(
        "gone",
      );
      expect(await edit(under.adapter, receipt, partOf(under.adapter, event, WHOLE))).toBe("gone");
      await under.adapter.send({ ...partOf(under.adapter, event, WHOLE), sendsBefore: 1 }, never);
      expect(under.said().map(({ text }) => text)).toEqual([await wholeAtOnce()]);
      await under.fake.close();
    });

    it("waits as long as the platform asks, and is whole then", async () => {
      const { under, event, receipt } = await shown();
      under.fake.faults.push(under.rateLimited);
      const limited: unknown = await edit(
        under.adapter,
        receipt,
        growingPart(under.adapter, event, STAGES[1] ?? ""),
      ).catch((error: unknown) => error);
      expect(limited).toBeInstanceOf(DeliveryError);
      expect(limited).toMatchObject({ kind: "retry", status: 429, retryAfterMs: 7_000 });
      const another = under.another();
      await edit(another, receipt, partOf(another, event, WHOLE));
      expect(under.said().map(({ text }) => text)).toEqual([await wholeAtOnce()]);
      await under.fake.close();
    });

    it.each(["reset", "reset-after", "hang-after"] as const)(
      "is whole after a change that met a %s",
      async (kind) => {
        const { under, event, receipt } = await shown(kind === "hang-after" ? 2_000 : 60_000);
        under.fake.faults.push({ kind });
        const delivery = growingPart(under.adapter, event, STAGES[1] ?? "");
        await expect(edit(under.adapter, receipt, delivery)).rejects.toBeInstanceOf(DeliveryError);
        await edit(under.adapter, receipt, partOf(under.adapter, event, WHOLE));
        expect(under.said().map(({ text }) => text)).toEqual([await wholeAtOnce()]);
        await under.fake.close();
      },
    );
  });
}
