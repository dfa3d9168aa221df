import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Button, decisionButtons } from "../../src/domain/button.ts";
import { controlCommandOf, decisionIn } from "../../src/domain/command.ts";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Receipt } from "../../src/domain/reply.ts";
import type { Adapter } from "../../src/ports/adapter.ts";
import type { FakeServer } from "../fakes/server.ts";

export interface ShownButton {
  readonly id: string;
  readonly label: string;
}

/** What the suite needs of a platform whose messages have buttons. */
export interface ButtonsUnderTest {
  readonly adapter: Adapter;
  readonly fake: FakeServer;
  readonly said: () => readonly { readonly text: string }[];
  /** Below each message, oldest first. */
  readonly buttons: () => readonly (readonly ShownButton[])[];
}

const never = new AbortController().signal;
const ID = "apr_01234567890123456789_1";
const HOSTILE: readonly Button[] = [
  { id: "a", label: "Yes, please do that right now, for it is what everybody here has waited for since 9" },
  { id: "b", label: "Yes, please do that right now, for it is what everybody here has waited for since 9" },
  { id: "c", label: "<!channel> @everyone **x** [y](https://z.example) `a`" },
  { id: "c", label: "the same id" },
  { id: "d", label: "two\nlines\u202e" },
  { id: "e", label: "👩‍👩‍👧".repeat(30), style: "danger" },
  { id: "f".repeat(65), label: "an id that is too long" },
  { id: "", label: "no id" },
  ...Array.from({ length: 40 }, (_, i): Button => ({ id: `n${i}`, label: "" })),
];

/** `press` tells of a press on one of them, as the platform does. */
export function buttonsContract(
  open: () => Promise<{
    under: ButtonsUnderTest;
    event: TriggerEvent;
    press: (button: ShownButton) => TriggerEvent;
  }>,
  buttonsMax: number,
): void {
  describe("buttons", () => {
    let { under, event, press } = {} as Awaited<ReturnType<typeof open>>;
    beforeEach(async () => {
      ({ under, event, press } = await open());
    });
    afterEach(() => under.fake.close());
    const say = async (text: string, buttons: readonly Button[]): Promise<Receipt> => {
      const parts = under.adapter.render(text, event.replyTo, buttons);
      let receipt: Receipt = { messageId: null, via: "" };
      for (const [index, part] of parts.entries()) {
        const delivery = {
          partId: `event/${index}`,
          to: event.replyTo,
          part,
          index,
          sendsBefore: index,
          mayRepeat: false,
        };
        receipt = await under.adapter.send(delivery, never);
      }
      return receipt;
    };

    it.each([
      ["a word", "Deploy?"],
      ["what fills a message", "some words, ".repeat(320)],
      ["what takes several", "some words, ".repeat(1_200)],
      ["nothing", ""],
    ])("stand below the last message of %s, as the platform takes them", async (_, text) => {
      await say(text, HOSTILE);
      const [last = [], ...before] = [...under.buttons()].reverse();
      expect(before.flat()).toEqual([]);
      expect(last).toHaveLength(Math.min(buttonsMax, 25));
      expect(last.slice(0, 3).map(({ id }) => id)).toEqual(["a", "b", "c"]);
      const labels = last.map(({ label }) => label);
      expect(new Set(labels).size).toBe(labels.length);
      for (const label of labels) {
        expect(label.trim()).not.toBe("");
        expect(label).not.toMatch(/[\n\u202e\ufffd]/);
        expect(label.isWellFormed()).toBe(true);
      }
    });

    it("come back as the command that they stand for, by whoever pressed, in the place of the question", async () => {
      await say("Deploy?", decisionButtons(ID));
      const shown = under.buttons().at(-1) ?? [];
      expect(shown.map(({ label }) => label)).toEqual(["Approve", "Deny"]);
      const pressed = shown.map((button) => press(button));
      expect(pressed.map(controlCommandOf)).toEqual(["approve", "deny"]);
      expect(pressed.map((one) => decisionIn(one)?.approvalId)).toEqual([ID, ID]);
      expect(pressed.map(({ conversation }) => conversation)).toEqual([
        event.conversation,
        event.conversation,
      ]);
      expect(JSON.parse(JSON.stringify(pressed))).toEqual(pressed);
    });

    it("go when their message is changed into one without any", async () => {
      const receipt = await say("Deploy?", decisionButtons(ID));
      if (under.adapter.edit === undefined) return;
      const [part] = under.adapter.render("Approved by bob.", event.replyTo);
      if (part === undefined) throw new Error("Expected a part");
      const delivery = {
        partId: "event/0",
        to: event.replyTo,
        part,
        index: 0,
        sendsBefore: 0,
        mayRepeat: false,
      };
      expect(await under.adapter.edit(receipt, delivery, never)).not.toBe("gone");
      expect(under.said().map(({ text }) => text)).toEqual(["Approved by bob."]);
      expect(under.buttons()).toEqual([[]]);
    });
  });
}
