import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { escapedJson } from "../../../adapters/shared/sample.ts";
import { slackSampler } from "../../../adapters/slack/sample.ts";
import { telegramSampler } from "../../../adapters/telegram/sample.ts";
import { whatsAppSampler } from "../../../adapters/whatsapp/sample.ts";

const TEXT = 'ä 😀 a/b "q" \\ \u2028 é\n';
const OPTIONS = { kind: "message", text: TEXT, id: "1", nowMs: 1_700_000_000_000, secret: "secret" };

describe("JSON as platforms write it", () => {
  it("is ASCII, escaped as Meta escapes, and means the same", () => {
    expect(escapedJson({ a: "ä/😀" })).toBe('{"a":"\\u00e4\\/\\ud83d\\ude00"}');
    expect(JSON.parse(escapedJson({ [TEXT]: [TEXT] }))).toEqual({ [TEXT]: [TEXT] });
  });

  it.each([
    [
      "whatsapp",
      whatsAppSampler,
      (body: string) => JSON.parse(body).entry[0].changes[0].value.messages[0].text.body,
    ],
    ["slack", slackSampler, (body: string) => JSON.parse(body).event.text],
    ["telegram", telegramSampler, (body: string) => JSON.parse(body).message.text],
  ] as const)("is what %s sends, with nothing lost", (_, sampler, textIn) => {
    const { body } = sampler.build(OPTIONS);
    expect(body).toMatch(/^[\x20-\x7e]+$/);
    expect(body).toContain("\\u00e4 \\ud83d\\ude00 a\\/b");
    expect(textIn(body)).toBe(TEXT);
  });

  it("is what is signed: the bytes that go out, not what they mean", () => {
    const { body, headers } = whatsAppSampler.build(OPTIONS);
    const mac = createHmac("sha256", "secret").update(Buffer.from(body, "latin1")).digest("hex");
    expect(headers["x-hub-signature-256"]).toBe(`sha256=${mac}`);
  });

  it("stands in Slack's forms, too", () => {
    const { body } = slackSampler.build({ ...OPTIONS, kind: "button" });
    const payload = new URLSearchParams(body).get("payload") ?? "";
    expect(payload).toMatch(/^[\x20-\x7e]+$/);
    expect(payload).toContain("https:\\/\\/hooks.slack.com");
  });
});
