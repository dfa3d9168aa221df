import type { Environment } from "../src/config/environment.ts";
import type { GatewaySpec } from "../src/config/schema.ts";
import { GatewayError } from "../src/domain/errors.ts";
import type { Platform } from "../src/domain/event.ts";
import type { Adapter, ProbeFinding } from "../src/ports/adapter.ts";
import type { Clock, Random } from "../src/ports/clock.ts";

export interface AdapterContext {
  readonly environment: Environment;
  readonly spec: GatewaySpec;
  readonly clock: Clock;
  readonly random: Random;
}

/** A started adapter, and what it still wants to learn from its platform. */
export interface OpenedAdapter {
  readonly adapter: Adapter;
  /** Run in the background after start; never throws. */
  readonly learn?: (signal: AbortSignal) => Promise<void>;
}

/** One call to a platform, from connecting to the last byte. */
const TIMEOUT_MS = 15_000;

type Open = (context: AdapterContext) => Promise<OpenedAdapter | null>;

/**
 * Platform to factory. Each is loaded only when its secrets are there: the platforms' own libraries
 * are most of the memory of an idle process.
 */
const FACTORIES: Readonly<Record<Exclude<Platform, "test">, Open>> = {
  async slack({ environment: { platforms }, spec, clock }) {
    const env = platforms.slack;
    if (env.kind === "off") return null;
    const { createSlackAdapter } = await import("./slack/adapter.ts");
    const { thread_context: thread } = spec.platforms.slack;
    const adapter = createSlackAdapter({
      signingSecrets: env.signingSecrets,
      botToken: env.botToken,
      ...(env.appId !== null && { appId: env.appId }),
      ...(env.apiUrl !== null && { apiUrl: env.apiUrl }),
      commandReplies: spec.platforms.slack.command_replies,
      dmReplies: spec.platforms.slack.dm_replies,
      learns: true,
      ...(thread.messages > 0 && {
        threadLimits: {
          messages: thread.messages,
          characters: thread.characters,
          waitMs: thread.wait_seconds * 1000,
        },
      }),
      clock,
      timeoutMs: TIMEOUT_MS,
    });
    return {
      adapter,
      async learn(signal) {
        for (let delayMs = LEARN_AGAIN_MS; !signal.aborted && !(await adapter.learn(signal)); ) {
          await clock.sleep(delayMs, signal).catch(() => {});
          delayMs = Math.min(delayMs * 2, LEARN_RETRY_MS);
        }
      },
    };
  },

  async discord({ environment: { platforms }, clock, random }) {
    const env = platforms.discord;
    if (env.kind === "off") return null;
    const { createDiscordAdapter } = await import("./discord/adapter.ts");
    const adapter = createDiscordAdapter({
      publicKeys: env.publicKeys,
      applicationId: env.applicationId,
      botToken: env.botToken,
      ...(env.apiUrl !== null && { apiUrl: env.apiUrl }),
      clock,
      random,
      timeoutMs: TIMEOUT_MS,
    });
    return { adapter };
  },

  async telegram({ environment, clock }) {
    const env = environment.platforms.telegram;
    if (env.kind === "off") return null;
    const { createTelegramAdapter, learnUsername } = await import("./telegram/adapter.ts");
    const identity = { username: null as string | null };
    const options = {
      botToken: env.botToken,
      webhookSecrets: env.webhookSecrets,
      ...(env.apiRoot !== null && { apiRoot: env.apiRoot }),
      identity,
      publicUrl: environment.publicUrl,
      clock,
      timeoutMs: TIMEOUT_MS,
    };
    return {
      adapter: createTelegramAdapter(options),
      async learn(signal) {
        for (let attempt = 0; identity.username === null && !signal.aborted; attempt++) {
          if (attempt > 0) await clock.sleep(LEARN_RETRY_MS, signal).catch(() => {});
          identity.username = await learnUsername(options, signal);
        }
      },
    };
  },

  async whatsapp({ environment: { platforms }, spec, clock }) {
    const env = platforms.whatsapp;
    if (env.kind === "off") return null;
    const { createWhatsAppAdapter } = await import("./whatsapp/adapter.ts");
    const adapter = createWhatsAppAdapter({
      accessToken: env.accessToken,
      appSecrets: env.appSecrets,
      verifyToken: env.verifyToken,
      phoneNumberId: env.phoneNumberId,
      ...(env.apiUrl !== null && { apiUrl: env.apiUrl }),
      apiVersion: spec.platforms.whatsapp.api_version,
      clock,
      timeoutMs: TIMEOUT_MS,
    });
    return { adapter };
  },
};

/** The first wait after a failure, which events wait too; later ones are longer. */
const LEARN_AGAIN_MS = 2_000;
const LEARN_RETRY_MS = 60_000;

/** What each platform that is on says of our credentials, or what keeps it from being asked. Never throws. */
export async function probePlatforms(
  context: AdapterContext,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly ProbeFinding[]>> {
  const names = Object.keys(FACTORIES) as (keyof typeof FACTORIES)[];
  const wanted = names.filter((name) => context.spec.platforms[name].enabled !== false);
  const found = await Promise.all(
    wanted.map(async (name) => {
      try {
        const opened = await FACTORIES[name](context);
        return [name, (await opened?.adapter.probe?.(signal)) ?? []] as const;
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        const fix = "see docs/configuration.md";
        return [name, [{ status: "fail", message: error.message, fix, code: null }]] as const;
      }
    }),
  );
  return new Map<string, readonly ProbeFinding[]>(found);
}

/** Every platform that is configured and not switched off. */
export async function openAdapters(context: AdapterContext): Promise<OpenedAdapter[]> {
  const names = Object.keys(FACTORIES) as (keyof typeof FACTORIES)[];
  const wanted = names.filter((name) => context.spec.platforms[name].enabled !== false);
  const opened = await Promise.all(wanted.map((name) => FACTORIES[name](context)));
  return opened.filter((adapter) => adapter !== null);
}
