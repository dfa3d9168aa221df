import { type Api, type Credentials, createApi } from "./api.ts";
import { approvals } from "./approvals.ts";
import { dead } from "./dead.ts";
import { fill, h } from "./dom.ts";
import { event } from "./event.ts";
import { events } from "./events.ts";
import { keep, keptCredentials, showLogin } from "./login.ts";
import { playground } from "./playground.ts";
import { refused } from "./refused.ts";
import { status } from "./status.ts";
import { usage } from "./usage.ts";
import type { Facts, View } from "./view.ts";

const VIEWS: readonly View[] = [playground, status, events, refused, dead, approvals, usage, event];
/** The one without an entry is reached through another. */
const LISTED = VIEWS.filter((view) => view !== event);
const SAID_MS = 6_000;

const { api: isOn, playground: door, demo, version = "" } = document.body.dataset;
const facts: Facts = {
  isApiOn: isOn === "on",
  playground: door === "open" || door === "key" ? door : "off",
  isDemo: demo === "on",
  version,
};

let credentials: Credentials | null = facts.isApiOn ? keptCredentials() : null;
let api: Api | null = null;
let leaving = new AbortController();
let whyLogin = "";

const title = h("h1", { id: "title", tabindex: -1 });
const live = h("span", { class: "live", role: "status" });
const content = h("div", { id: "content" });
const said = h("div", { class: "toasts", role: "status", "aria-live": "polite" });
const nav = h("nav", { "aria-label": "Views" });
const who = h("div", { class: "who" });

fill(
  document.getElementById("app") as HTMLElement,
  h("a", { class: "skip", href: "#title", onclick: skip }, "Skip to the content"),
  h(
    "header",
    { class: "top" },
    h("a", { class: "brand", href: "#/" }, h("span", { class: "mark", "aria-hidden": "true" }), "Parley"),
    nav,
    who,
  ),
  h("main", {}, h("div", { class: "heads" }, title, live), content),
  said,
);

function skip(clicked: Event): void {
  clicked.preventDefault();
  title.focus();
}

function log(in_: Credentials | null, why = ""): void {
  credentials = in_;
  whyLogin = why;
  keep(in_);
  api = in_ === null ? null : createApi(in_, () => log(null, "The token is not taken any more."));
  show();
}

function say(text: string, tone: "good" | "bad" = "good"): void {
  const toast = h("div", { class: `toast ${tone}` }, text);
  said.append(toast);
  window.setTimeout(() => toast.remove(), SAID_MS);
}

function standing(isLive: boolean): void {
  live.textContent = isLive ? "Live" : "The gateway does not answer; trying again";
  live.className = `live ${isLive ? "good" : "bad"}`;
}

/** `#/event/<id>`: which view, and what of it. */
function asked(): { readonly view: View; readonly parameter: string } {
  const [, name = "", ...rest] = location.hash.split("/");
  const fallback = facts.isApiOn ? status : playground;
  const view = VIEWS.find((one) => one.name === name) ?? fallback;
  return { view, parameter: decoded(rest.join("/")) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

function show(isMoved = false): void {
  leaving.abort();
  leaving = new AbortController();
  document.querySelector("dialog")?.close("no");
  const { view, parameter } = asked();
  document.title = `${view.title} · Parley`;
  title.textContent = view.title;
  live.textContent = "";
  live.className = "live";
  fill(
    nav,
    ...LISTED.map(({ name, title: text }) => {
      const isHere = name === view.name || (view === event && name === "events");
      return h("a", { href: `#/${name}`, "aria-current": isHere ? "page" : undefined }, text);
    }),
  );
  const here = nav.querySelector<HTMLElement>("[aria-current]");
  if (here !== null) nav.scrollLeft = here.offsetLeft - (nav.clientWidth - here.offsetWidth) / 2;
  showWho();
  if (isMoved) title.focus();
  if (view.isForOperators && !facts.isApiOn) fill(content, apiIsOff());
  else if (view.isForOperators && api === null) showLogin(content, whyLogin, (given) => log(given));
  else open(view, parameter);
}

function open(view: View, parameter: string): void {
  const { signal } = leaving;
  // One that needs no operator looks for itself whether there is one.
  const context = { api: api as Api, facts, signal, parameter, say, standing };
  fill(content);
  view.open(content, { ...context, standing: (isLive) => !signal.aborted && standing(isLive) });
}

function showWho(): void {
  const out = h("button", { type: "button", class: "plain", onclick: () => log(null) }, "Log out");
  fill(who, facts.version !== "" && h("span", { class: "version" }, facts.version), api !== null && out);
}

function apiIsOff(): HTMLElement {
  return h(
    "section",
    { class: "card" },
    h("h2", {}, "The admin API is off"),
    h("p", {}, "This view asks it. Start the gateway with a token of your own, and load this page again:"),
    h("pre", { tabindex: 0 }, "export PARLEY_ADMIN_TOKEN=$(openssl rand -hex 32)\nparley serve"),
    facts.playground !== "off" &&
      h("p", {}, "Without it there is the ", h("a", { href: "#/playground" }, "playground"), "."),
  );
}

window.addEventListener("hashchange", () => show(true));
if (credentials === null) show();
else log(credentials);
