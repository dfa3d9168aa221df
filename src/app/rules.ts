import type { Config, Loaded } from "../config/load.ts";
import type { ComponentReport } from "../ingress/health.ts";
import type { Audit } from "../ports/audit.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Hooks } from "../ports/hooks.ts";
import type { Notebooks } from "../ports/notebooks.ts";
import type { ToolDesk } from "../ports/tool-desk.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Tracing } from "../telemetry/trace.ts";
import type { TokenKeeper } from "../tools/pool.ts";
import { buildAgents, modelAccounts, modelBreakers } from "./agents.ts";
import { showBreakers } from "./breaker-watch.ts";
import type { RunControls } from "./controls.ts";
import { CurrentRules, type Rules, type Why } from "./current-rules.ts";
import type { KillSwitch } from "./kill-switch.ts";
import { languagesFor } from "./language.ts";
import { policyOf } from "./policy.ts";
import { createToolDesk } from "./tool-desk.ts";
import { openTools } from "./tools.ts";

export interface RulesOptions {
  readonly config: Config;
  readonly load: () => Promise<Loaded>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly version: string;
  readonly tracing?: Tracing;
  /** Told of models that are left alone; absent: nobody is. */
  readonly hooks?: Pick<Hooks, "emit">;
  /** Where agents keep long-term notes, once there is a store. */
  readonly notebooks?: () => Notebooks | undefined;
  /** Absent: nobody keeps what was read again. */
  readonly audit?: Audit;
  /** What is paused beside the configuration, and told what that says. */
  readonly killSwitch: Pick<KillSwitch, "isThrown" | "byConfiguration">;
  /** Hears the variables of secrets that are others from now on. */
  readonly renewed?: (secrets: readonly string[]) => void;
  /** What stands in place of configured limits; and closes breakers. */
  readonly controls: Pick<RunControls, "now" | "watch">;
}

export interface OpenedRules {
  readonly current: () => Rules;
  readonly report: () => ComponentReport;
  reload(why: Why): Promise<void>;
  watch(signal: AbortSignal): Promise<void>;
  /** The store is open: see ToolPool. */
  keepTokens(keeper: TokenKeeper | null): void;
  /** Tools of agents, as operators see them. */
  readonly tools: ToolDesk;
  /** Ends what agents have begun beside their models. */
  close(): Promise<void>;
}

/** What the configuration decides, as it is now; what outlives each configuration is made here. */
export async function openRules({
  config,
  load,
  killSwitch,
  controls,
  ...system
}: RulesOptions): Promise<OpenedRules> {
  const { clock, metrics } = system;
  const breakers = modelBreakers(clock, system);
  const accounts = modelAccounts(clock, metrics);
  controls.watch(breakers);
  showBreakers("model", () => breakers.reports(), metrics);
  const pool = openTools({ dataDir: config.environment.dataDir, ...system });
  const isPausedBy = ({ environment, gateway }: Config) => environment.killSwitch || gateway.kill_switch;

  async function build(of: Config): Promise<Rules> {
    const agents = await buildAgents({ config: of, breakers, accounts, tools: pool.begin(), ...system });
    const languageOf = await languagesFor(of.gateway);
    return {
      config: of,
      spec: of.gateway,
      policy: policyOf(
        of.gateway,
        of.agents,
        (what) => isPausedBy(of) || killSwitch.isThrown(what),
        (scope) => controls.now.limits[scope]?.value ?? of.gateway.limits[scope],
        languageOf,
      ),
      agents,
    };
  }

  const onChange = (now: Rules) => {
    killSwitch.byConfiguration(isPausedBy(now.config));
    now.agents.toolsHold();
  };
  const first = await build(config);
  onChange(first);
  const rules = new CurrentRules(first, { load, build, onChange, ...system });
  return {
    current: rules.current,
    report: rules.report,
    reload: (why) => rules.reload(why),
    watch: (signal) => rules.watch(signal),
    keepTokens: (keeper) => pool.keepTokens(keeper),
    tools: createToolDesk(pool, metrics),
    close: () => pool.close(),
  };
}
