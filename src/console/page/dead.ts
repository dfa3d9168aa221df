import type { LetterView } from "../../admin/schemas.ts";
import { fill, h } from "./dom.ts";
import { row } from "./events.ts";
import { Listed } from "./listing.ts";
import { button, confirm, empty, messageOf } from "./parts.ts";
import type { View } from "./view.ts";
import { plural } from "./words.ts";

const PAGE = 50;

interface LetterPage {
  readonly letters: readonly LetterView[];
  readonly next: string | null;
}

interface Totals {
  readonly totals: { readonly matched: number; readonly done: number; readonly refused: number };
}

export const dead: View = {
  name: "dead",
  title: "Dead letters",
  isForOperators: true,
  open(into, context) {
    const { api, signal, say } = context;
    const list = h("ul", { class: "rows", "aria-label": "Dead letters, the newest first" });
    const all = button("Replay all", () => void replayAll());
    all.hidden = true;
    const listed = new Listed<LetterView>(context, {
      list,
      async page(before) {
        const query = { limit: PAGE, before };
        const { letters: items, next } = await api.get<LetterPage>("/dead", { signal, query });
        if (before === undefined) all.hidden = items.length < 2;
        return { items, next };
      },
      idOf: ({ id }) => id,
      markOf: ({ updated_at: at }) => at,
      row: line,
      none: () =>
        empty("No dead letters", "Everything was answered, dropped by policy, or still has attempts."),
    });
    fill(
      into,
      h(
        "p",
        { class: "lead" },
        "What was given up, and why. Nothing here is lost: say it again, or put it away.",
      ),
      h("div", { class: "bar" }, all),
      list,
      listed.below,
    );
    function line(letter: LetterView, isNew: boolean): HTMLElement {
      const item = row(letter, isNew);
      const named = letter.excerpt.slice(0, 40);
      const again = button("Replay", () => void replay(letter), "main");
      const drop = button("Drop", () => void putAway(letter));
      again.setAttribute("aria-label", `Replay “${named}”`);
      drop.setAttribute("aria-label", `Drop “${named}”`);
      item.append(h("div", { class: "actions" }, again, drop));
      return item;
    }

    async function replay({ id, kind, excerpt }: LetterView): Promise<void> {
      const what =
        kind === "outbound"
          ? "has an answer, of which what was not said is said now"
          : "has no answer, and is run anew";
      const answer = await confirm({
        title: "Replay this dead letter?",
        text: `“${excerpt.slice(0, 80)}” ${what}.`,
        act: "Replay",
      });
      if (answer === null) return;
      await act("POST", `/dead/${encodeURIComponent(id)}/replay`, "It waits for its turn.");
    }

    async function putAway({ id, excerpt }: LetterView): Promise<void> {
      const answer = await confirm({
        title: "Drop this dead letter?",
        text: `“${excerpt.slice(0, 80)}” is not answered any more. It stays in the journal as dropped, with who did it.`,
        act: "Drop",
        isDangerous: true,
      });
      if (answer === null) return;
      await act("DELETE", `/dead/${encodeURIComponent(id)}`, "It is dropped.");
    }

    async function act(method: "POST" | "DELETE", path: string, words: string): Promise<void> {
      try {
        await api.send(method, path);
        say(words, "good");
      } catch (error) {
        say(messageOf(error), "bad");
      }
      listed.now();
    }

    async function replayAll(): Promise<void> {
      try {
        const would = await bulk({ dry_run: true });
        const answer = await confirm({
          title: `Replay ${plural(would.totals.matched, "dead letter")}?`,
          text: "All that there are, those that came first first. What admission does not let in any more stays where it is.",
          act: "Replay all",
        });
        if (answer === null) return;
        const { totals } = await bulk({});
        say(`${plural(totals.done, "letter")} replayed, ${totals.refused} refused.`, "good");
      } catch (error) {
        say(messageOf(error), "bad");
      }
      listed.now();
    }

    /** The last line has the totals. */
    async function bulk(body: object): Promise<Totals> {
      const text = await api.lines("/dead/replay", body);
      return JSON.parse(text.trim().split("\n").at(-1) ?? "{}");
    }
  },
};
