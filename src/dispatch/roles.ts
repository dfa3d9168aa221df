import type { Platform, TriggerEvent } from "../domain/event.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Offer } from "../ports/inbox.ts";
import type { Job } from "../ports/queue.ts";
import { Deferred } from "./settle.ts";

export interface RolesDeps {
  /** All that any rule goes by there. */
  readonly named: (platform: Platform) => ReadonlySet<string>;
  /** What admission makes of the event, now that the roles are known; null: it would not take it any more. */
  readonly admitAgain: (
    event: TriggerEvent,
    roles: readonly string[],
  ) => Pick<Offer, "event" | "agent" | "refusal"> | null;
}

/**
 * Decides what was left open when the event was accepted, because nobody knew yet which roles its sender has: whether they may
 * use the bot, and who answers them. Throws Deferred when the platform does not tell now: nobody is let in on a guess.
 */
export async function withRolesKnown(
  job: Job,
  adapter: Adapter,
  deps: RolesDeps | undefined,
  signal: AbortSignal,
): Promise<Job> {
  const { event, progress, refusal } = job;
  const isSettled = refusal !== null || (progress !== null && progress.answer !== null);
  if (event.rolesDue !== true || isSettled || deps === undefined) return job;
  const named = deps.named(event.platform);
  // Whatever went by roles is gone from the configuration since, or the platform is read in another way.
  const isNeedless = named.size === 0 || adapter.roles === undefined;
  const roles = isNeedless ? [] : ((await adapter.roles?.read(event, named, signal)) ?? null);
  signal.throwIfAborted();
  if (roles === null) throw new Deferred(`${adapter.platform} does not tell now which roles people have`);
  const offer = deps.admitAgain(event, roles);
  if (offer === null) return job;
  // Whoever was let in stays in until it is answered; how old it is was looked at, and whether all is paused is.
  const isRefused = progress === null && offer.refusal?.cause === "not_allowed";
  return { ...job, event: offer.event, agent: offer.agent, ...(isRefused && { refusal: offer.refusal }) };
}
