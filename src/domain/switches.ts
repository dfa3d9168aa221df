/** Who threw a switch, when, and why. */
export interface Thrown {
  readonly by: string;
  readonly atMs: number;
  readonly reason: string | null;
}

/** What is paused at run time: everything, and agents and platforms by name. */
export interface Switches {
  readonly all: Thrown | null;
  readonly agents: Readonly<Record<string, Thrown>>;
  readonly platforms: Readonly<Record<string, Thrown>>;
}

export const NO_SWITCHES: Switches = { all: null, agents: {}, platforms: {} };

/** What a message belongs to; `agent`: null when nobody would answer it. */
export interface PausedFor {
  readonly platform: string;
  readonly agent: string | null;
}

/** One switch, thrown (`on`) or put back. Without an agent or a platform it is the one for everything. */
export interface SwitchOrder extends Thrown {
  readonly on: boolean;
  readonly agent?: string | undefined;
  readonly platform?: string | undefined;
}

export function flipped(switches: Switches, order: SwitchOrder): Switches {
  const { on, agent, platform, by, atMs, reason } = order;
  const thrown = on ? { by, atMs, reason } : null;
  if (agent !== undefined) return { ...switches, agents: withOne(switches.agents, agent, thrown) };
  if (platform !== undefined)
    return { ...switches, platforms: withOne(switches.platforms, platform, thrown) };
  return { ...switches, all: thrown };
}

function withOne(
  switches: Readonly<Record<string, Thrown>>,
  name: string,
  thrown: Thrown | null,
): Readonly<Record<string, Thrown>> {
  const { [name]: _, ...others } = switches;
  return thrown === null ? others : { ...others, [name]: thrown };
}

/** Whether this is paused; without an argument, whether everything is. */
export function isPausedBy({ all, agents, platforms }: Switches, of?: PausedFor): boolean {
  if (all !== null || of === undefined) return all !== null;
  return Object.hasOwn(platforms, of.platform) || (of.agent !== null && Object.hasOwn(agents, of.agent));
}
