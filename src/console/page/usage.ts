import type { Usage } from "../../admin/usage.ts";
import { fill, h, refill, told } from "./dom.ts";
import { card, empty, facts, loading, meter, select, table, trouble } from "./parts.ts";
import { keepShown, type View } from "./view.ts";
import { count, dollars } from "./words.ts";

type Figures = Usage["total"];
const SCOPES = ["user", "conversation", "tenant", "agent", "model"] as const;
/** Each is a call. */
const AGENTS_MAX = 20;

export const usage: View = {
  name: "usage",
  title: "Usage",
  isForOperators: true,
  open(into, context) {
    const { api, signal } = context;
    const today = h("div", { class: "cards" }, loading());
    const found = h("div", { class: "below", "aria-live": "polite" });
    fill(into, today, one(context, found), found);
    keepShown(context, async () => {
      try {
        const { agents } = await api.get<{ agents: string[] }>("/status", { signal });
        const [day, ...each] = await Promise.all([
          api.get<Usage>("/usage", { signal }),
          ...agents
            .slice(0, AGENTS_MAX)
            .map((agent) => api.get<Usage>("/usage", { signal, query: { agent } })),
        ]);
        refill(today, ...shown(day as Usage, each));
      } catch (error) {
        if (!signal.aborted) fill(today, trouble(error));
      }
    });
  },
};

function shown(day: Usage, each: readonly Usage[]): HTMLElement[] {
  const agents = each.flatMap(({ by }) => by);
  const isFree = agents.every(({ limit_cents: limit, cost_cents: cost }) => limit === null && cost === 0);
  return [
    card(
      `Everyone together, ${day.day}`,
      ...figures(day.total, "Budget of the day"),
      h("p", { class: "lead" }, `The day ends at midnight in ${day.time_zone}.`),
    ),
    card(
      "By agent",
      isFree
        ? empty(
            "No agent has a budget of its own",
            "Only those that have one are counted apart: budgets.agent in gateway.yaml.",
          )
        : table(
            "What each agent has cost today",
            HEADS,
            agents.map((one) => line(one.id, one)),
          ),
    ),
  ];
}

const HEADS = ["Agent", "Spent", "Held", "Budget", "Calls", "Tokens in", "Tokens out"];

function line(name: string, one: Figures): (Node | string)[] {
  const { cost_cents, held_cents, limit_cents, model_calls, input_tokens, output_tokens } = one;
  return [
    told(name),
    dollars(cost_cents),
    dollars(held_cents),
    limit_cents === null ? "–" : dollars(limit_cents),
    count(model_calls),
    count(input_tokens),
    count(output_tokens),
  ];
}

function figures(one: Figures, label: string): HTMLElement[] {
  const { cost_cents, held_cents, limit_cents, model_calls, input_tokens, output_tokens } = one;
  const { cache_read_tokens: read, cache_write_tokens: written } = one;
  const share = limit_cents === null || limit_cents === 0 ? null : (cost_cents + held_cents) / limit_cents;
  return [
    h(
      "p",
      { class: "sum" },
      h("strong", {}, dollars(cost_cents)),
      limit_cents === null ? " spent, without a budget" : ` of ${dollars(limit_cents)}`,
    ),
    ...(share === null ? [] : [meter(label, share)]),
    facts([
      ["Held by calls", dollars(held_cents)],
      ["Model calls", count(model_calls)],
      ["Tokens in", count(input_tokens)],
      ["Tokens out", count(output_tokens)],
      ["From cache", count(read)],
      ["Into cache", count(written)],
    ]),
  ];
}

/** One person, conversation, workspace, agent or model: they are too many to list. */
function one({ api, signal }: Parameters<typeof usage.open>[1], found: HTMLElement): HTMLElement {
  const scope = select(
    "Of a",
    SCOPES.map((name) => [name, name] as const),
    () => {},
  );
  const id = h("input", {
    type: "text",
    maxlength: 2000,
    required: true,
    autocomplete: "off",
    spellcheck: "false",
    placeholder: "platform:workspace:person",
  });
  const look = async () => {
    try {
      const { by } = await api.get<Usage>("/usage", {
        signal,
        query: { [scope.input.value]: id.value.trim() },
      });
      fill(found, ...by.map((entry) => card(`${entry.scope} ${entry.id}`, ...figures(entry, "Budget"))));
    } catch (error) {
      if (!signal.aborted) fill(found, trouble(error));
    }
  };
  const form = h(
    "form",
    {
      class: "bar",
      onsubmit: (submitted) => {
        submitted.preventDefault();
        void look();
      },
    },
    scope.field,
    h("label", { class: "field wide" }, h("span", {}, "Id"), id),
    h("button", { type: "submit", class: "plain" }, "Look"),
  );
  return card("By scope", form);
}
