import { type AgentChoice, askedIn, type ChosenBy, choosable, named } from "../domain/asking.ts";
import { agentButtons, type Button } from "../domain/button.ts";
import { agentWordIn } from "../domain/command.ts";
import { conversationKey } from "../domain/conversation.ts";
import type { TriggerEvent } from "../domain/event.ts";
import { isRoutedCommand, type Route, routeOf } from "../domain/route.ts";
import type { AgentChoices } from "../ports/agent-choices.ts";
import { agentText, chosenAgentText, noSuchAgentText } from "../reply/texts.ts";

export interface SelectionDeps {
  readonly routes: readonly Route[];
  readonly agents: ReadonlyMap<string, ChosenBy>;
  readonly choices: Pick<AgentChoices, "find" | "choose">;
}

/** Who answers an event, and why. */
export interface Selected {
  /** Null: nobody. */
  readonly agent: string | null;
  /** Of the conversation, or of the place that it is in. Absent: it is as the routes have it. */
  readonly chosen?: AgentChoice;
}

/** Words back by which an agent is not chosen but left. */
const BACK: ReadonlySet<string> = new Set(["default", "off"]);

/** No agent has this name. */
const AS_ROUTED = "";

function placeOf(event: TriggerEvent): string {
  return conversationKey({ ...event, thread: null });
}

/** Agents that are asked for by name, and those that are chosen for a conversation. */
export class Selection {
  readonly #deps: SelectionDeps;

  constructor(deps: SelectionDeps) {
    this.#deps = deps;
  }

  /**
   * `routed`: as it was decided when the event was accepted. Whoever is named in it, and the agent of a command, come
   * first; then what was chosen in the thread, and in the place; a person's choice holds for those who might have made it.
   */
  async agentFor(event: TriggerEvent, routed: string | null): Promise<Selected> {
    const { routes, agents } = this.#deps;
    if (agents.size < 2 || event.agent !== undefined || isRoutedCommand(event, routes))
      return { agent: routed };
    const chosen = await this.#chosenIn(event);
    return chosen === null || chosen.agent === AS_ROUTED
      ? { agent: routed }
      : { agent: chosen.agent, chosen };
  }

  /** The agent that would answer what is said here. */
  now(event: TriggerEvent): Promise<Selected> {
    const { routes, agents } = this.#deps;
    return this.agentFor(event, routeOf(event, routes, agents));
  }

  /** `/agent`: shows who answers, chooses another, or goes back. Safe to repeat after a crash. */
  async obey(event: TriggerEvent): Promise<{ readonly text: string; readonly buttons: readonly Button[] }> {
    const asked = agentWordIn(event) ?? "";
    const names = this.choosable(event);
    const agent = named(asked, names);
    const isBack = agent === null && BACK.has(asked.toLowerCase());
    if (agent !== null) await this.choose(event, { agent });
    if (isBack) await this.back(event);
    const now = await this.now(event);
    const buttons = agentButtons([
      ...names.filter((name) => name !== now.agent),
      ...(now.chosen === undefined ? [] : ["default"]),
    ]);
    if (agent !== null || isBack) return { text: chosenAgentText(now), buttons: [] };
    return { text: asked === "" ? agentText(now, names) : noSuchAgentText(asked, names), buttons };
  }

  choose({ conversation }: TriggerEvent, choice: AgentChoice): Promise<void> {
    return this.#deps.choices.choose(conversation, choice);
  }

  /** In a thread that is a choice, too: whatever was chosen in its place does not hold there. */
  async back(event: TriggerEvent): Promise<void> {
    const isPlace = event.conversation === placeOf(event);
    await this.#deps.choices.choose(event.conversation, isPlace ? null : { agent: AS_ROUTED });
  }

  /** `/reset`: who comes next starts afresh. */
  forget(conversation: string): Promise<void> {
    return this.#deps.choices.choose(conversation, null);
  }

  async #chosenIn(event: TriggerEvent): Promise<AgentChoice | null> {
    const { routes, agents, choices } = this.#deps;
    const places = [...new Set([event.conversation, placeOf(event)])];
    const found = await Promise.all(places.map((place) => choices.find(place)));
    const mine = choosable(event, routes, agents);
    const holds = ({ agent, isHanded }: AgentChoice) =>
      agent === AS_ROUTED || mine.includes(agent) || (isHanded === true && agents.has(agent));
    return found.find((choice) => choice !== null && holds(choice)) ?? null;
  }

  /** What is said to a message that asks for an agent which this person cannot ask for; null: it asks for none. */
  refusal(event: TriggerEvent): string | null {
    if (event.agent !== undefined) return null;
    const asked = askedIn(event);
    return asked?.isExplicit === true ? noSuchAgentText(asked.name, this.choosable(event)) : null;
  }

  choosable(event: TriggerEvent): readonly string[] {
    return choosable(event, this.#deps.routes, this.#deps.agents);
  }
}
