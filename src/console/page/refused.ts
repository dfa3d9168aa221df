import type { Explanation } from "../../admin/explain.ts";
import type { RefusalView } from "../../feed/refusal.ts";
import { fill, h, told } from "./dom.ts";
import { Listed } from "./listing.ts";
import { badge, empty, trouble } from "./parts.ts";
import type { View } from "./view.ts";
import { ago, plural, timeOf } from "./words.ts";

const PAGE = 50;

interface RefusalPage {
  readonly refusals: readonly RefusalView[];
  readonly next: string | null;
}

export const refused: View = {
  name: "refused",
  title: "Refused",
  isForOperators: true,
  open(into, context) {
    const { api, signal } = context;
    const list = h("ul", { class: "rows", "aria-label": "Requests that led to no run, the newest first" });
    /** Opened by the person; they stay so when the list is shown again. */
    const opened = new Map<string, HTMLElement>();
    const listed = new Listed<RefusalView>(context, {
      list,
      async page(cursor) {
        const { refusals: items, next } = await api.get<RefusalPage>("/refusals", {
          signal,
          query: { limit: PAGE, cursor },
        });
        return { items, next };
      },
      idOf: ({ id }) => id,
      markOf: ({ id }) => id,
      row: line,
      none: () => empty("Nothing was refused", "Forged, ignored and unwanted requests show up here."),
      stream: "/refusals/stream",
    });
    const lead = "Requests that led to no run, and why. What was said in them is not kept.";
    fill(into, h("p", { class: "lead" }, lead), list, listed.below);

    function line(one: RefusalView, isNew: boolean): HTMLElement {
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
      return h("li", { class: isNew ? "fresh" : undefined }, toggle, why);
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
