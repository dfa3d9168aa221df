import { expect, it, onTestFinished } from "vitest";
import { whatsAppSampler } from "../../../adapters/whatsapp/sample.ts";
import type { ReplyAddress } from "../../../src/domain/event.ts";
import type { ReplyPart } from "../../../src/domain/reply.ts";
import { asVerified, rawRequest } from "../../contract/raw-request.ts";
import { fakeWhatsApp } from "../../fakes/whatsapp.ts";
import { ACCESS_TOKEN, APP_SECRET, adapterOf, NOW_MS } from "./setup.ts";

it("a reply of ours that is answered is known as the bot's own words", async () => {
  const fake = await fakeWhatsApp({
    accessToken: ACCESS_TOKEN,
    appSecret: APP_SECRET,
    phoneNumberId: "PN1",
  });
  onTestFinished(() => fake.close());
  const adapter = adapterOf({ apiUrl: fake.url, timeoutMs: 60_000 });
  const address = { kind: "message", phoneNumberId: "PN1", to: "+447700900123", messageId: "wamid.1" };
  const { messageId } = await adapter.send(
    {
      partId: "event/0",
      to: JSON.stringify({ ...address, windowExpiresAtMs: NOW_MS + 1 }) as ReplyAddress,
      part: JSON.stringify({ body: "done" }) as ReplyPart,
      index: 0,
      sendsBefore: 0,
      mayRepeat: false,
    },
    new AbortController().signal,
  );
  const options = { kind: "message", text: "why?", id: "7", nowMs: NOW_MS, secret: APP_SECRET };
  const sample = whatsAppSampler.build(options);
  const content = JSON.parse(sample.body);
  content.entry[0].changes[0].value.messages[0].context = { from: "15550001111", id: messageId };
  const answer = rawRequest({ ...sample, body: JSON.stringify(content) }, { nowMs: NOW_MS });
  expect(adapter.parse(asVerified(answer))).toMatchObject({
    events: [{ text: "why?", context: [{ kind: "quoted", text: "done", author: { isSelf: true } }] }],
  });
});
