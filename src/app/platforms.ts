import type { InboundSpec } from "../config/inbound-schema.ts";
import type { Config } from "../config/load.ts";
import { rolesNamed } from "../config/roles.ts";
import { PLATFORM_DEFAULTS } from "../config/schema.ts";
import { GatewayError } from "../domain/errors.ts";
import type { Platform } from "../domain/event.ts";
import type { LinkHosts } from "../domain/link-hosts.ts";
import type { Adapter, ProbeFinding } from "../ports/adapter.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type {
  Developers,
  InboundWebhook,
  Kept,
  OpenContext,
  PlatformModule,
  PlatformWords,
} from "../ports/platform.ts";

/** One call to a platform, from connecting to the last byte. */
const TIMEOUT_MS = 15_000;

interface Context {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Every platform that is configured and not switched off. Each is loaded only here: the platforms' own libraries are most
 * of the memory of an idle process.
 */
export async function openPlatforms(
  config: Config,
  context: Context & { readonly kept: Kept; readonly linkHosts: () => LinkHosts },
): Promise<readonly Adapter[]> {
  return await Promise.all(platformsThatAreOn(config).map((module) => open(module, config, context)));
}

/** What is for developers alone, always on. */
export async function openForDevelopers(
  config: Config,
  context: Context,
  developers: Developers,
): Promise<readonly Adapter[]> {
  const modules = config.modules.filter(({ isForDevelopers }) => isForDevelopers === true);
  return await Promise.all(modules.map((module) => open(module, config, { ...context, developers })));
}

/** What programs send; nothing where no webhook is configured. */
export async function openForPrograms(
  config: Config,
  context: Context,
  inbound: () => readonly InboundSpec[],
): Promise<readonly Adapter[]> {
  if (inbound().length === 0) return [];
  const modules = config.modules.filter(({ isForPrograms }) => isForPrograms === true);
  const webhooks = () => inbound().map(webhookOf);
  return await Promise.all(modules.map((module) => open(module, config, { ...context, inbound: webhooks })));
}

function webhookOf(spec: InboundSpec): InboundWebhook {
  const { name, secret, agent = null, text, conversation = null, user = null, callback } = spec;
  return {
    ...{ name, secrets: secret, agent, text, conversation, user },
    callback:
      callback === undefined
        ? null
        : {
            ...{ url: callback.url, secrets: callback.secret },
            timeoutMs: callback.timeout_seconds * 1000,
          },
  };
}

/**
 * What each platform that is on says of our credentials, or what keeps it from being asked. `setUp` looks at the whole app
 * where the platform has a way to; else undefined. Never throws.
 */
export async function probePlatforms(
  config: Config,
  context: Context,
  setUp: (module: PlatformModule) => Promise<readonly ProbeFinding[] | undefined>,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly ProbeFinding[]>> {
  const found = platformsThatAreOn(config).map(async (module) => {
    try {
      const adapter = await open(module, config, context);
      const whole = (await setUp(module)) ?? [];
      // Without the credential that its set-up asks with, there may be another way to ask.
      return [module.name, whole.length > 0 ? whole : ((await adapter.probe?.(signal)) ?? [])] as const;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      return [module.name, [notOpened(error)]] as const;
    }
  });
  return new Map<string, readonly ProbeFinding[]>(await Promise.all(found));
}

function notOpened({ message }: GatewayError): ProbeFinding {
  return { status: "fail", message, fix: "see docs/configuration.md", code: null };
}

function platformsThatAreOn({ modules, gateway, environment }: Config): readonly PlatformModule[] {
  return modules.filter(
    ({ name }) => environment.platforms[name]?.kind === "on" && gateway.platforms[name]?.enabled !== false,
  );
}

function open(
  module: PlatformModule,
  { gateway, agents, environment }: Config,
  { clock, random, ...further }: Context & Pick<OpenContext, "developers" | "inbound" | "kept" | "linkHosts">,
): Promise<Adapter> {
  const settings = environment.platforms[module.name] ?? { kind: "on" };
  if (settings.kind === "off") throw new Error(`Expected ${module.name} to be on, got one that is off`);
  return module.open({
    clock,
    random,
    ...further,
    settings,
    options: gateway.platforms[module.name] ?? PLATFORM_DEFAULTS,
    publicUrl: environment.publicUrl,
    goesByRoles: rolesNamed(gateway, agents.values(), module.name).size > 0,
    timeoutMs: TIMEOUT_MS,
  });
}

/** What operators are told of a platform's requests, also of one that is off by now. */
export function wordsOf(modules: readonly PlatformModule[]): (platform: Platform) => PlatformWords {
  const words = new Map(modules.map((module) => [module.name, module.words]));
  return (platform) => words.get(platform) ?? NO_WORDS;
}

/** Of one that this version does not know: somebody has taken it away since. */
const NO_WORDS: PlatformWords = { sender: null, secret: "Compare its secret", ignored: {} };
