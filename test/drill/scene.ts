import { configFolder, NO_LIMITS } from "../e2e/configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "../e2e/gateway-process.ts";
import { deliver, openPlatforms, privateMessage } from "../e2e/platforms.ts";

/** A gateway that is well, and what is done to it. */
export interface Scene extends AsyncDisposable {
  readonly gateway: GatewayProcess;
  /** Others of the same Redis, which are scraped as well. */
  readonly others?: readonly GatewayProcess[];
  /** Ends when the outage is there; what goes on, such as people who write, goes on until the signal. */
  begin(signal: AbortSignal): Promise<void>;
  /** Ends it. */
  mend?(): Promise<void>;
}

export interface Outage {
  readonly what: string;
  /** All of these fire. */
  readonly raises: readonly string[];
  /** These may: they are about the same, and later or from elsewhere. */
  readonly follows: readonly string[];
  /** Of those that are raised, what nobody is told: another says it already. */
  readonly unsaid?: readonly string[];
  /** What is over soon after it was mended; the others look back over minutes or hours. */
  readonly over?: readonly string[];
  /** It needs a disk of its own, which only root can make. */
  readonly mounts?: true;
  /** Only with the rules as they are shipped: what it shows does not get faster with them. */
  readonly isLong?: true;
  open(stack: AsyncDisposableStack): Promise<Omit<Scene, keyof AsyncDisposable>>;
}

/** What spends the budget of a month in hours does so here, too: nobody else writes. */
export const SLO = ["ParleyErrorBudgetBurnsFast", "ParleyErrorBudgetBurns"];

export const agent = (model: string, more = "") =>
  `metadata: { name: assistant }\nspec:\n  model: ${model}\n  retry: { backoff_seconds: 0 }\n${more}`;
export const DEMO = agent("{ provider: demo }", "  budgets: { tokens: 1000000 }\n");

interface Opened {
  readonly env?: Record<string, string>;
  readonly dataDir?: string;
  readonly of?: string;
  /** YAML of the gateway, indented by two. */
  readonly spec?: string;
}

/** A gateway with all platforms, which are fakes on loopback. */
export async function opened(
  stack: AsyncDisposableStack,
  { env = {}, dataDir = temporaryFolder(), of = DEMO, spec = "" }: Opened,
) {
  const platforms = stack.use(await openPlatforms());
  const config = configFolder(NO_LIMITS + spec, of);
  const start = async (folder: string) =>
    stack.use(await startGateway({ dataDir: folder, config, env: { ...platforms.env, ...env } }));
  const gateway = await start(dataDir);
  let person = 0;
  const write = (text: string, platform: "slack" | "telegram" = "slack", url = gateway.url) =>
    deliver(url, privateMessage(platform, { person: 1_000 + ++person, text }));
  return { platforms, gateway, write, another: () => start(temporaryFolder()) };
}

/** Somebody writes twice a second, or as seldom as that, until the signal. */
export function goOn(write: () => Promise<unknown>, signal: AbortSignal, everyMs = 500): void {
  const timer = setInterval(() => void write().catch(() => {}), everyMs);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}
