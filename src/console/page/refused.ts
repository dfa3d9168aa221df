import type { Explanation } from "../../admin/explain.ts";
import type { RefusalView } from "../../feed/refusal.ts";
import { fill, h, told } from "./dom.ts";
import { badge, empty, loading, trouble } from "./parts.ts";
import { keepShown, type View } from "./view.ts";
import { ago, plural, timeOf } from "./words.ts";

const PAGE = 50;

export const refused: View = {
  name: "refused",
  title: "Refused",
  isForOperators: true,
  open(into, context) {
    const { api, signal } = context;
    const list = h("ul", { class: "rows", "aria-label": "Requests that led to no run, the newest first" });
    const below = h("div", { class: "below" }, loading());
    /** Opened by the person; they stay so when the list is shown again. */
    const opened = new Map<string, HTMLElement>();
    fill(
      into,
      h("p", { class: "lead" }, "Requests that led to no run, and why. What was said in them is not kept."),
      list,
      below,
    );

    keepShown(
      context,
      async () => {
        try {
          const { refusals } = await api.get<{ refusals: RefusalView[] }>("/refusals", {
            signal,
            query: { limit: PAGE },
          });
          const focused = document.activeElement?.id ?? "";
          fill(list, ...refusals.map((one) => line(one)));
          if (focused.startsWith("ref_")) document.getElementById(focused)?.focus();
          fill(
            below,
            refusals.length === 0 &&
              empty("Nothing was refused", "Forged, ignored and unwanted requests show up here."),
          );
        } catch (error) {
          if (!signal.aborted) fill(below, trouble(error));
        }
      },
      "/refusals/stream",
    );

    function line(one: RefusalView): HTMLElement {
      const { id, at, platform, outcome, reason, peer, alike } = one;
      const about = [platform, ...(peer === null ? [] : [`from ${peer}`]), ago(at)];
      const isOpen = opened.has(id);
      const why = h("div", { class: "why", id: `${id}-why` }, opened.get(id));
      const toggle = h(
        "button",
        {
          ...{ type: "button", class: "row", id, "aria-controls": `${id}-why`, "aria-expanded": `${isOpen}` },
          onclick: () => void explain(one, toggle, why),
        },
        badge(outcome),
        h(
          "span",
          { class: "row-text" },
          told(reason, { class: "row-title" }),
          h(
            "span",
            { class: "row-about" },
            ...about.flatMap((word, i) => (i === 0 ? [told(word)] : [" · ", told(word)])),
          ),
          alike !== undefined &&
            h("span", { class: "row-about" }, `and ${plural(alike, "more like it", "more like it")}`),
        ),
        h("time", { datetime: at }, timeOf(at)),
      );
      return h("li", {}, toggle, why);
    }

    async function explain({ id }: RefusalView, toggle: HTMLElement, why: HTMLElement): Promise<void> {
      if (opened.delete(id)) {
        fill(why);
        return toggle.setAttribute("aria-expanded", "false");
      }
      const words = await api.get<Explanation>(`/explain/${encodeURIComponent(id)}`, { signal }).then(
        (explained) => h("p", {}, told(explained.words)),
        (error: unknown) => trouble(error),
      );
      opened.set(id, words);
      fill(why, words);
      toggle.setAttribute("aria-expanded", "true");
    }
  },
};
