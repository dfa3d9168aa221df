import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { mintAddress } from "../../adapters/discord/address.ts";
import { renderDiscord } from "../../adapters/discord/dialect.ts";
import { renderReply } from "../../adapters/discord/render.ts";
import { writeAddress } from "../../adapters/slack/address.ts";
import { renderSlack } from "../../adapters/slack/dialect.ts";
import { closed } from "../../adapters/slack/limit.ts";
import { readPart, renderReply as renderParts } from "../../adapters/slack/render.ts";
import { renderTelegram } from "../../adapters/telegram/dialect.ts";
import { renderWhatsApp } from "../../adapters/whatsapp/dialect.ts";
import type { Chat } from "../support/chat-platforms.ts";

/** `<name>.md` is what a model wrote; `<name>.<dialect>.txt` what people are sent, byte for byte. */
const folder = resolve(import.meta.dirname, "../fixtures/rendering");
const DIALECTS: Readonly<Record<Chat | "telegram-plain", (markdown: string) => readonly string[]>> = {
  slack: renderSlack,
  discord: renderDiscord,
  telegram: (markdown) => renderTelegram(markdown).map(({ html }) => html),
  "telegram-plain": (markdown) => renderTelegram(markdown).map(({ plain }) => plain),
  whatsapp: renderWhatsApp,
};
const names = readdirSync(folder)
  .filter((file) => file.endsWith(".md"))
  .map((file) => file.slice(0, -3));

describe.each(names)("the answer %s", (name) => {
  it.each(Object.entries(DIALECTS))("is written for %s as its golden file has it", (dialect, render) => {
    const markdown = readFileSync(join(folder, `${name}.md`), "utf8");
    const golden = readFileSync(join(folder, `${name}.${dialect}.txt`), "utf8");
    expect(`${render(markdown).join("\n=== next message ===\n")}\n`).toBe(golden);
  });
});

/** `cut/<name>.md` is more than the place takes; the golden files end with what says so. */
const PLACES: Readonly<Record<string, (markdown: string) => readonly string[]>> = {
  "discord-personal": (markdown) => {
    const place = { applicationId: "900", id: "1", token: "t", channelId: "20", guildId: null };
    const to = mintAddress({ kind: "interaction", ...place, expiresAtMs: 0, followUpsMax: 5 });
    return renderReply(markdown, to).map((part) => JSON.parse(part).content);
  },
  "slack-response-url": (markdown) => {
    const place = { url: "https://hooks.slack.com/app/x", channel: "C1", user: "U1", expiresAtMs: 0 };
    const to = writeAddress({ kind: "response_url", ...place, visibility: "ephemeral" });
    const parts = renderParts(markdown, to).flatMap((part) => readPart(part) ?? []);
    // Where the bot may not go on by itself.
    return parts
      .slice(0, 5)
      .map(({ text, charsAfter }, index) => (index === 4 ? closed(text, charsAfter) : text));
  },
};
const cut = readdirSync(join(folder, "cut")).filter((file) => file.endsWith(".md"));

describe.each(cut)("the answer %s, which is too long", (file) => {
  it.each(Object.keys(PLACES))("is cut for %s as its golden file has it", (place) => {
    const markdown = readFileSync(join(folder, "cut", file), "utf8");
    const golden = readFileSync(join(folder, "cut", file.replace(/md$/, `${place}.txt`)), "utf8");
    expect(`${PLACES[place]?.(markdown).join("\n=== next message ===\n")}\n`).toBe(golden);
  });
});
