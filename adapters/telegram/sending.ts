import type { BotFinder, Sending } from "../../src/ports/sampler.ts";
import { get, getString } from "../../src/shared/json.ts";
import { telegramSampler } from "./sample.ts";
import { API_ROOT } from "./settings.ts";

export const sending: Sending = {
  kinds: telegramSampler.kinds,
  secretVariable: () => "TELEGRAM_WEBHOOK_SECRET",
  needsSecret: true,
  build: (options) => telegramSampler.build(options),
  bot: { what: "the bot's name", find: (asked) => find(asked) },
};

/** Kinds that name the bot. The others are addressed by its id, or by the chat. */
const NAMING: ReadonlySet<string> = new Set(["command", "mention", "topic"]);

const find: BotFinder["find"] = async ({ given: asGiven, kind, env, ask, talk }) => {
  const given = asGiven?.replace(/^@/, "");
  if (given !== undefined && !/^\w{1,64}$/.test(given))
    throw new TypeError("expected --bot to be a name of letters, digits and _, got something else");
  const token = env.secret("TELEGRAM_BOT_TOKEN")?.reveal() ?? "";
  const id = /^(\d{1,16}):/.exec(token)?.[1];
  if (id === undefined) {
    talk(MADE_UP);
    return given === undefined ? null : { id: "77", name: given };
  }
  if (given !== undefined) return { id, name: given };
  if (!NAMING.has(kind)) return { id };
  const root = (env.url("TELEGRAM_API_ROOT") ?? API_ROOT).replace(/\/+$/, "");
  const { body, why } = await ask(`${root}/bot${token}/getMe`, {});
  const name = getString(get(body, "result"), "username");
  if (name !== undefined) return { id, name };
  return { unknown: `expected getMe to tell the bot's name, got ${why}; --bot NAME names it without asking` };
};

const MADE_UP =
  "TELEGRAM_BOT_TOKEN is not set here, so this is addressed to a made-up bot, 77; the gateway's own may ignore it.\n";
