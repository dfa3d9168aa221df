import type { EventView } from "../../admin/schemas.ts";
import { PLATFORMS } from "../../domain/event.ts";
import { EVENT_STATES } from "../../ports/journal.ts";
import { fill, h, told } from "./dom.ts";
import { Listed } from "./listing.ts";
import { badge, button, empty, select } from "./parts.ts";
import type { View } from "./view.ts";
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
    const listed = new Listed<EventView>(context, {
      list,
      async page(before) {
        const query = { ...filter, limit: PAGE, before };
        const { events: items, next } = await api.get<EventPage>("/events", { signal, query });
        return { items, next };
      },
      idOf: ({ id }) => id,
      markOf: ({ state }) => state,
      row,
      none: nothing,
    });
    const narrow = (label: string, name: "state" | "platform", all: string, values: readonly string[]) => {
      const { input, field } = select(label, choices(all, values), (value) => {
        filter[name] = value;
        setPaused(false);
        listed.again();
      });
      input.value = filter[name];
      return field;
    };
    const hold = button("Pause", () => setPaused(!listed.isPaused));
    const setPaused = (is: boolean) => {
      listed.pause(is);
      hold.setAttribute("aria-pressed", `${is}`);
    };
    hold.setAttribute("aria-pressed", "false");
    const state = narrow("State", "state", "any state", EVENT_STATES);
    const platform = narrow("Platform", "platform", "all platforms", PLATFORMS);
    fill(into, h("div", { class: "bar" }, state, platform, hold), list, listed.below);
  },
};

interface EventPage {
  readonly events: readonly EventView[];
  readonly next: string | null;
}

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
