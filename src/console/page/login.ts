import { ApiError, type Credentials, createApi } from "./api.ts";
import { fill, h, told } from "./dom.ts";
import { messageOf } from "./parts.ts";

/** In this tab alone, and gone with it: neither on disk nor in a cookie, which would go with every request. */
const KEPT = "parley-console";

export function keptCredentials(): Credentials | null {
  try {
    const { token, operator } = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    return typeof token === "string" && typeof operator === "string" ? { token, operator } : null;
  } catch {
    return null;
  }
}

export function keep(credentials: Credentials | null): void {
  if (credentials === null) sessionStorage.removeItem(KEPT);
  else sessionStorage.setItem(KEPT, JSON.stringify(credentials));
}

/** Asks for the token, and tries it before it is taken. */
export function showLogin(into: HTMLElement, why: string, taken: (credentials: Credentials) => void): void {
  const token = h("input", {
    ...{
      type: "password",
      name: "token",
      required: true,
      autocomplete: "current-password",
      spellcheck: "false",
    },
    ...{ maxlength: 500, "aria-describedby": "login-trouble" },
  });
  const operator = h("input", { type: "text", name: "operator", maxlength: 100, autocomplete: "username" });
  const trouble = h(
    "p",
    { class: "notice bad", id: "login-trouble", role: "alert", hidden: why === "" },
    why,
  );
  const enter = h("button", { type: "submit", class: "main" }, "Log in");
  const attempt = async () => {
    enter.disabled = true;
    const credentials = { token: token.value.trim(), operator: plain(operator.value) };
    try {
      await createApi(credentials, () => {}).get("/kill-switch");
      return taken(credentials);
    } catch (error) {
      trouble.hidden = false;
      fill(trouble, told(wrong(error)));
      enter.disabled = false;
      token.select();
      token.focus();
    }
  };
  const form = h(
    "form",
    {
      class: "card login",
      onsubmit: (event) => {
        event.preventDefault();
        void attempt();
      },
    },
    h("h2", {}, "Log in"),
    h(
      "p",
      { class: "lead" },
      "With the admin token of this gateway (PARLEY_ADMIN_TOKEN). It stays in this tab, until that is closed.",
    ),
    trouble,
    h("label", { class: "field" }, h("span", {}, "Admin token"), token),
    h("label", { class: "field" }, h("span", {}, "Your name, for the audit (optional)"), operator),
    h("div", { class: "actions" }, enter),
  );
  fill(into, form);
  token.focus();
}

function wrong(error: unknown): string {
  return error instanceof ApiError && error.status === 401
    ? "That is not the token of this gateway."
    : messageOf(error);
}

/** As the header takes it. */
function plain(name: string): string {
  return name.replaceAll(/[^\x20-\x7e]/g, "").trim();
}
