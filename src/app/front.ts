import { admit } from "../admit/admit.ts";
import { createAcquaintances } from "../admit/people.ts";
import type { AdmissionPolicy } from "../admit/policy.ts";
import type { Platform, TriggerEvent } from "../domain/event.ts";
import { type Observer, observedInbox } from "../feed/observed.ts";
import { type GatewayDeps, receive, screen, take } from "../gateway.ts";
import type { Reception } from "../ingress/reception.ts";
import type { Adapter, Inbound, RawRequest, RequestHead } from "../ports/adapter.ts";
import type { Clock } from "../ports/clock.ts";
import type { Desk } from "../ports/desk.ts";
import type { Inbox, Offer } from "../ports/inbox.ts";
import type { Store } from "../ports/store.ts";
import { createAgentChoices } from "../store/agent-choices.ts";
import { createFeedback } from "../store/feedback.ts";
import { createShownMenus } from "../store/shown-menus.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { NO_TRACING, type Tracing } from "../telemetry/trace.ts";
import { chosenAgentFor } from "./chosen-agent.ts";
import { tracedInbox, tracedReceive, tracedTake } from "./traced.ts";
import { typedNumbers } from "./typed-numbers.ts";

export interface FrontOptions {
  readonly store: Pick<Store, "inbox" | "people" | "lanes" | "memory" | "vault">;
  /** Absent: nothing is traced. */
  readonly tracing?: Tracing;
  readonly adapters: ReadonlyMap<Platform, Adapter>;
  /** As it is now. */
  readonly policy: () => AdmissionPolicy;
  readonly feed: Observer["feed"];
  readonly desk: Desk;
  /** Absent: nothing is looked up for who is typing. */
  readonly findChoices?: GatewayDeps["findChoices"];
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** From a webhook, or what a connection of ours brings, to the acknowledgement. */
export interface Front {
  readonly receive: (request: RawRequest, platform: Platform) => Promise<Reception>;
  readonly take: (inbound: Inbound, platform: Platform, requestId?: string) => Promise<Reception>;
  /** What the headers alone decide; null: the body has to be read. */
  readonly screen: (head: RequestHead, platform: Platform) => Reception | null;
  /** Where what is admitted elsewhere goes in; whoever watches sees it. */
  readonly inbox: Inbox;
  /** Who is known by two names is asked of the store again. */
  readonly forgetPeople: () => void;
}

export function composeFront(options: FrontOptions): Front {
  const { store, adapters, policy, feed, desk, clock, metrics, tracing = NO_TRACING } = options;
  const people = createAcquaintances(store.people);
  const deps = {
    inbox: tracedInbox(observedInbox(store.inbox, { feed, clock }), tracing),
    people,
    get policy() {
      return policy();
    },
    lanes: store.lanes,
    memory: store.memory,
    feedback: createFeedback(store.vault, clock),
    desk,
    ...(options.findChoices && { findChoices: options.findChoices }),
    chosenAgent: chosenAgentFor({ policy, choices: createAgentChoices(store.vault, clock), clock }),
    byNumber: typedNumbers({ policy, menus: createShownMenus(store.vault, clock), clock }),
    clock,
    metrics,
  };

  function adapterOf(platform: Platform): Adapter {
    const adapter = adapters.get(platform);
    if (adapter === undefined) throw new Error(`No adapter for ${platform}`);
    return adapter;
  }

  return {
    receive: tracedReceive((request, platform) => receive(request, adapterOf(platform), deps), tracing),
    take: tracedTake(
      (inbound, platform, requestId) => take(inbound, adapterOf(platform), deps, requestId),
      tracing,
    ),
    screen: (head, platform) => screen(head, adapterOf(platform)),
    inbox: deps.inbox,
    forgetPeople: () => people.forget(),
  };
}

/** What admission makes of an event that has waited elsewhere; null: it is not for us any more. */
export function offerAgain(
  policy: () => AdmissionPolicy,
  clock: Pick<Clock, "nowMs">,
): (event: TriggerEvent) => Offer | null {
  return (event) => {
    const admission = admit(event, policy(), clock.nowMs());
    return admission.kind === "offer" ? admission.offer : null;
  };
}
