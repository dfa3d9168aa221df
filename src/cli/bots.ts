import { MODULES } from "../../adapters/index.ts";
import { createEnvReader } from "../config/env-reader.ts";
import { variablesOf } from "../config/variables.ts";
import type { Platform } from "../domain/event.ts";
import { quoted } from "../domain/redact.ts";
import type { SampledBot } from "../ports/sampler.ts";
import { EXIT } from "../shared/exit.ts";
import { getString, type JsonObject, parseJsonObject } from "../shared/json.ts";
import { ask } from "./ask.ts";
import { printable } from "./printable.ts";
import { namesWhere, SAMPLES } from "./samples.ts";
import { CommandError, type Terminal } from "./terminal.ts";

const TIMEOUT_MS = 5_000;
/** Of what a platform says. */
const REASON_CHARS_MAX = 300;

/** Whom a sample is addressed to: what the gateway takes for itself, as far as it can be found out. */
export async function botFor(
  platform: Platform,
  { bot: given, kind }: { readonly bot?: string; readonly kind: string },
  terminal: Terminal,
): Promise<SampledBot | null> {
  const { bot } = SAMPLES[platform];
  if (bot === undefined) {
    if (given === undefined) return null;
    const names = namesWhere((one) => one.bot !== undefined);
    throw new CommandError(EXIT.usage, `expected --bot with ${names} only, got ${platform}`);
  }
  const env = createEnvReader(terminal.env, terminal.cwd, variablesOf(MODULES));
  const found = await bot.find({ given, kind, env, ask: asked, talk: terminal.talk });
  if (found !== null && "unknown" in found) throw new CommandError(EXIT.unreachable, found.unknown);
  return found;
}

async function asked(url: string, init: RequestInit): Promise<{ body: JsonObject; why: string }> {
  const answer = await ask(url, init, TIMEOUT_MS);
  if (answer.kind === "unreachable") return { body: {}, why: answer.code };
  const parsed = parseJsonObject(answer.body);
  const said = parsed.ok ? quoted(getString(parsed.value, "description") ?? "", REASON_CHARS_MAX) : "";
  const why = `${answer.status} ${printable(said)}`.trim();
  return { body: parsed.ok ? parsed.value : {}, why };
}
