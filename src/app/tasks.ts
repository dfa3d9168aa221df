import { createHash } from "node:crypto";
import type { AdmissionPolicy } from "../admit/policy.ts";
import { closest } from "../config/closest.ts";
import { controlCommandOf } from "../domain/command.ts";
import { conversationKey } from "../domain/conversation.ts";
import { OF_DEVELOPERS, type TriggerEvent } from "../domain/event.ts";
import { routingOf } from "../domain/route.ts";
import { cleanText } from "../domain/text.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Clock, NewId } from "../ports/clock.ts";
import type { Inbox, Offer } from "../ports/inbox.ts";
import type { EventRecord, Journal } from "../ports/journal.ts";
import type { TaskDesk, TaskOrder } from "../ports/tasks.ts";
import { DAY_MS } from "../shared/time.ts";

export interface TasksDeps {
  readonly inbox: Inbox;
  readonly journal: Pick<Journal, "find">;
  readonly adapters: ReadonlyMap<string, Adapter>;
  /** As it is now. */
  readonly policy: () => AdmissionPolicy;
  readonly clock: Pick<Clock, "nowMs">;
  readonly newId: NewId;
}

/** Where tasks are at home: on the platform that is always there, apart from what developers say to it. */
const PLATFORM = OF_DEVELOPERS;
const TENANT = "tasks";

/**
 * A task is an event like any: stored before it is acknowledged, claimed in its turn, run once. Whoever asks for it has the
 * operator's token: rate limits and access are for people. Budgets and the kill switch hold.
 */
export function createTasks({ inbox, journal, adapters, policy, clock, newId }: TasksDeps): TaskDesk {
  async function find(id: string): Promise<EventRecord | null> {
    const record = await journal.find(id);
    return record !== null && isTask(record.event) ? record : null;
  }

  return {
    find,
    async begin(order) {
      const { goal, agent, key } = order;
      const { routes, agents, isPaused } = policy();
      if (agent !== undefined && !agents.has(agent)) return wrong(unknownAgent(agent, [...agents.keys()]));
      if (controlCommandOf({ trigger: "mention", command: null, text: goal }) !== null)
        return wrong("goal: expected work for an agent, got a command to the gateway");
      const id = `${PLATFORM}:${key === undefined ? newId("task") : `task_${digestOf(key)}`}`;
      const event = eventOf(order, id, adapters.get(PLATFORM), clock.nowMs());
      const { answerer } = routingOf(event, routes, agents);
      if (answerer === null) return wrong("agent: expected the name of an agent, for no route takes tasks");
      if (isPaused({ platform: PLATFORM, agent: answerer }))
        return { kind: "refused", message: "paused: kill_switch" };

      const acceptance = await inbox.accept(offerOf(event, answerer));
      switch (acceptance.kind) {
        case "accepted":
          return { kind: "accepted", id, agent: answerer };
        case "duplicate": {
          // One that is over and gone by now was whatever it was.
          const before = (await journal.find(id))?.event ?? event;
          return isTask(before) && sameOrder(before, event)
            ? { kind: "duplicate", id, agent: answerer }
            : { kind: "conflict", message: "By this Idempotency-Key something else was asked for" };
        }
        case "full":
          return { kind: "full" };
        default:
          // Neither is refused or left out what comes without limits and is known to be for us.
          throw new Error(`Expected a task to be accepted, got ${acceptance.kind}`);
      }
    },
  };
}

function isTask({ platform, tenant }: TriggerEvent): boolean {
  return platform === PLATFORM && tenant === TENANT;
}

function wrong(message: string) {
  return { kind: "wrong", message } as const;
}

function unknownAgent(name: string, names: readonly string[]): string {
  const near = closest(name, names);
  const hint = near === undefined ? "" : ` (did you mean ${near}?)`;
  return `agent: expected one of ${names.join(", ")}, got another${hint}`;
}

/** What its id is made of: whatever signs a key has, and however many. */
function digestOf(key: string): string {
  return createHash("sha256").update(key).digest("hex").slice(0, 32);
}

function sameOrder(before: TriggerEvent, now: TriggerEvent): boolean {
  return (["text", "agent", "place", "priority"] as const).every((name) => before[name] === now[name]);
}

function eventOf(
  { goal, agent, conversation, priority, by, requestId }: TaskOrder,
  id: string,
  adapter: Adapter | undefined,
  nowMs: number,
): TriggerEvent {
  const place = conversation ?? id.slice(PLATFORM.length + 1);
  const there = { tenant: TENANT, channel: place, thread: null, eventId: id };
  const replyTo = adapter?.addressOf?.(there) ?? null;
  if (replyTo === null) throw new Error(`Expected ${PLATFORM} to take what answers a task, got nowhere`);
  return {
    ...{ id, aliases: [], platform: PLATFORM, tenant: TENANT, place, thread: null },
    conversation: conversationKey({ platform: PLATFORM, tenant: TENANT, place }),
    ...{ isDirect: false, sender: { id: by, name: by, isBot: false } },
    ...{ trigger: "mention", command: null, ...(agent !== undefined && { agent }) },
    ...{ text: cleanText(goal), attachments: [], priority, replyTo, occurredAtMs: nowMs, requestId },
  };
}

function offerOf(event: TriggerEvent, agent: string): Offer {
  return {
    ...{ event, lane: event.conversation, kind: "message", agent, busy: "queue", refusal: null },
    ...{ limits: [], onlyIfKnown: false, isTold: false, dedupMs: KEY_MS },
  };
}

/** As long a key is known: as that of a notice. */
const KEY_MS = 7 * DAY_MS;
