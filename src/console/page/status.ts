import type { KillSwitchView } from "../../admin/kill-switch.ts";
import type { StatusView } from "../../admin/status.ts";
import { PLATFORMS } from "../../domain/event.ts";
import { ask } from "./api.ts";
import { fill, h, refill, told } from "./dom.ts";
import { badge, button, card, confirm, empty, loading, messageOf, table, trouble } from "./parts.ts";
import { keepShown, type View } from "./view.ts";
import { ago, count, dollars, span } from "./words.ts";

interface Component {
  readonly status: string;
  readonly details: string;
}
interface Breaker {
  readonly name: string;
  readonly kind: string;
  readonly state: string;
  readonly cause?: string | null;
}
interface Seen {
  readonly status: StatusView;
  readonly components: Readonly<Record<string, Component>>;
  readonly breakers: readonly Breaker[];
}
type Switch = { readonly agent?: string; readonly platform?: string };

export const status: View = {
  name: "status",
  title: "Status",
  isForOperators: true,
  open(into, context) {
    const { api, signal, say } = context;
    fill(into, loading());
    const now = keepShown(context, async () => {
      try {
        const [seen, ready, breakers] = await Promise.all([
          api.get<StatusView>("/status", { signal }),
          ask("ready", { signal }).then((response) => response.json()),
          api.get<{ breakers: Breaker[] }>("/breakers", { signal }),
        ]);
        show({ status: seen, components: ready.components ?? {}, breakers: breakers.breakers });
      } catch (error) {
        if (!signal.aborted) fill(into, trouble(error));
      }
    });

    function show(seen: Seen): void {
      refill(
        into,
        numbers(seen.status),
        pausing(seen.status.paused),
        parts(seen),
        components(seen.components),
        breakers(seen.breakers),
        replicas(seen.status),
      );
    }

    function pausing(paused: KillSwitchView): HTMLElement {
      const { on, by_configuration: isFixed, switch: thrown } = paused;
      const words = on
        ? isFixed
          ? "Everything is paused by the configuration, which alone puts that back."
          : `Everything is paused${thrown === null ? "" : ` by ${thrown.by}, ${ago(thrown.since)}${thrown.reason ? `: ${thrown.reason}` : ""}`}.`
        : "Messages are answered. The kill switch pauses everything on all replicas within two seconds.";
      const act = button(
        on ? "Go on" : "Pause everything",
        () => void throwSwitch(!on, {}),
        on ? "main" : "danger",
      );
      act.disabled = on && isFixed;
      return card(
        "Kill switch",
        h("p", { class: on ? "notice bad" : undefined, role: on ? "alert" : undefined }, told(words)),
        h("div", { class: "actions" }, act),
      );
    }

    function parts({ status: { agents, paused }, components: all }: Seen): HTMLElement {
      // The one for developers is always on, and is no component.
      const platforms = PLATFORMS.filter((name, i) => name in all || i === PLATFORMS.length - 1);
      const rows = [
        ...agents.map((name) =>
          part(
            "agent",
            name,
            paused.agents.find((one) => one.name === name),
          ),
        ),
        ...platforms.map((name) =>
          part(
            "platform",
            name,
            paused.platforms.find((one) => one.name === name),
          ),
        ),
      ];
      return card(
        "Agents and platforms",
        table("Agents and platforms, and whether they are paused", ["What", "Name", "State", "Switch"], rows),
      );
    }

    function part(
      kind: "agent" | "platform",
      name: string,
      thrown: { by: string; since: string; reason: string | null } | undefined,
    ) {
      const act = button(
        thrown ? "Go on" : "Pause",
        () => void throwSwitch(thrown === undefined, { [kind]: name }),
      );
      act.setAttribute("aria-label", `${thrown ? "Go on with" : "Pause"} ${kind} ${name}`);
      const state =
        thrown === undefined
          ? badge("ok")
          : h("span", {}, badge("paused"), " ", told(`by ${thrown.by}, ${ago(thrown.since)}`));
      return [kind, told(name), state, act];
    }

    async function throwSwitch(on: boolean, of: Switch): Promise<void> {
      const what = of.agent ?? of.platform ?? "everything";
      const answer = await confirm(
        on
          ? {
              ...{
                title: `Pause ${what}?`,
                act: "Pause",
                isDangerous: true,
                field: "Reason, for whoever asks why (optional)",
              },
              text: "Messages are acknowledged, people are told once a window that the bot is paused, and no model is called. It holds over restarts.",
            }
          : { title: `Go on with ${what}?`, text: "What waited runs within a minute.", act: "Go on" },
      );
      if (answer === null) return;
      await api
        .send("PUT", "/kill-switch", {
          on,
          ...of,
          ...(on && answer.words !== "" && { reason: answer.words }),
        })
        .then(
          () => say(on ? `Paused: ${what}.` : `It goes on: ${what}.`, "good"),
          (error: unknown) => say(messageOf(error), "bad"),
        );
      now();
    }

    function breakers(all: readonly Breaker[]): HTMLElement {
      if (all.length === 0)
        return card("Breakers", empty("No breaker yet", "Each model and platform that was called has one."));
      const rows = all.map(({ name, kind, state, cause }) => {
        const reset = button("Reset", () => void resetBreaker(name));
        reset.setAttribute("aria-label", `Reset the breaker of ${name}`);
        const why = h(
          "span",
          { class: "heads" },
          badge(state),
          cause ? told(cause, { class: "wrap" }) : "",
          state !== "closed" && reset,
        );
        return [told(name), kind, why];
      });
      return card("Breakers", table("Breakers of models and platforms", ["Name", "Of a", "State"], rows));
    }

    async function resetBreaker(name: string): Promise<void> {
      const question = {
        title: `Call ${name} again?`,
        text: "On all replicas, as if nothing had failed.",
        act: "Reset",
      };
      if ((await confirm(question)) === null) return;
      await api.send("POST", `/breakers/${encodeURIComponent(name)}/reset`).then(
        () => say(`${name} is called again.`, "good"),
        (error: unknown) => say(messageOf(error), "bad"),
      );
      now();
    }
  },
};

function numbers({ status: how, events, spent_today: spent }: StatusView): HTMLElement {
  const waiting = events === null ? null : events.queued + events.retrying;
  const cells: readonly (readonly [string, Node | string, string?])[] = [
    ["Gateway", badge(how)],
    ["Waiting", waiting === null ? "?" : count(waiting), "#/events"],
    ["Running", events === null ? "?" : count(events.running), "#/events"],
    ["For a person or a time", events === null ? "?" : count(events.parked), "#/approvals"],
    ["Dead", events === null ? "?" : count(events.dead), "#/dead"],
    ["Oldest waits", events?.oldest_seconds == null ? "–" : span(events.oldest_seconds)],
    ["Spent today", spent === null ? "?" : dollars(spent.cost_cents), "#/usage"],
  ];
  return h(
    "ul",
    { class: "numbers", "aria-label": "In numbers" },
    ...cells.map(([name, value, href]) => {
      const inner = [h("span", { class: "number" }, value), h("span", { class: "number-name" }, name)];
      return h("li", {}, href === undefined ? h("div", {}, ...inner) : h("a", { href }, ...inner));
    }),
  );
}

function components(all: Readonly<Record<string, Component>>): HTMLElement {
  const rows = Object.entries(all).map(([name, { status: how, details }]) => [
    told(name),
    badge(how),
    told(details, { class: "wrap" }),
  ]);
  return card(
    "Components",
    table("Components of the replica that answers", ["Component", "State", "Details"], rows),
  );
}

function replicas({ replicas: all }: StatusView): HTMLElement {
  if (all === null) return card("Replicas", empty("They cannot be asked", "The store is away."));
  const rows = all.map(({ id, role, version, configuration }) => [
    told(id, { class: "code wrap" }),
    told(role),
    told(version),
    told(configuration.slice(0, 12), { class: "code" }),
  ]);
  return card(
    "Replicas",
    table("Replicas that share the store", ["Id", "Role", "Version", "Configuration"], rows),
  );
}
