import type { Adapter } from "../ports/adapter.ts";
import type { Elsewhere } from "../ports/agent.ts";
import type { Feedback } from "../ports/feedback.ts";
import type { Job } from "../ports/queue.ts";
import type { DeliverDeps } from "../reply/deliver.ts";
import { elsewhereOf } from "../reply/elsewhere.ts";
import type { Logger } from "../telemetry/log.ts";
import type { JobSignals } from "./dispatcher.ts";
import { notedAs } from "./noting.ts";

interface ElsewhereDeps {
  readonly adapters: ReadonlyMap<string, Adapter>;
  readonly delivery: Omit<DeliverDeps, "isHeld" | "leftMs">;
  readonly feedback?: Pick<Feedback, "said">;
  readonly log: Logger;
}

/** What is said of an event in other places than where it came from, and whoever reacts to it there is heard. */
export function elsewhereFor(
  job: Job,
  agent: string,
  deps: ElsewhereDeps,
  { job: signal, isHeld, leftMs }: JobSignals,
): Elsewhere {
  return elsewhereOf(
    job,
    {
      adapters: deps.adapters,
      delivery: { ...deps.delivery, isHeld, leftMs },
      noted: (adapter, place, buttons) => notedAs(job, agent, adapter, deps, { buttons, place }),
    },
    signal,
  );
}
