import { describe, expect, it } from "vitest";
import { DeliveryError } from "../../../src/domain/errors.ts";
import type { ReplyAddress } from "../../../src/domain/event.ts";
import type { Delivery, ReplyPart } from "../../../src/domain/reply.ts";
import type { Bus } from "../../../src/ports/bus.ts";
import { createBus } from "../../../src/store/bus.ts";
import { FakeClock } from "../../support/clock.ts";
import { adapterOf } from "./setup.ts";

const never = new AbortController().signal;
const to = (eventId: string) => JSON.stringify({ kind: "test", eventId }) as ReplyAddress;

function deliveryOf(eventId: string, text: string, over: Partial<Delivery> = {}): Delivery {
  const part = adapterOf().render(text, to(eventId))[0] as ReplyPart;
  return {
    partId: `${eventId}/0`,
    to: to(eventId),
    part,
    index: 0,
    sendsBefore: 0,
    mayRepeat: false,
    ...over,
  };
}

describe("a reply", () => {
  it("is the Markdown as written, in one part", () => {
    for (const markdown of ["", "**bold** <b>\n".repeat(5_000)]) {
      const parts = adapterOf().render(markdown, to("test:1"));
      expect(parts.map((part) => JSON.parse(part) as unknown)).toEqual([{ text: markdown }]);
    }
  });

  it("reaches everyone who waits for it, and nobody else", async () => {
    const adapter = adapterOf();
    const abort = new AbortController();
    const waits = [adapter.waitForReply("test:1", never), adapter.waitForReply("test:1", never)];
    const other = adapter.waitForReply("test:2", abort.signal);
    await adapter.send(deliveryOf("test:1", "It takes longer.", { partId: "test:1/wait" }), never);
    const receipt = await adapter.send(deliveryOf("test:1", "hello"), never);
    expect(receipt).toEqual({ messageId: "test:1/0", via: "memory" });
    expect(await Promise.all(waits)).toEqual(["hello", "hello"]);
    abort.abort();
    expect(await other).toBeNull();
  });

  it("is still there for a wait that begins later, and again", async () => {
    const adapter = adapterOf();
    await adapter.send(deliveryOf("test:1", "hello"), never);
    expect(await adapter.waitForReply("test:1", never)).toBe("hello");
    expect(await adapter.waitForReply("test:1", never)).toBe("hello");
  });

  it("of several parts is given whole, and a part sent again only once", async () => {
    const adapter = adapterOf();
    const first = deliveryOf("test:1", "one");
    await adapter.send(first, never);
    await adapter.send(deliveryOf("test:1", "two", { partId: "test:1/1", index: 1 }), never);
    expect(await adapter.recover(first, never)).toBe("repeatable");
    await adapter.send({ ...first, sendsBefore: 2, mayRepeat: true }, never);
    expect(await adapter.waitForReply("test:1", never)).toBe("one\n\ntwo");
  });

  it("may be empty", async () => {
    const adapter = adapterOf();
    await adapter.send(deliveryOf("test:1", ""), never);
    expect(await adapter.waitForReply("test:1", never)).toBe("");
  });

  it("is forgotten after ten minutes", async () => {
    const clock = new FakeClock();
    const adapter = adapterOf({ clock });
    await adapter.send(deliveryOf("test:1", "hello"), never);
    clock.advance(10 * 60_000);
    expect(await adapter.waitForReply("test:1", never)).toBe("hello");
    clock.advance(1);
    expect(await adapter.waitForReply("test:1", AbortSignal.abort())).toBeNull();
    const abort = new AbortController();
    const wait = adapter.waitForReply("test:1", abort.signal);
    abort.abort();
    expect(await wait).toBeNull();
  });

  it("makes way for newer ones once there are a thousand", async () => {
    const adapter = adapterOf();
    for (let i = 0; i <= 1_000; i++) await adapter.send(deliveryOf(`test:${i}`, `reply ${i}`), never);
    const abort = new AbortController();
    const oldest = adapter.waitForReply("test:0", abort.signal);
    abort.abort();
    expect(await oldest).toBeNull();
    expect(await adapter.waitForReply("test:1", never)).toBe("reply 1");
    expect(await adapter.waitForReply("test:1000", never)).toBe("reply 1000");
  });

  it.each([
    ["an address that is no JSON", { to: "C1" as ReplyAddress }],
    ["an address of another adapter", { to: '{"kind":"message","to":"+44"}' as ReplyAddress }],
    ["a part of another adapter", { part: '{"body":"x"}' as ReplyPart }],
  ])("to %s is rejected", async (_, over) => {
    const failure = adapterOf().send(deliveryOf("test:1", "x", over), never);
    await expect(failure).rejects.toBeInstanceOf(DeliveryError);
    await expect(failure).rejects.toMatchObject({ kind: "rejected" });
  });
});

describe("a wait", () => {
  it("that was stopped before it began is null", async () => {
    const adapter = adapterOf();
    await adapter.send(deliveryOf("test:1", "hello"), never);
    expect(await adapter.waitForReply("test:1", AbortSignal.abort())).toBeNull();
  });

  it("beyond a thousand is refused, until others leave", async () => {
    const adapter = adapterOf();
    const abort = new AbortController();
    const waits = Array.from({ length: 1_000 }, (_, i) =>
      adapter.waitForReply(`test:${i % 10}`, abort.signal),
    );
    expect(await adapter.waitForReply("test:new", never)).toBeNull();
    abort.abort();
    expect(new Set(await Promise.all(waits))).toEqual(new Set([null]));

    const wait = adapter.waitForReply("test:new", never);
    await adapter.send(deliveryOf("test:new", "hello"), never);
    expect(await wait).toBe("hello");
  });

  it("that ended leaves nothing to call later", async () => {
    const adapter = adapterOf();
    const abort = new AbortController();
    const wait = adapter.waitForReply("test:1", abort.signal);
    await adapter.send(deliveryOf("test:1", "first"), never);
    abort.abort();
    expect(await wait).toBe("first");
  });
});

describe("a reply on another replica", () => {
  /** Two replicas, and everything they say to each other; `lost` takes away the word that it names, once. */
  function twoReplicas(lost: { topic: string | null } = { topic: null }) {
    const inner = createBus();
    const words: string[] = [];
    const bus: Bus = {
      async publish(topic, message) {
        words.push(topic);
        if (lost.topic === topic) lost.topic = null;
        else await inner.publish(topic, message);
      },
      subscribe: (topic, heard) => inner.subscribe(topic, heard),
    };
    const clock = new FakeClock();
    return { clock, words, ingress: adapterOf({ bus, clock }), worker: adapterOf({ bus, clock }) };
  }

  it("is heard by whoever waits for it", async () => {
    const { ingress, worker } = twoReplicas();
    const wait = ingress.waitForReply("test:1", never);
    await soon();
    await worker.send(deliveryOf("test:1", "hello"), never);
    expect(await wait).toBe("hello");
  });

  it("is heard by one who begins to wait after it was given", async () => {
    const { ingress, worker } = twoReplicas();
    await worker.send(deliveryOf("test:1", ""), never);
    await worker.send(deliveryOf("test:2", "hello"), never);
    expect(await ingress.waitForReply("test:2", never)).toBe("hello");
    expect(await ingress.waitForReply("test:1", never)).toBe("");
  });

  it.each(["test-wanted", "test-reply"])("is asked for again when word of %s is lost", async (topic) => {
    const { clock, ingress, worker } = twoReplicas({ topic });
    await worker.send(deliveryOf("test:1", "hello"), never);
    const wait = ingress.waitForReply("test:1", never);
    await soon();
    clock.advance(2_000);
    expect(await wait).toBe("hello");
    expect(clock.sleeping).toBe(0);
  });

  it("costs no word when nobody waits, and none when it was here all the time", async () => {
    const { words, worker } = twoReplicas();
    await worker.send(deliveryOf("test:1", "hello"), never);
    expect(await worker.waitForReply("test:1", never)).toBe("hello");
    expect(words).toEqual([]);
  });

  it("is not asked for any more when the wait is over", async () => {
    const { clock, words, ingress } = twoReplicas();
    const abort = new AbortController();
    const wait = ingress.waitForReply("test:1", abort.signal);
    abort.abort();
    expect(await wait).toBeNull();
    await soon();
    clock.advance(60_000);
    await soon();
    expect(words).toEqual(["test-wanted"]);
  });

  it("is not taken from a word that is none of ours", async () => {
    const bus = createBus();
    const adapter = adapterOf({ bus });
    const abort = new AbortController();
    const wait = adapter.waitForReply("test:1", abort.signal);
    for (const word of ["{", "[]", '{"eventId":"test:1"}', '{"eventId":1,"partId":"p","text":"x"}'])
      await bus.publish("test-reply", word);
    await soon();
    abort.abort();
    expect(await wait).toBeNull();
  });
});

/** After everything that was said on the bus has been heard and answered. */
function soon(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
