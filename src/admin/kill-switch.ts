import { z } from "zod";
import { PLATFORMS } from "../domain/event.ts";
import type { Switches, SwitchOrder, Thrown } from "../domain/switches.ts";
import type { Clock } from "../ports/clock.ts";
import { iso } from "../shared/time.ts";
import { type ApiResponse, problem } from "./responses.ts";

export interface KillSwitchDeps {
  readonly killSwitch: {
    readonly switches: Switches;
    readonly isOnByConfiguration: boolean;
    set(order: SwitchOrder): Promise<Switches>;
  };
  /** Names of those that there are now. */
  readonly agents: () => readonly string[];
  readonly clock: Pick<Clock, "nowMs">;
}

const REASON_CHARS_MAX = 100;
/** What is kept of all is one small note. */
const PARTS_MAX = 7;

export const killSwitchBody = z.strictObject({
  on: z.boolean(),
  reason: z.string().max(REASON_CHARS_MAX).optional().describe("For whoever asks why."),
  agent: z.string().min(1).max(100).optional().describe("This agent alone."),
  platform: z.enum(PLATFORMS).optional().describe("This platform alone."),
});

const thrown = {
  by: z.string(),
  since: z.iso.datetime(),
  reason: z.string().nullable(),
};

export const killSwitchSchema = z.object({
  on: z.boolean().describe("Whether everything is paused, by a switch or by the configuration."),
  by_configuration: z.boolean().describe("Only the configuration puts that back."),
  switch: z.object(thrown).nullable().describe("The one for everything."),
  agents: z.array(z.object({ name: z.string(), ...thrown })),
  platforms: z.array(z.object({ name: z.string(), ...thrown })),
});

export type KillSwitchView = z.infer<typeof killSwitchSchema>;

export function killSwitchView({ killSwitch }: Pick<KillSwitchDeps, "killSwitch">): KillSwitchView {
  const { switches, isOnByConfiguration } = killSwitch;
  return {
    on: isOnByConfiguration || switches.all !== null,
    by_configuration: isOnByConfiguration,
    switch: switches.all === null ? null : thrownView(switches.all),
    agents: partsView(switches.agents),
    platforms: partsView(switches.platforms),
  };
}

export async function setKillSwitch(
  { on, reason, agent, platform }: z.output<typeof killSwitchBody>,
  by: string,
  { killSwitch, agents, clock }: KillSwitchDeps,
): Promise<ApiResponse | null> {
  if (agent !== undefined && platform !== undefined)
    return problem(400, "Expected an agent or a platform, got both");
  const { agents: paused, platforms } = killSwitch.switches;
  // What is paused can be put back, also when its agent is gone.
  if (on && agent !== undefined && !agents().includes(agent))
    return problem(400, `agent: expected one of ${agents().join(", ")}, got another`);
  if (on && Object.keys(paused).length + Object.keys(platforms).length >= PARTS_MAX)
    return problem(
      400,
      `Expected at most ${PARTS_MAX} agents and platforms to be paused; pause everything instead`,
    );
  await killSwitch.set({ on, by, atMs: clock.nowMs(), reason: reason ?? null, agent, platform });
  return null;
}

function partsView(parts: Readonly<Record<string, Thrown>>) {
  return Object.entries(parts).map(([name, one]) => ({ name, ...thrownView(one) }));
}

function thrownView({ by, atMs, reason }: Thrown) {
  return { by, since: iso(atMs), reason };
}
