import { ApiError } from "./api.ts";
import { fill, h, told } from "./dom.ts";

/** Pieces that several views are made of. */

const TONES: Readonly<Record<string, string>> = {
  done: "good",
  ok: "good",
  ready: "good",
  closed: "good",
  approved: "good",
  running: "busy",
  queued: "busy",
  claimed: "busy",
  accepted: "busy",
  connecting: "warn",
  degraded: "warn",
  retrying: "warn",
  parked: "warn",
  waiting: "warn",
  "half-open": "warn",
  dead: "bad",
  failed: "bad",
  not_ready: "bad",
  open: "bad",
  forged: "bad",
  stale: "bad",
  denied: "bad",
};

/** A state in words; its colour only repeats it. */
export function badge(state: string): HTMLElement {
  return h("span", { class: `badge ${TONES[state] ?? "calm"}` }, told(state.replaceAll("_", " ")));
}

export function empty(title: string, ...more: (Node | string)[]): HTMLElement {
  return h("div", { class: "empty" }, h("p", { class: "empty-title" }, title), h("p", {}, ...more));
}

export function loading(): HTMLElement {
  return h("p", { class: "loading", role: "status" }, "Loading…");
}

export function trouble(error: unknown): HTMLElement {
  return h("p", { class: "notice bad", role: "alert" }, told(messageOf(error)));
}

export function messageOf(error: unknown): string {
  if (!(error instanceof ApiError)) return "Something broke in this page; load it again.";
  const wait = error.waitSeconds === null ? "" : ` Try again in ${error.waitSeconds} s.`;
  return error.message + wait;
}

/** A name and what it is, for a list of them. */
export function facts(pairs: readonly (readonly [string, Node | string | null])[]): HTMLElement {
  return h(
    "dl",
    { class: "facts" },
    ...pairs.flatMap(([name, value]) => (value === null ? [] : [h("dt", {}, name), h("dd", {}, value)])),
  );
}

export function table(
  caption: string,
  heads: readonly string[],
  rows: readonly (readonly (Node | string)[])[],
) {
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      {},
      h("caption", { class: "unseen" }, caption),
      h("thead", {}, h("tr", {}, ...heads.map((head) => h("th", { scope: "col" }, head)))),
      h("tbody", {}, ...rows.map((cells) => h("tr", {}, ...cells.map((cell) => h("td", {}, cell))))),
    ),
  );
}

export function card(title: string, ...content: (Node | string)[]): HTMLElement {
  const id = `card-${title.toLowerCase().replaceAll(/[^a-z]+/g, "-")}`;
  return h("section", { class: "card", "aria-labelledby": id }, h("h2", { id }, told(title)), ...content);
}

/** One of a list of choices, with its label. */
export function select(
  label: string,
  values: readonly (readonly [string, string])[],
  changed: (value: string) => void,
) {
  const input = h(
    "select",
    { onchange: () => changed(input.value) },
    ...values.map(([value, text]) => h("option", { value }, text)),
  );
  return { input, field: h("label", { class: "field" }, h("span", {}, label), input) };
}

export function button(text: string, act: () => void, kind: "plain" | "main" | "danger" = "plain") {
  return h("button", { type: "button", class: kind, onclick: act }, text);
}

/** A level of something that has a limit. */
export function meter(label: string, share: number): HTMLElement {
  const percent = Math.min(100, Math.max(0, Math.round(share * 100)));
  const bar = h("progress", { max: 100, value: percent, "aria-label": label });
  bar.classList.toggle("over", share >= 0.8);
  return bar;
}

/** Asks before something is done; gives the words of its field, if it has one. Null: no. */
export function confirm(question: {
  readonly title: string;
  readonly text: string;
  readonly act: string;
  readonly isDangerous?: boolean;
  readonly field?: string;
}): Promise<{ readonly words: string } | null> {
  const { title, text, act, isDangerous = false, field } = question;
  return new Promise((answer) => {
    const words = h("input", { type: "text", maxlength: 100, autocomplete: "off" });
    const form = h("form", { method: "dialog" });
    const dialog = h("dialog", { "aria-labelledby": "asked" }, form);
    fill(
      form,
      h("h2", { id: "asked" }, told(title)),
      h("p", {}, told(text)),
      field !== undefined && h("label", { class: "field" }, h("span", {}, field), words),
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", class: "plain", onclick: () => dialog.close("no") }, "Cancel"),
        h("button", { type: "submit", value: "yes", class: isDangerous ? "danger" : "main" }, act),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      answer(dialog.returnValue === "yes" ? { words: words.value.trim() } : null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
