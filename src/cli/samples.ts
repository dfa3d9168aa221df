import { MODULES } from "../../adapters/index.ts";
import type { Platform } from "../domain/event.ts";
import type { PlatformModule } from "../ports/platform.ts";
import type { Sending } from "../ports/sampler.ts";

/** How `send` makes the webhooks of a platform. */
export interface Sample extends Sending {
  readonly module: PlatformModule;
}

const samples = MODULES.map(
  async (module) => [module.name, { ...(await module.sampler()), module } satisfies Sample] as const,
);
export const SAMPLES = Object.fromEntries(await Promise.all(samples)) as Readonly<Record<Platform, Sample>>;

/** Those of which something holds, as `one or another`. */
export function namesWhere(holds: (sample: Sample) => boolean): string {
  return Object.values(SAMPLES)
    .filter(holds)
    .map(({ module }) => module.name)
    .join(" or ");
}
