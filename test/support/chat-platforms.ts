import { MODULES } from "../../adapters/index.ts";
import { openPlatforms } from "../../src/app/platforms.ts";
import { loadConfig } from "../../src/config/load.ts";
import { PLATFORMS, type Platform } from "../../src/domain/event.ts";
import type { LinkHosts } from "../../src/domain/link-hosts.ts";
import type { Adapter } from "../../src/ports/adapter.ts";
import type { Kept } from "../../src/ports/platform.ts";
import { systemClock } from "../../src/system/clock.ts";
import { folderWith, problemsOf } from "../config/helpers.ts";

/** What people chat on: all but what is for programs and for developers. */
export type Chat = Exclude<Platform, "in" | "test">;
export const CHATS = PLATFORMS.filter((name): name is Chat => name !== "in" && name !== "test");

const SECRET = "0123456789abcdef0123456789abcdef";

/** What turns each of them on, and nothing more. */
export const ENV_OF = {
  slack: { SLACK_SIGNING_SECRET: SECRET, SLACK_BOT_TOKEN: "t" },
  discord: { DISCORD_PUBLIC_KEY: SECRET + SECRET, DISCORD_APPLICATION_ID: "900" },
  telegram: { TELEGRAM_BOT_TOKEN: "77:t", TELEGRAM_WEBHOOK_SECRET: SECRET },
  whatsapp: {
    WHATSAPP_ACCESS_TOKEN: "t",
    WHATSAPP_APP_SECRET: SECRET,
    WHATSAPP_VERIFY_TOKEN: "fedcba9876543210",
    WHATSAPP_PHONE_NUMBER_ID: "1",
  },
} as const satisfies Readonly<Record<Chat, Readonly<Record<string, string>>>>;

export const ALL_ON: Readonly<Record<string, string>> = Object.assign({}, ...Object.values(ENV_OF));

/** Every one of them as the gateway opens it, with its options as they are by default. */
export async function openAll(linkHosts: () => LinkHosts = () => "any"): Promise<readonly Adapter[]> {
  const loaded = loadConfig({ modules: MODULES, env: ALL_ON, cwd: folderWith({}) });
  if (!loaded.ok) throw new Error(problemsOf(loaded).join("\n"));
  const kept = { secrets: null } as unknown as Kept;
  return await openPlatforms(loaded.config, { clock: systemClock, random: Math.random, kept, linkHosts });
}
