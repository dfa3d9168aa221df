import { BreakerOpen } from "../domain/breaker.ts";
import type { Button } from "../domain/button.ts";
import type { ReplyAddress } from "../domain/event.ts";
import type { ApprovalPlace } from "../domain/run.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Elsewhere } from "../ports/agent.ts";
import type { Job } from "../ports/queue.ts";
import { messageOf } from "../shared/fault.ts";
import { eventIds } from "../telemetry/event-ids.ts";
import { Aside, amendBeside, sayBeside } from "./beside.ts";
import type { DeliverDeps } from "./deliver.ts";

export interface ElsewhereDeps {
  readonly adapters: ReadonlyMap<string, Adapter>;
  readonly delivery: DeliverDeps;
  /** Of a message there, for whoever reacts to it. */
  readonly noted?: (
    adapter: Adapter,
    place: ApprovalPlace,
    buttons: readonly Button[],
  ) => Pick<DeliverDeps, "onSaid">;
}

/** Of one event: what is said of it in other places than its conversation, once, as all that is said beside its answer. */
export function elsewhereOf(
  job: Job,
  { adapters, delivery, noted }: ElsewhereDeps,
  signal: AbortSignal,
): Elsewhere {
  return {
    async say({ place, key, text, buttons = [] }) {
      const found = addressIn(place, job, adapters);
      if (found === null) return unreached("no bot may speak there", place, job, delivery);
      const { adapter, to } = found;
      const deps = { ...delivery, ...noted?.(adapter, place, buttons), to, follows: true };
      try {
        await sayBeside({ key: keyThere(key), text, buttons }, job, adapter, deps, signal);
        return "said";
      } catch (error) {
        if (error instanceof BreakerOpen) return "away";
        if (!(error instanceof Aside)) throw error;
        const { kind } = error.error;
        if (kind === "retry" || kind === "unknown") return "away";
        return unreached(messageOf(error.error), place, job, delivery);
      }
    },
    async amend({ place, key, text, buttons = [] }) {
      const found = addressIn(place, job, adapters);
      if (found === null) return;
      const { adapter, to } = found;
      await amendBeside({ key: keyThere(key), text, buttons }, job, adapter, { ...delivery, to }, signal);
    },
  };
}

/** The same is said of in the conversation, in other words. */
function keyThere(key: string): string {
  return `there/${key}`;
}

function addressIn(
  { platform, tenant, channel, thread }: ApprovalPlace,
  { event }: Job,
  adapters: ReadonlyMap<string, Adapter>,
): { readonly adapter: Adapter; readonly to: ReplyAddress } | null {
  const adapter = adapters.get(platform);
  const to = adapter?.addressOf?.({ tenant: tenant ?? "", channel, thread, eventId: event.id }) ?? null;
  return adapter === undefined || to === null ? null : { adapter, to };
}

function unreached(
  cause: string,
  { platform, channel }: ApprovalPlace,
  { event }: Job,
  { log }: DeliverDeps,
): "refused" {
  log.warn(
    { ...eventIds(event), platform: event.platform, place: `${platform}:${channel}`, cause },
    "approval.place_refused",
  );
  return "refused";
}
