import type { Config, Loaded } from "../config/load.ts";
import type { ComponentReport } from "../ingress/health.ts";
import type { Clock, Random } from "../ports/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { buildAgents, modelBreakers } from "./agents.ts";
import { showBreakers } from "./breaker-watch.ts";
import { CurrentRules, type Rules, type Why } from "./current-rules.ts";
import { policyOf } from "./policy.ts";
import { openTools } from "./tools.ts";

export interface RulesOptions {
  readonly config: Config;
  readonly load: () => Promise<Loaded>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly version: string;
}

export interface OpenedRules {
  readonly current: () => Rules;
  readonly isPaused: () => boolean;
  readonly report: () => ComponentReport;
  reload(why: Why): Promise<void>;
  watch(signal: AbortSignal): Promise<void>;
  /** Ends what agents have begun beside their models. */
  close(): Promise<void>;
}

/** What the configuration decides, as it is now; what outlives each configuration is made here. */
export async function openRules({ config, load, ...system }: RulesOptions): Promise<OpenedRules> {
  const { clock, metrics } = system;
  const breakers = modelBreakers(clock, system);
  showBreakers("model", () => breakers.reports(), metrics);
  const { killSwitch, dataDir } = config.environment;
  const pool = openTools({ dataDir, ...system });
  const isPausedBy = ({ gateway }: Config) => killSwitch || gateway.kill_switch;

  async function build(of: Config): Promise<Rules> {
    const agents = await buildAgents({ config: of, breakers, tools: pool.begin(), ...system });
    return {
      config: of,
      spec: of.gateway,
      policy: policyOf(of.gateway, of.agents, () => isPausedBy(of)),
      agents,
    };
  }

  const onChange = (now: Rules) => {
    metrics.paused.set(isPausedBy(now.config) ? 1 : 0);
    now.agents.toolsHold();
  };
  const first = await build(config);
  onChange(first);
  const rules = new CurrentRules(first, { load, build, onChange, ...system });
  return {
    current: rules.current,
    isPaused: () => isPausedBy(rules.current().config),
    report: rules.report,
    reload: (why) => rules.reload(why),
    watch: (signal) => rules.watch(signal),
    close: () => pool.close(),
  };
}
