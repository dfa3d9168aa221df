import { describe, expect, it } from "vitest";
import type { SampleOptions } from "../../../adapters/shared/sample.ts";
import { createTelegramSampler, telegramSampler } from "../../../adapters/telegram/sample.ts";
import { BOT, eventOf, NOW_MS, WEBHOOK_SECRET } from "./setup.ts";

const options: SampleOptions = {
  kind: "message",
  text: "hi",
  id: "7",
  nowMs: NOW_MS,
  secret: WEBHOOK_SECRET,
};
const sampled = (over: Partial<SampleOptions>) =>
  eventOf(telegramSampler.build({ ...options, ...over }).body);

describe("a sample", () => {
  it.each([
    ["message", "direct", null, null],
    ["command", "command", "/ask", null],
    ["mention", "mention", null, null],
    ["reply", "mention", null, null],
    ["topic", "mention", null, "3"],
    ["caption", "direct", null, null],
    ["button", "button", "hi", null],
  ])("of kind %s is a %s", (kind, trigger, command, thread) => {
    expect(telegramSampler.kinds).toContain(kind);
    expect(sampled({ kind })).toMatchObject({ trigger, command, thread, text: "hi" });
  });

  it("stands where it is told to, by whom it is told to", () => {
    expect(sampled({ kind: "topic", user: "5", channel: "-6", thread: "8" })).toMatchObject({
      sender: { id: "5" },
      place: "-6",
      thread: "8",
    });
    expect(sampled({ user: "5" })).toMatchObject({ sender: { id: "5" }, place: "5", isDirect: true });
  });

  it("keeps a whole number as its update_id, and makes one of any other id", () => {
    expect(sampled({ id: "42" }).id).toBe("telegram:77:42");
    const [one, same, other] = ["evt-a", "evt-a", "evt-b"].map((id) => sampled({ id }));
    expect(one?.id).toBe(same?.id);
    expect(one?.id).not.toBe(other?.id);
  });

  it("can be for another bot", () => {
    const body = createTelegramSampler({ id: 99, username: "my_bot" }).build({
      ...options,
      kind: "reply",
    }).body;
    expect(eventOf(body)).toMatchObject({ trigger: "ambient" });
    expect(eventOf(body, { ...BOT, id: "99" })).toMatchObject({ trigger: "mention" });
  });

  it("of an unknown kind is refused", () => {
    expect(() => telegramSampler.build({ ...options, kind: "poll" })).toThrow(
      "Expected kind to be one of message, command, mention, reply, topic, caption, button, got poll",
    );
  });
});
