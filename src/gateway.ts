import { forbidden } from "./admit/access.ts";
import { admit, notInstalled } from "./admit/admit.ts";
import type { Acquaintances } from "./admit/people.ts";
import type { AdmissionPolicy } from "./admit/policy.ts";
import { inRoles, withRoles } from "./admit/roles.ts";
import type { FoundChoice } from "./domain/choice-source.ts";
import type { TriggerEvent } from "./domain/event.ts";
import { FEEDBACK, ignoredLabel } from "./domain/ignored.ts";
import { decisionBy, type Reaction, reactionEvent, type Saying } from "./domain/reaction.ts";
import { codeOf, type Fate, failed, RANKED, type Ruling, rulingOf } from "./gateway/rulings.ts";
import type { Item, Reception } from "./ingress/reception.ts";
import { verifyRequest } from "./ingress/verify.ts";
import type {
  Ack,
  Adapter,
  ChoiceQuestion,
  Inbound,
  RawRequest,
  RequestHead,
  TurnedAway,
} from "./ports/adapter.ts";
import type { Clock } from "./ports/clock.ts";
import type { Desk } from "./ports/desk.ts";
import type { Feedback } from "./ports/feedback.ts";
import type { Inbox } from "./ports/inbox.ts";
import type { Lanes } from "./ports/lanes.ts";
import type { Memory } from "./ports/memory.ts";
import type { Metrics } from "./telemetry/metrics.ts";

export interface GatewayDeps {
  readonly inbox: Inbox;
  readonly people: Acquaintances;
  readonly policy: AdmissionPolicy;
  readonly lanes: Pick<Lanes, "signal">;
  readonly memory: Pick<Memory, "withdraw">;
  /** Absent: no reaction means anything. */
  readonly feedback?: Pick<Feedback, "find" | "rate" | "takeBack"> | undefined;
  readonly desk: Desk;
  /** The agent that was chosen where an event is said; null, or absent: it is as the routes have it. Never rejects. */
  readonly chosenAgent?: (event: TriggerEvent) => Promise<string | null> | null;
  /** What a message means that is a number and nothing else; null, or absent: what it says. Never rejects. */
  readonly byNumber?: (event: TriggerEvent) => Promise<TriggerEvent> | null;
  /** Looks up what is to be offered; absent: nothing is. Never rejects. */
  readonly findChoices?: (question: ChoiceQuestion) => Promise<readonly FoundChoice[]>;
  readonly clock: Pick<Clock, "nowMs">;
  readonly metrics: Metrics;
}

/**
 * The front half of the path: verify → parse, and then `take`: admit → publish → acknowledge.
 * What cannot be stored is answered 503, and the platform sends it again.
 */
export async function receive(request: RawRequest, adapter: Adapter, deps: GatewayDeps): Promise<Reception> {
  const verified = verifyRequest(request, adapter);
  if (verified.kind === "probe") return { outcome: "handshake", ack: { status: 200 }, events: 0 };
  if (verified.kind !== "genuine") return turnedAway(verified);

  return await take(adapter.parse(verified.request), adapter, deps, request.requestId);
}

/**
 * The one way in for what a platform says, whichever way it came: admit → publish → acknowledge. What is *unavailable* is
 * not stored, and may not be acknowledged. `requestId` is on each line of what comes of it.
 */
export function take(
  inbound: Inbound,
  adapter: Adapter,
  deps: GatewayDeps,
  requestId?: string,
): Promise<Reception> {
  switch (inbound.kind) {
    case "malformed":
      return settled({ outcome: "malformed", ack: { status: 400 }, reason: inbound.message, events: 0 });
    case "unsupported":
      return settled({ outcome: "unsupported", ack: { status: 415 }, reason: inbound.message, events: 0 });
    case "handshake":
      return handshake(inbound, deps);
    case "ignored":
      return ignore(inbound, adapter, deps);
    case "reaction":
      return react(inbound, adapter, deps, requestId);
    case "events":
      for (const reason of inbound.ignored) countIgnored(adapter, reason, deps);
      return publish(inbound, adapter, deps, requestId);
  }
}

/** Whoever may write here may see what can be looked up for it. Paused, nothing is asked. */
async function handshake(
  { ack, question }: Extract<Inbound, { kind: "handshake" }>,
  { policy, findChoices }: GatewayDeps,
): Promise<Reception> {
  const plain: Reception = { outcome: "handshake", ack, events: 0 };
  if (question === undefined || findChoices === undefined) return plain;
  const { event, source } = question;
  const { platform, sender, rolesDue } = event;
  if (sender.isBot || rolesDue === true || forbidden(event, policy.platforms[platform]) !== null)
    return plain;
  if (policy.isPaused({ platform, agent: source.agent })) return plain;
  return { ...plain, ack: question.ackWith(await findChoices(question)) };
}

function settled(reception: Reception): Promise<Reception> {
  return Promise.resolve(reception);
}

/** One to a question of ours decides it, as a press would; one to an answer is kept as feedback. */
async function react(
  { reaction, reason, ack }: Extract<Inbound, { kind: "reaction" }>,
  adapter: Adapter,
  deps: GatewayDeps,
  requestId: string | undefined,
): Promise<Reception> {
  const ignored = { kind: "ignored" as const, reason, ack };
  try {
    const saying = (await deps.feedback?.find(reaction)) ?? null;
    if (saying === null || (reaction.place !== null && reaction.place !== saying.place))
      return await ignore(ignored, adapter, deps);
    const { approvalId } = saying;
    if (approvalId === undefined) return await rate(reaction, saying, ignored, adapter, deps);
    if (!reaction.isAdded || adapter.reactions?.approvals !== true)
      return await ignore(ignored, adapter, deps);
    const event = decisionBy(reaction, { ...saying, approvalId });
    return await publish({ kind: "events", events: [event], ignored: [], ack }, adapter, deps, requestId);
  } catch (error) {
    return { outcome: "unavailable", ack: { status: 503 }, reason: codeOf(error), events: 0 };
  }
}

async function rate(
  reaction: Reaction,
  saying: Saying,
  ignored: Extract<Inbound, { kind: "ignored" }>,
  adapter: Adapter,
  { feedback, policy, ...deps }: GatewayDeps,
): Promise<Reception> {
  const { platform, sender, rating, isAdded, atMs } = reaction;
  const rules = policy.platforms[platform];
  const event = withRoles(reactionEvent(reaction, saying), adapter.roles, rules);
  const isHeard =
    adapter.reactions?.feedback === true &&
    !sender.isBot &&
    // Nobody looks at it again: whose roles are not known yet is not let in by them.
    forbidden(inRoles(event, event.sender.roles ?? []), rules) === null;
  if (!isHeard) return await ignore(ignored, adapter, { ...deps, feedback, policy });
  const { eventId, agent } = saying;
  const word = { by: sender.id, rating, atMs };
  if (!isAdded) await feedback?.takeBack(eventId, word);
  else if (await feedback?.rate(eventId, word)) deps.metrics.feedback.inc({ platform, agent, rating });
  return await ignore({ ...ignored, reason: FEEDBACK }, adapter, { ...deps, feedback, policy });
}

async function ignore(
  { reason, ack, people, awaited, withdrawn, aside, carryOut }: Extract<Inbound, { kind: "ignored" }>,
  adapter: Adapter,
  deps: GatewayDeps,
): Promise<Reception> {
  countIgnored(adapter, reason, deps);
  if (people !== undefined) await deps.people.learn(people);
  const trouble =
    withdrawn === undefined && carryOut === undefined
      ? null
      : await carriedOut({ withdrawn, carryOut }, deps);
  if (trouble !== null) return { outcome: "unavailable", ack: { status: 503 }, reason: trouble, events: 0 };
  if (awaited !== undefined) void adapter.dismiss?.(awaited);
  void aside?.(deps.desk);
  return { outcome: "ignored", ack, reason, events: 0 };
}

/** Before the acknowledgement: the platform tells of it once. Gives why it could not be. */
async function carriedOut(
  {
    withdrawn = [],
    carryOut,
  }: {
    readonly withdrawn?: readonly string[] | undefined;
    readonly carryOut?: (() => Promise<void>) | undefined;
  },
  { memory }: GatewayDeps,
): Promise<string | null> {
  try {
    for (const id of withdrawn) await memory.withdraw(id);
    await carryOut?.();
    return null;
  } catch (error) {
    return codeOf(error);
  }
}

async function publish(
  {
    events,
    ignored,
    ack,
    untoldAck = ack,
    ignoredAck = untoldAck,
    people,
    withdrawn,
  }: Extract<Inbound, { kind: "events" }>,
  adapter: Adapter,
  deps: GatewayDeps,
  requestId: string | undefined,
): Promise<Reception> {
  if (people !== undefined) await deps.people.learn(people);
  const trouble = withdrawn === undefined ? null : await carriedOut({ withdrawn }, deps);
  const { known, fates } =
    trouble === null
      ? await offer(events, adapter, deps, requestId)
      : { known: events, fates: events.map(() => ({ kind: "failed", code: trouble }) as const) };
  const rulings = fates.map(rulingOf);
  for (const [i, { outcome, isUnanswered, count }] of rulings.entries()) {
    if (isUnanswered) dismiss(known[i], adapter);
    count?.(deps.metrics, adapter.platform);
    if (outcome === "accepted" && events[i] !== undefined) adapter.accepted?.(events[i]);
  }
  const outcomes = rulings.map(({ outcome }) => outcome);
  const outcome = RANKED.find((candidate) => outcomes.includes(candidate)) ?? "ignored";
  const decisive = outcomes.indexOf(outcome);
  const event = known[decisive];
  return {
    outcome,
    // Only now: an acknowledgement promises that the events survive a crash.
    ack: outcome === "unavailable" ? { status: 503 } : ackFor(rulings, { ack, untoldAck, ignoredAck }),
    ...rulings[decisive]?.why,
    ...(event && { eventId: event.id, conversation: event.conversation }),
    events: events.length,
    ...(events.length + ignored.length > 1 && {
      others: [
        ...known.flatMap((one, i) => {
          const ruling = rulings[i];
          return i === decisive || ruling === undefined ? [] : itemOf(one, ruling);
        }),
        ...ignored.map((reason) => ({ outcome: "ignored" as const, reason })),
      ],
    }),
  };
}

/** Where nothing will follow, what promises a reply would wait for ever. */
function ackFor(rulings: readonly Ruling[], acks: Record<"ack" | "untoldAck" | "ignoredAck", Ack>): Ack {
  if (rulings.every(({ outcome }) => outcome === "ignored")) return acks.ignoredAck;
  return rulings.every(({ isUnanswered }) => isUnanswered) ? acks.untoldAck : acks.ack;
}

function dismiss(event: TriggerEvent | undefined, adapter: Adapter): void {
  if (event?.trigger === "button") void adapter.dismiss?.(event.replyTo);
}

function itemOf({ id, conversation }: TriggerEvent, { outcome, why }: Ruling): Item {
  const reason = why?.reason;
  return { outcome, ...(reason !== undefined && { reason }), eventId: id, conversation };
}

/** All of a batch is offered in one tick, so that it shares one commit and keeps its order. */
async function offer(
  events: readonly TriggerEvent[],
  adapter: Adapter,
  deps: GatewayDeps,
  requestId: string | undefined,
): Promise<{ known: readonly TriggerEvent[]; fates: readonly Fate[] }> {
  try {
    const isSettled = events.every(({ person }) => person === undefined);
    const from = isSettled ? events : await deps.people.settle(events);
    const numbers = from.map((event) => deps.byNumber?.(event) ?? null);
    const areNumbers = numbers.some((one) => one !== null);
    const known = areNumbers
      ? await Promise.all(from.map((event, i) => numbers[i] ?? Promise.resolve(event)))
      : from;
    const { platforms } = deps.policy;
    const said = known.map((event) => ({
      ...withRoles(event, adapter.roles, platforms[event.platform]),
      ...(requestId !== undefined && { requestId }),
    }));
    const asked = said.map((event) => deps.chosenAgent?.(event) ?? null);
    const isAsked = asked.some((one) => one !== null);
    const chosen = isAsked ? await Promise.all(asked.map((one) => one ?? Promise.resolve(null))) : [];
    const fates = said.map((event, i) => fateOf(event, chosen[i] ?? null, adapter, deps));
    return { known, fates: await Promise.all(fates) };
  } catch (error) {
    return { known: events, fates: events.map(() => failed(error)) };
  }
}

async function fateOf(
  event: TriggerEvent,
  chosenAgent: string | null,
  adapter: Adapter,
  { policy, clock, inbox, lanes }: GatewayDeps,
): Promise<Fate> {
  const admission = admit(event, policy, clock.nowMs(), chosenAgent);
  if (admission.kind === "ignored") return admission;
  const { offer } = admission;
  try {
    const served = adapter.serves?.(event);
    const isServed = served instanceof Promise ? await served : served;
    const fate = await inbox.accept(isServed === false ? notInstalled(offer) : offer);
    // Nothing waits for it: where it is lost, the message is answered after the run, or with its next attempt.
    if (fate.kind === "accepted" && offer.busy === "interrupt")
      lanes.signal(offer.lane, { kind: "interrupt", byEvent: offer.event.id }).catch(() => {});
    return fate;
  } catch (error) {
    return failed(error);
  }
}

function countIgnored(adapter: Adapter, reason: string, { metrics }: GatewayDeps): void {
  metrics.ignored.inc({ platform: adapter.platform, reason: ignoredLabel(reason, adapter.ignored) });
}

/** What the headers alone decide, before the body is read; null: it has to be. */
export function screen(head: RequestHead, adapter: Adapter): Reception | null {
  const verdict = adapter.screen(head);
  return verdict === null ? null : turnedAway(verdict);
}

function turnedAway({ kind, reason }: TurnedAway): Reception {
  return { ...TURNED_AWAY[kind], reason, events: 0 };
}

const TURNED_AWAY: Readonly<Record<TurnedAway["kind"], Pick<Reception, "outcome" | "ack">>> = {
  forged: { outcome: "forged", ack: { status: 401 } },
  stale: { outcome: "stale", ack: { status: 401 } },
  refused: { outcome: "handshake-refused", ack: { status: 403 } },
};
