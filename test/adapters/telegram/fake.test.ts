import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FakeTelegram } from "../../fakes/telegram.ts";
import { parseTelegramHtml } from "../../fakes/telegram-html.ts";
import { openFake } from "./fake.ts";
import { BOT_TOKEN } from "./setup.ts";

let fake: FakeTelegram;
beforeEach(async () => {
  fake = await openFake();
});
afterEach(() => fake.close());

async function call(method: string, fields: object = {}): Promise<unknown> {
  const init = { method: "POST", body: JSON.stringify(fields) };
  const response = await fetch(`${fake.url}/bot${BOT_TOKEN}/${method}`, init);
  const answer = (await response.json()) as { ok: boolean; result?: unknown; description?: string };
  return answer.ok ? answer.result : `${response.status} ${answer.description}`;
}

describe("the fake's markup parser", () => {
  it.each([
    ["plain", "plain"],
    ["<b>a<i>b</i></b>", "ab"],
    ["a &lt;b&gt; &amp; &quot;c&quot; &#39;&#x1F44D;", 'a <b> & "c" \'👍'],
    ['<a href="https://x.test/?a=1&amp;b">x</a>', "x"],
    ['<pre><code class="language-ts">a</code></pre>', "a"],
    ["<blockquote expandable>a</blockquote>", "a"],
    ['<span class="tg-spoiler">a</span>', "a"],
  ])("reads %s", (html, text) => {
    expect(parseTelegramHtml(html)).toEqual({ ok: true, text });
  });

  it.each([
    "<b>a",
    "a</b>",
    "<b><i>a</b></i>",
    "<p>a</p>",
    "<br>",
    "a < b",
    "a > b",
    "a & b",
    "&nbsp;",
    "&constructor;",
    "<constructor>a</constructor>",
    '<b class="x">a</b>',
    '<span class="x">a</span>',
    "<span>a</span>",
  ])("refuses %s", (html) => {
    expect(parseTelegramHtml(html)).toMatchObject({ ok: false });
  });
});

describe("the fake Bot API", () => {
  it("counts code points, after the markup is parsed", async () => {
    const send = (text: string) => call("sendMessage", { chat_id: 30, text, parse_mode: "HTML" });
    expect(await send(`<b>${"👍".repeat(4_096)}</b>`)).toMatchObject({ chat: { id: 30 } });
    expect(await send(`<b>${"x".repeat(4_097)}</b>`)).toBe("400 Bad Request: message is too long");
    expect(await send("<b> </b>")).toBe("400 Bad Request: message text is empty");
    expect(await send("<b>")).toContain("400 Bad Request: can't parse entities");
  });

  it("edits what is there, and says when nothing changed", async () => {
    const { message_id } = (await call("sendMessage", { chat_id: 30, text: "a" })) as { message_id: number };
    const edit = (id: number, text: string) => call("editMessageText", { chat_id: 30, message_id: id, text });
    expect(await edit(message_id, "b")).toMatchObject({ message_id, text: "b" });
    expect(await edit(message_id, "b")).toContain("400 Bad Request: message is not modified");
    expect(await edit(message_id + 1, "b")).toBe("400 Bad Request: message to edit not found");
    expect(fake.messages).toMatchObject([{ messageId: message_id, text: "b" }]);
  });

  it("previews drafts to persons only", async () => {
    expect(await call("sendMessageDraft", { chat_id: 30, draft_id: 1, text: "a" })).toBe(true);
    expect(await call("sendMessageDraft", { chat_id: -30, draft_id: 1, text: "a" })).toContain("400");
    expect(await call("sendMessageDraft", { chat_id: 30, draft_id: 0, text: "a" })).toContain("400");
    expect(fake.drafts).toEqual([{ chatId: 30, draftId: 1, text: "a" }]);
  });

  it("takes one reaction to a message", async () => {
    const reaction = [{ type: "emoji", emoji: "👍" }];
    const react = (given: object[]) =>
      call("setMessageReaction", { chat_id: 30, message_id: 5, reaction: given });
    expect(await react(reaction)).toBe(true);
    expect(await react([...reaction, ...reaction])).toContain("400");
    expect(fake.reactions).toEqual([{ chatId: 30, messageId: 5, emoji: "👍" }]);
  });

  it("gives updates by webhook or by polling, never both", async () => {
    fake.updates.push({ update_id: 1 }, { update_id: 2 });
    expect(await call("getUpdates", { offset: 2 })).toEqual([{ update_id: 2 }]);
    expect(await call("setWebhook", { url: "http://x.test" })).toContain("400 Bad Request: bad webhook");
    expect(await call("setWebhook", { url: "https://x.test/hook", secret_token: "a b" })).toContain("400");
    expect(await call("setWebhook", { url: "https://x.test/hook", secret_token: "s" })).toBe(true);
    expect(await call("getWebhookInfo")).toMatchObject({
      url: "https://x.test/hook",
      pending_update_count: 1,
    });
    expect(await call("getUpdates")).toContain("409 Conflict");
    expect(await call("deleteWebhook")).toBe(true);
    expect(await call("getUpdates")).toEqual([{ update_id: 2 }]);
  });

  it("knows its bot and its methods", async () => {
    expect(await call("getMe")).toMatchObject({ id: 77, username: "gw_bot" });
    expect(await call("toString")).toBe("404 Not Found: method not found");
    const other = await fetch(`${fake.url}/bot77:other/getMe`, { method: "POST" });
    expect(other.status).toBe(401);
  });
});
