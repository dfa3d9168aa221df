import { addressed, type ChosenBy } from "../domain/asking.ts";
import { boundedFiles } from "../domain/attachment.ts";
import { FILES_MAX, LABEL_CHARS_MAX } from "../domain/bounds.ts";
import { busyModeFor, mayMerge } from "../domain/busy.ts";
import { chosen } from "../domain/choices.ts";
import { controlCommandOf, controlLane, overtakes } from "../domain/command.ts";
import { boundedContext } from "../domain/context.ts";
import { personOf } from "../domain/conversation.ts";
import type { TriggerEvent } from "../domain/event.ts";
import { commanded, NO_COMMANDS } from "../domain/named-command.ts";
import type { Refusal } from "../domain/refusal.ts";
import { routingOf } from "../domain/route.ts";
import { cleanLabel, cleanText } from "../domain/text.ts";
import type { Offer, RateLimit } from "../ports/inbox.ts";
import { allowsBot, forbidden } from "./access.ts";
import type { AdmissionPolicy } from "./policy.ts";

export type Admission =
  | { readonly kind: "ignored"; readonly reason: string }
  | { readonly kind: "offer"; readonly offer: Offer };

/**
 * Decides whether an event is for us and whether it may run. Pure: what needs memory (deduplication, rate limits,
 * "does the bot take part in this thread") is asked of the store in the one transaction that accepts the event; which agent
 * was chosen where it is said, before it.
 */
export function admit(
  given: TriggerEvent,
  policy: AdmissionPolicy,
  nowMs: number,
  chosenAgent: string | null = null,
): Admission {
  const said = commanded(chosen(given), policy.commands ?? NO_COMMANDS);
  const control = controlCommandOf(said);
  const isDecidedLater = control !== null || said.rolesDue === true;
  const event = isDecidedLater ? said : addressed(said, policy.routes, policy.chosenBy ?? NOBODY);
  const isNamed = event.agent !== given.agent;
  const rules = policy.platforms[event.platform];
  if (event.sender.isBot && !allowsBot(event, rules)) return { kind: "ignored", reason: "bot" };

  // What was pressed in a menu is a command by now.
  if (given.trigger === "button" && rules.buttons === "ignore" && control === null)
    return { kind: "ignored", reason: "buttons_off" };

  const isAddressed = event.trigger !== "ambient" && event.trigger !== "thread";
  if (event.trigger === "ambient" && rules.respondTo === "mention" && control === null) {
    return { kind: "ignored", reason: "not_addressed" };
  }

  const isUrgent = control !== null && overtakes(control);
  const { answerer, ...routing } = routed(event, policy, { isDecidedLater, isNamed, chosenAgent });
  const offer: Offer = {
    event: {
      ...event,
      ...(event.sender.name.length > LABEL_CHARS_MAX && {
        sender: { ...event.sender, name: cleanLabel(event.sender.name) },
      }),
      text: cleanText(event.text),
      attachments: boundedFiles(event.attachments, FILES_MAX),
      ...(event.context !== undefined && { context: boundedContext(event.context) }),
    },
    lane: isUrgent ? controlLane(event.conversation) : event.conversation,
    kind: isUrgent ? "command" : "message",
    ...routing,
    refusal: refusalOf(event, policy, nowMs, { isControl: control !== null, agent: answerer }),
    limits: limitsOf(event, policy.limits),
    // `!stop` said into a room without a mention is for us only where we take part.
    onlyIfKnown: !isAddressed && rules.respondTo === "mention",
    isTold: !event.sender.isBot,
    dedupMs: rules.dedupMs,
  };
  return { kind: "offer", offer };
}

const NOBODY: ReadonlyMap<string, ChosenBy> = new Map();

interface Known {
  readonly isDecidedLater: boolean;
  readonly isNamed: boolean;
  readonly chosenAgent: string | null;
}

/**
 * Who answers it, and what it does while that one is at work. A command to the gateway is answered by what is built in; who
 * answers somebody whose roles are not known yet is decided when they are.
 */
function routed(
  event: TriggerEvent,
  { routes, agents }: AdmissionPolicy,
  { isDecidedLater, isNamed, chosenAgent }: Known,
): Pick<Offer, "agent" | "busy"> & { readonly answerer: string | null } {
  if (isDecidedLater) return { agent: null, answerer: null, busy: "queue" };
  const { agent, answerer, busy } = routingOf(event, routes, agents, chosenAgent);
  // What asks for somebody is answered by nobody else: it is not merged into a run.
  return { agent, answerer, busy: isNamed && mayMerge(busy) ? "queue" : busyModeFor(event, busy) };
}

/** The event of an installation that is not ours: recorded, and nothing is said, because nothing could be. */
export function notInstalled(offer: Offer): Offer {
  const detail = `tenant ${offer.event.tenant}`;
  return { ...offer, refusal: { cause: "not_installed", detail, noticeWindowMs: 0 } };
}

function refusalOf(
  event: TriggerEvent,
  policy: AdmissionPolicy,
  nowMs: number,
  { isControl, agent }: { readonly isControl: boolean; readonly agent: string | null },
): Refusal | null {
  const what = forbidden(event, policy.platforms[event.platform]);
  if (what !== null) return { cause: "not_allowed", detail: what, noticeWindowMs: noticeMs(event, policy) };

  // A late redelivery or a replayed capture: the person has long moved on, so nothing is said either.
  if (policy.maxAgeMs !== null && nowMs - event.occurredAtMs > policy.maxAgeMs) {
    return { cause: "too_old", detail: `over ${Math.round(policy.maxAgeMs / 1000)} s`, noticeWindowMs: 0 };
  }
  if (!isControl && policy.isPaused({ platform: event.platform, agent })) {
    return { cause: "paused", detail: "kill_switch", noticeWindowMs: noticeMs(event, policy) };
  }
  return null;
}

/** Bots are never told: two that answer each other's notices would not stop. */
function noticeMs(event: TriggerEvent, policy: AdmissionPolicy): number {
  return event.sender.isBot ? 0 : policy.noticeWindowMs;
}

function limitsOf(event: TriggerEvent, allowances: AdmissionPolicy["limits"]): RateLimit[] {
  const tenant = `${event.platform}:${event.tenant}`;
  const limits: RateLimit[] = [];
  const add = (scope: RateLimit["scope"], key: string) => {
    const allowance = allowances[scope];
    if (allowance !== null) limits.push({ scope, key, ...allowance });
  };
  add("user", `${tenant}:${personOf(event)}`);
  add("conversation", event.conversation);
  add("tenant", tenant);
  add("global", "");
  return limits;
}
