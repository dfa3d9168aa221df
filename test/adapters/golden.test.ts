import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { renderDiscord } from "../../adapters/discord/dialect.ts";
import { renderSlack } from "../../adapters/slack/dialect.ts";
import { renderTelegram } from "../../adapters/telegram/dialect.ts";
import { renderWhatsApp } from "../../adapters/whatsapp/dialect.ts";

/** `<name>.md` is what a model wrote; `<name>.<dialect>.txt` what people are sent, byte for byte. */
const folder = resolve(import.meta.dirname, "../fixtures/rendering");
const DIALECTS: Readonly<Record<string, (markdown: string) => readonly string[]>> = {
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
  it.each(Object.keys(DIALECTS))("is written for %s as its golden file has it", (dialect) => {
    const markdown = readFileSync(join(folder, `${name}.md`), "utf8");
    const golden = readFileSync(join(folder, `${name}.${dialect}.txt`), "utf8");
    expect(`${DIALECTS[dialect]?.(markdown).join("\n=== next message ===\n")}\n`).toBe(golden);
  });
});
