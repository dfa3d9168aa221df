import { createHmac } from "node:crypto";
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

/** A webhook of another content than the sampler's, signed anew. */
function signed(content: unknown): SampleRequest {
  const body = JSON.stringify(content);
  const signature = createHmac("sha256", SECRETS.WHATSAPP_APP_SECRET).update(body).digest("hex");
  const headers = { "content-type": "application/json", "x-hub-signature-256": `sha256=${signature}` };
  return { method: "POST", path: "/webhooks/whatsapp", headers, body };
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
    await send({ id: "w1", user: "3010", text: "hello\ndemo: sleep 1500ms" });
    expect(await inbox("3010", 1)).toEqual([{ text: "You said: hello", quotes: "wamid.w1" }]);
    expect(whatsapp.reads).toContainEqual({ messageId: "wamid.w1", typing: true });
  });

  it("knows a person by number and by id, in whatever order they come and when the number is gone", async () => {
    const scopedId = "GB.30990";
    const say = async (id: string, text: string, names: object) => {
      const sample = JSON.parse(webhook("whatsapp", { id, user: "3099", text }).body);
      const { value } = sample.entry[0].changes[0];
      value.contacts = [];
      value.messages = [{ ...value.messages[0], from: undefined, ...names }];
      expect(await post(signed(sample))).toMatchObject({ status: 200 });
    };
    const told = (to: object, text: string) =>
      seenOn(whatsapp, () =>
        whatsapp.messages.find(
          ({ body }) =>
            readText(body).text.includes(text) &&
            body.to === ("to" in to ? to.to : undefined) &&
            body.recipient === ("recipient" in to ? to.recipient : undefined),
        ),
      );
    await say("n1", "demo: sleep 30s", { from: "3099" });
    await say("n2", "/status", { from: "3099", from_user_id: scopedId });
    await told({ to: "+3099" }, "I am working on an answer in this conversation.");
    await say("n3", "/stop", { from_user_id: scopedId });
    await told({ recipient: scopedId }, "Stopping.");
    await told({ to: "+3099" }, "Stopped.");
    // The number passes to somebody else, who finds nothing of it.
    await say("n4", "demo: sleep 30s", { from_user_id: scopedId });
    await say("n5", "/status", { from: "3099", from_user_id: "GB.30991" });
    await told({ to: "+3099" }, "Nothing is running in this conversation.");
    await say("n6", "/stop", { from_user_id: scopedId });
    await told({ recipient: scopedId }, "Stopped.");
  });

  it("shows the agent the advertisement that a person came from", async () => {
    const sample = JSON.parse(webhook("whatsapp", { id: "ad1", user: "3098", text: "demo: prompt" }).body);
    const [message] = sample.entry[0].changes[0].value.messages;
    message.referral = { source_type: "ad", headline: "Red pump, 20 % off", body: "This week" };
    expect((await post(signed(sample))).status).toBe(200);
    const [first] = await inbox("3098", 1);
    expect(first?.text).toContain("advertisement: Red pump, 20 % off");
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
