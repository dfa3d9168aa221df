import { telegramSampler } from "../../../adapters/telegram/sample.ts";
import { REASONS, SECRET_HEADER } from "../../../adapters/telegram/verify.ts";
import { adapterContract } from "../../contract/adapter.ts";
import { forbidden, tooManyRequests } from "../../fakes/telegram.ts";
import { parseTelegramHtml } from "../../fakes/telegram-html.ts";
import { PRESSES } from "../../support/presses.ts";
import { adapterFor, openFake } from "./fake.ts";
import { BOT_TOKEN, WEBHOOK_SECRET } from "./setup.ts";

adapterContract("telegram", {
  async setUp({ timeoutMs }) {
    const fake = await openFake();
    const another = () => adapterFor(fake, { timeoutMs });
    return {
      adapter: another(),
      another,
      deleteAll: () => void fake.messages.splice(0),
      fake,
      textOf(part) {
        const { html, file } = JSON.parse(part) as { html: string; file?: object };
        if (file !== undefined) return null;
        const parsed = parseTelegramHtml(html);
        if (!parsed.ok) throw new Error(`Expected HTML that Telegram takes: ${parsed.message}`);
        return parsed.text;
      },
      buttons: () =>
        fake.messages.map(({ keyboard }) =>
          keyboard.flat().map(({ text: label, callback_data: id }) => ({ id, label })),
        ),
      files: () =>
        fake.messages.flatMap(({ chatId, document }) =>
          document === undefined ? [] : [{ place: String(chatId), name: document.name, text: document.text }],
        ),
      refuseFiles: () => {
        for (const chat of [30, -1_001_234_567_890]) fake.withoutFiles.add(chat);
      },
      said: () => fake.messages.map(({ chatId, text }) => ({ place: String(chatId), text })),
    };
  },
  sampler: telegramSampler,
  eventKinds: telegramSampler.kinds,
  secret: WEBHOOK_SECRET,
  otherSecret: "webhook_secret-2",
  authHeaders: [SECRET_HEADER],
  reasons: Object.values(REASONS),
  signsBody: false,
  textCharsMax: 4_096,
  filesOver: 20_000,
  liveMentions: ["@ann_smith"],
  rateLimited: tooManyRequests,
  rejected: forbidden(),
  buttons: {
    max: 25,
    press: ({ id: buttonId, label }) =>
      PRESSES.telegram({ buttonId, label, id: buttonId, nowMs: 1_780_000_000_000, secret: WEBHOOK_SECRET }),
  },
  growsFor: telegramSampler.kinds[0] ?? "",
  refused: [{ status: 401, body: { ok: false, error_code: 401, description: "Unauthorized" } }],
  credentials: [BOT_TOKEN, BOT_TOKEN.slice(3), WEBHOOK_SECRET],
});
