import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SampleRequest } from "../../../adapters/shared/sample.ts";
import { longText } from "../../../src/models/demo-script.ts";
import type { FakeWhatsApp } from "../../fakes/whatsapp.ts";
import { type Setup, startWithPlatforms } from "../gateway-with-platforms.ts";
import { deliver, type MessageOptions, SECRETS, seenOn, webhook, withoutSpace } from "../platforms.ts";

let setup: Setup;
let whatsapp: FakeWhatsApp;
beforeAll(async () => {
  setup = await startWithPlatforms();
  whatsapp = setup.platforms.whatsapp;
});
afterAll(() => setup[Symbol.asyncDispose]());

async function send(options: MessageOptions): Promise<void> {
  expect(await post(webhook("whatsapp", options))).toEqual({ status: 200, text: "" });
}

async function post(request: SampleRequest): Promise<{ status: number; text: string }> {
  const { status, text } = await deliver(setup.gateway.url, request);
  return { status, text };
}

interface Text {
  readonly text: string;
  /** The message that this one quotes. */
  readonly quotes: string | null;
}

/** What a person got, once that is so many messages. */
function inbox(person: string, count: number): Promise<readonly Text[]> {
  return seenOn(whatsapp, () => {
    const found = whatsapp.messages.filter(({ body }) => body.to === `+${person}`);
    return found.length >= count ? found.map(({ body }) => readText(body)) : undefined;
  });
}

function readText(body: Record<string, unknown>): Text {
  const { text, context } = body as { text: { body: string }; context?: { message_id: string } };
  return { text: text.body, quotes: context?.message_id ?? null };
}

describe("WhatsApp, end to end", () => {
  it("gets its challenge back, and a refusal for the wrong token", async () => {
    const handshake = { kind: "verify", text: "", id: "challenge-1" };
    expect(await post(webhook("whatsapp", { ...handshake, secret: SECRETS.WHATSAPP_VERIFY_TOKEN }))).toEqual({
      status: 200,
      text: "challenge-1",
    });
    expect((await post(webhook("whatsapp", { ...handshake, secret: "wrong" }))).status).toBe(403);
  });

  it("is answered with a quotation of the question, and sees the bot typing meanwhile", async () => {
    await send({ id: "w1", user: "3010", text: "hello\ndemo: sleep 200ms" });
    expect(await inbox("3010", 1)).toEqual([{ text: "You said: hello", quotes: "wamid.w1" }]);
    expect(whatsapp.reads).toContainEqual({ messageId: "wamid.w1", typing: true });
  });

  it.each(["button", "list", "image"])("is answered for a %s", async (kind) => {
    await send({ kind, user: `30110${kind.length}`, text: kind });
    expect((await inbox(`30110${kind.length}`, 1)).map(({ text }) => text)).toEqual([`You said: ${kind}`]);
  });

  it("has every message of a batch answered, each to the person who wrote it", async () => {
    await send({ kind: "batch", user: "3012", id: "w2", text: "batched" });
    expect(await inbox("3012", 2)).toEqual([
      { text: "You said: batched", quotes: "wamid.w2.1" },
      { text: "You said: batched", quotes: "wamid.w2.3" },
    ]);
    expect(await inbox("447700900456", 1)).toEqual([{ text: "You said: batched", quotes: "wamid.w2.2" }]);
  });

  it("is answered once when a webhook is delivered three times, and not for statuses", async () => {
    const request = webhook("whatsapp", { user: "3013", text: "once" });
    const status = webhook("whatsapp", { kind: "status", user: "3013", text: "" });
    const answers = await Promise.all([request, status, request, request].map(post));
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200]);
    await send({ user: "3013", text: "next" });
    expect((await inbox("3013", 2)).map(({ text }) => text)).toEqual(["You said: once", "You said: next"]);
  });

  it("takes control commands, which overtake the run that they are about", async () => {
    const say = (text: string) => send({ user: "3014", text });
    const answer = (text: string) =>
      seenOn(whatsapp, () =>
        whatsapp.messages.find(({ body }) => body.to === "+3014" && readText(body).text.includes(text)),
      );
    await say("/help");
    await answer("forget this conversation");
    await say("demo: sleep 30s");
    await say("!status");
    await answer("I am working on an answer");
    await say("/stop");
    await answer("Stopping.");
    await answer("Stopped.");
    await say("/reset");
    await answer("I have forgotten this conversation");
  });

  it("gets a long answer in order, and one quotation for all of it", async () => {
    await send({ user: "3015", text: "demo: long 9000" });
    const parts = await inbox("3015", 3);
    expect(withoutSpace(parts.map(({ text }) => text).join(""))).toBe(withoutSpace(longText(9_000)));
    expect(parts.filter(({ quotes }) => quotes !== null)).toHaveLength(1);
  });

  it("gets Markdown in its own dialect", async () => {
    await send({ user: "3016", text: "demo: markdown" });
    const [first] = await inbox("3016", 1);
    expect(first?.text).toContain("*bold*");
    expect(first?.text).not.toContain("**");
  });
});
