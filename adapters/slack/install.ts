import { DeliveryError, GatewayError } from "../../src/domain/errors.ts";
import { isLoopbackHost } from "../../src/domain/loopback.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Page, PageAnswer, PageRequest } from "../../src/ports/pages.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import { type InstallState, STATE_MS, type StateVerdict } from "./install-state.ts";
import { type Installation, installationFrom } from "./installation.ts";
import type { Installations } from "./installations.ts";
import { INSTALL, REDIRECT } from "./paths.ts";

/** Slack's own, wherever its API is: a person's browser goes there. */
const AUTHORIZE = "https://slack.com/oauth/v2/authorize";
export interface InstallOptions {
  readonly clientId: string;
  /** What the app asks for. */
  readonly scopes: readonly string[];
  /** Null: Slack takes the address that the app's settings have. */
  readonly publicUrl: string | null;
  readonly state: InstallState;
  readonly installations: Installations;
  /** `oauth.v2.access` with the code that Slack gave. Throws DeliveryError. */
  readonly exchange: (code: string, redirectUri: string | null) => Promise<JsonObject>;
  readonly clock: Pick<Clock, "nowMs">;
  /** Never rejects. */
  readonly installed: (installation: Installation) => Promise<void>;
}

/** The way into a workspace: to Slack and back. */
export function installPages(options: InstallOptions): readonly Page[] {
  const { clientId, scopes, publicUrl, state, installations, exchange, clock, installed } = options;
  const redirectUri = publicUrl === null ? null : publicUrl + REDIRECT;
  const isSecure = (request: PageRequest) =>
    publicUrl === null ? !isLoopbackHost(request.header("host") ?? "") : publicUrl.startsWith("https:");

  async function begin(request: PageRequest): Promise<PageAnswer> {
    const { state: value, cookie } = state.begin();
    const url = new URL(AUTHORIZE);
    url.searchParams.set("client_id", clientId);
    url.searchParams.set("scope", scopes.join(","));
    url.searchParams.set("state", value);
    if (redirectUri !== null) url.searchParams.set("redirect_uri", redirectUri);
    const answer = page(302, "To Slack", ["You are being sent to Slack."]);
    const headers = {
      location: url.href,
      "set-cookie": cookieOf(cookie, STATE_MS / 1000, isSecure(request)),
    };
    return { ...answer, headers: { ...answer.headers, ...headers } };
  }

  async function back(request: PageRequest): Promise<PageAnswer> {
    const { query } = request;
    const given = query.get("state") ?? "";
    const cookie = cookieIn(request.header("cookie") ?? "", isSecure(request));
    const seen = state.look(given, cookie);
    if (seen !== "good") return refusal(seen);
    const error = query.get("error");
    if (error === "access_denied")
      return page(200, "Not installed", ["You did not allow it, so nothing was installed.", AGAIN]);
    const code = query.get("code") ?? "";
    if (error !== null || !/^[!-~]{1,512}$/.test(code))
      return page(400, "Not installed", ["Slack did not say that you allow it.", AGAIN]);
    const used = await state.use(given, cookie);
    if (used !== "good") return refusal(used);
    const installation = installationFrom(await exchange(code, redirectUri), clock);
    if (installation === null)
      return page(502, "Not installed", [
        "Slack gave no token for a bot. Look at the scopes of the app.",
        AGAIN,
      ]);
    await installations.install(installation);
    await installed(installation);
    return page(200, "Installed", [
      `The app is installed in ${installation.name}.`,
      "Invite it to a channel and name it, or write to it. You can close this page.",
    ]);
  }

  async function answered(request: PageRequest): Promise<PageAnswer> {
    const answer = await back(request).catch(failure);
    const headers = { ...answer.headers, "set-cookie": cookieOf("", 0, isSecure(request)) };
    return { ...answer, headers };
  }

  return [
    { path: INSTALL, answer: begin },
    { path: REDIRECT, answer: answered },
  ];
}

const AGAIN = { href: INSTALL, text: "Begin again" };

function refusal(verdict: Exclude<StateVerdict, "good">): PageAnswer {
  if (verdict === "busy")
    return page(503, "Not installed", ["Too many are installing it. Wait for some minutes.", AGAIN]);
  const why = {
    foreign: "This was not begun in this browser, or its cookies are off.",
    expired: "This was begun too long ago.",
    used: "This was done before.",
  }[verdict];
  return page(400, "Not installed", [why, AGAIN]);
}

/** What Slack says of a code is of no use to a person, and the log has it. */
function failure(error: unknown): PageAnswer {
  if (error instanceof DeliveryError && error.kind === "rejected")
    return page(400, "Not installed", ["Slack does not take this any more.", AGAIN]);
  if (error instanceof DeliveryError)
    return page(502, "Not installed", ["Slack did not answer as it should.", AGAIN]);
  if (error instanceof GatewayError)
    return page(503, "Not installed", ["It could not be stored now. Try again in a minute.", AGAIN]);
  throw error;
}

/** A name that only an address of https can set, and only for itself; on this machine there is none. */
function cookieName(isSecure: boolean): string {
  return isSecure ? "__Host-parley_install" : "parley_install";
}

function cookieOf(value: string, seconds: number, isSecure: boolean): string {
  const parts = [
    `${cookieName(isSecure)}=${value}`,
    "Path=/",
    `Max-Age=${seconds}`,
    "HttpOnly",
    "SameSite=Lax",
  ];
  return [...parts, ...(isSecure ? ["Secure"] : [])].join("; ");
}

function cookieIn(header: string, isSecure: boolean): string {
  const name = `${cookieName(isSecure)}=`;
  const found = header
    .split(";")
    .map((part) => part.trim())
    .find((part) => part.startsWith(name));
  return found?.slice(name.length) ?? "";
}

type Line = string | { readonly href: string; readonly text: string };

function page(status: number, title: string, lines: readonly Line[]): PageAnswer {
  const body = lines.map((line) =>
    typeof line === "string"
      ? `<p>${escaped(line)}</p>`
      : `<p><a href="${escaped(line.href)}">${escaped(line.text)}</a></p>`,
  );
  return {
    status,
    headers: {
      "content-security-policy":
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    },
    html:
      `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">` +
      `<title>${escaped(title)}</title></head><body><h1>${escaped(title)}</h1>${body.join("")}</body></html>\n`,
  };
}

function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
