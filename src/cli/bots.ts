import { MODULES } from "../../adapters/index.ts";
import type { SampledBot } from "../../adapters/shared/sample.ts";
import { createEnvReader } from "../config/env-reader.ts";
import { variablesOf } from "../config/variables.ts";
import type { Platform } from "../domain/event.ts";
import { quoted } from "../domain/redact.ts";
import type { EnvReader } from "../ports/platform.ts";
import { EXIT } from "../shared/exit.ts";
import { get, getString, type JsonObject, parseJsonObject } from "../shared/json.ts";
import { ask } from "./ask.ts";
import { printable } from "./printable.ts";
import { CommandError, type Terminal } from "./terminal.ts";

const TIMEOUT_MS = 5_000;
/** Of what a platform says. */
const REASON_CHARS_MAX = 300;

/** Whom a sample is addressed to: what the gateway takes for itself, as far as it can be found out. */
export async function botFor(
  platform: Platform,
  { bot, kind }: { readonly bot?: string; readonly kind: string },
  terminal: Terminal,
): Promise<SampledBot | null> {
  const env = createEnvReader(terminal.env, terminal.cwd, variablesOf(MODULES));
  if (platform === "telegram") return await telegramBot(env, { bot, kind }, terminal);
  if (platform === "slack") return await slackBot(env, bot);
  if (bot !== undefined)
    throw new CommandError(EXIT.usage, `expected --bot with telegram or slack only, got ${platform}`);
  return null;
}

/** Kinds that name the bot. The others are addressed by its id, or by the chat. */
const NAMING: ReadonlySet<string> = new Set(["command", "mention", "topic"]);

async function telegramBot(
  env: EnvReader,
  { bot, kind }: { readonly bot: string | undefined; readonly kind: string },
  terminal: Terminal,
): Promise<SampledBot | null> {
  const given = bot?.replace(/^@/, "");
  if (given !== undefined && !/^\w{1,64}$/.test(given))
    throw new CommandError(
      EXIT.usage,
      "expected --bot to be a name of letters, digits and _, got something else",
    );
  const token = env.secret("TELEGRAM_BOT_TOKEN")?.reveal() ?? "";
  const id = /^(\d{1,16}):/.exec(token)?.[1];
  if (id === undefined) {
    terminal.talk(MADE_UP);
    return given === undefined ? null : { id: "77", name: given };
  }
  if (given !== undefined) return { id, name: given };
  if (!NAMING.has(kind)) return { id };
  const root = (env.url("TELEGRAM_API_ROOT") ?? "https://api.telegram.org").replace(/\/+$/, "");
  const answer = await asked(`${root}/bot${token}/getMe`, {});
  const name = getString(get(answer.body, "result"), "username");
  if (name !== undefined) return { id, name };
  throw new CommandError(
    EXIT.unreachable,
    `expected getMe to tell the bot's name, got ${answer.why}; --bot NAME names it without asking`,
  );
}

const MADE_UP =
  "TELEGRAM_BOT_TOKEN is not set here, so this is addressed to a made-up bot, 77; the gateway's own may ignore it.\n";

/** Without an answer the made-up workspace and bot stand in: the payload itself says who is meant. */
async function slackBot(env: EnvReader, bot: string | undefined): Promise<SampledBot | null> {
  if (bot !== undefined && !/^[A-Z0-9]{1,64}$/.test(bot))
    throw new CommandError(
      EXIT.usage,
      "expected --bot to be a user id such as U024BE7LH, got something else",
    );
  const token = env.secret("SLACK_BOT_TOKEN");
  if (token === null) return bot === undefined ? null : { id: bot };
  const root = (env.url("SLACK_API_URL") ?? "https://slack.com/api").replace(/\/+$/, "");
  const answer = await asked(`${root}/auth.test`, {
    method: "POST",
    headers: { authorization: `Bearer ${token.reveal()}` },
  });
  const id = bot ?? getString(answer.body, "user_id");
  const tenant = getString(answer.body, "team_id");
  return id === undefined ? null : { id, ...(tenant !== undefined && { tenant }) };
}

async function asked(url: string, init: RequestInit): Promise<{ body: JsonObject; why: string }> {
  const answer = await ask(url, init, TIMEOUT_MS);
  if (answer.kind === "unreachable") return { body: {}, why: answer.code };
  const parsed = parseJsonObject(answer.body);
  const said = parsed.ok ? quoted(getString(parsed.value, "description") ?? "", REASON_CHARS_MAX) : "";
  const why = `${answer.status} ${printable(said)}`.trim();
  return { body: parsed.ok ? parsed.value : {}, why };
}
