import type { EventView } from "../../admin/schemas.ts";
import { PLATFORMS } from "../../domain/event.ts";
import { EVENT_STATES } from "../../ports/journal.ts";
import { fill, h, told } from "./dom.ts";
import { badge, empty, loading, select, trouble } from "./parts.ts";
import { keepShown, type View } from "./view.ts";
import { ago, plural, timeOf } from "./words.ts";

const PAGE = 30;

/** Kept while the page is. */
const filter = { state: "", platform: "" };

export const events: View = {
  name: "events",
  title: "Events",
  isForOperators: true,
  open(into, context) {
    const { api, signal } = context;
    const list = h("ul", { class: "rows", "aria-label": "Events, the newest first" });
    const below = h("div", { class: "below" }, loading());
    let isPaused = false;
    let older: EventView[] = [];
    let next: string | null = null;
    const known = new Map<string, string>();

    const again = () => {
      older = [];
      known.clear();
      now();
    };
    const state = select("State", choices("any state", EVENT_STATES), (value) => {
      filter.state = value;
      again();
    });
    const platform = select("Platform", choices("all platforms", PLATFORMS), (value) => {
      filter.platform = value;
      again();
    });
    state.input.value = filter.state;
    platform.input.value = filter.platform;
    const hold = h(
      "button",
      {
        type: "button",
        class: "plain",
        "aria-pressed": "false",
        onclick: () => {
          isPaused = !isPaused;
          hold.setAttribute("aria-pressed", `${isPaused}`);
          hold.textContent = isPaused ? "Go on" : "Pause";
          if (!isPaused) now();
        },
      },
      "Pause",
    );
    fill(into, h("div", { class: "bar" }, state.field, platform.field, hold), list, below);

    const page = (before?: string) =>
      api.get<{ events: EventView[]; next: string | null }>("/events", {
        signal,
        query: { ...filter, limit: PAGE, ...(before !== undefined && { before }) },
      });

    const now = keepShown(context, async () => {
      if (isPaused) return;
      try {
        const found = await page();
        if (older.length === 0) next = found.next;
        show(found.events);
      } catch (error) {
        if (!signal.aborted) fill(below, trouble(error));
      }
    });

    function show(newest: readonly EventView[]): void {
      const ids = new Set(newest.map(({ id }) => id));
      const all = [...newest, ...older.filter(({ id }) => !ids.has(id))];
      const isFirst = known.size === 0;
      fill(
        list,
        ...all.map((event) => {
          const isNew = !isFirst && known.get(event.id) !== event.state;
          known.set(event.id, event.state);
          return row(event, isNew);
        }),
      );
      fill(below, all.length === 0 ? nothing() : next !== null ? more(all) : null);
    }

    function more(all: readonly EventView[]): HTMLElement {
      const click = async () => {
        const found = await page(next ?? undefined).catch((error: unknown) => {
          fill(below, trouble(error));
          return null;
        });
        if (found === null) return;
        next = found.next;
        older = [...all, ...found.events];
        show(all.slice(0, PAGE));
      };
      return h("button", { type: "button", class: "plain", onclick: () => void click() }, "Older ones");
    }
  },
};

function choices(all: string, values: readonly string[]): readonly (readonly [string, string])[] {
  return [["", all], ...values.map((value) => [value, value] as const)];
}

function nothing(): HTMLElement {
  return filter.state === "" && filter.platform === ""
    ? empty(
        "Nothing has come in yet",
        "Say something in the ",
        h("a", { href: "#/playground" }, "playground"),
        ", or look at what was ",
        h("a", { href: "#/refused" }, "refused"),
        ".",
      )
    : empty("Nothing like that", "No event has this state and platform.");
}

/** One event of a list: a link to its life. */
export function row(event: EventView, isNew: boolean): HTMLElement {
  const { id, state, platform, sender, excerpt, agent, attempts, cause, accepted_at: at } = event;
  const about = [
    platform,
    sender.name,
    ...(agent === null ? [] : [agent]),
    ...(attempts > 1 ? [plural(attempts, "attempt")] : []),
    ago(at),
  ];
  return h(
    "li",
    { class: isNew ? "fresh" : undefined },
    h(
      "a",
      { class: "row", href: `#/event/${encodeURIComponent(id)}` },
      badge(state),
      h(
        "span",
        { class: "row-text" },
        told(excerpt === "" ? "(no text)" : excerpt, { class: "row-title" }),
        h(
          "span",
          { class: "row-about" },
          ...about.flatMap((word, i) => (i === 0 ? [told(word)] : [" · ", told(word)])),
        ),
        cause !== null && told(cause, { class: "row-cause" }),
      ),
      h("time", { datetime: at }, timeOf(at)),
    ),
  );
}
