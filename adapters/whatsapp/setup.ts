import { DeliveryError, GatewayError } from "../../src/domain/errors.ts";
import type { ProbeFinding } from "../../src/ports/adapter.ts";
import type { Setup, SetupContext } from "../../src/ports/setup.ts";
import { get, getArray, getString } from "../../src/shared/json.ts";
import { iso } from "../../src/shared/time.ts";
import { doubtful, mismatch, probed, well } from "../shared/probe.ts";
import { createClient } from "./api.ts";
import { createGraph, type Graph } from "./graph.ts";
import { probeWhatsApp } from "./probe.ts";
import { API_URL, type WhatsAppOptions, type WhatsAppSettings } from "./settings.ts";

/** Nothing else that Meta could send starts a run. */
const FIELDS = ["messages"];
const OBJECT = "whatsapp_business_account";
/** Without the other, nothing about number and account can be looked at. */
const SENDS = "whatsapp_business_messaging";
const SCOPES = [SENDS, "whatsapp_business_management"];
const SETTINGS = { address: "WHATSAPP_API_URL", credential: "WHATSAPP_ACCESS_TOKEN" };

export function openSetup(context: SetupContext<WhatsAppSettings, WhatsAppOptions>): Setup {
  const { settings, options, publicUrl, flags, clock, timeoutMs } = context;
  const webhookUrl = publicUrl === null ? null : `${publicUrl}/webhooks/whatsapp`;
  const base = `${settings?.apiUrl ?? API_URL}/${options.api_version}`;
  const graph = createGraph(base, clock, timeoutMs);
  const wabaId = typeof flags.wabaId === "string" ? flags.wabaId : null;

  return {
    document: () => ({ webhook: { object: OBJECT, callback_url: webhookUrl, fields: FIELDS } }),
    links: () => [{ what: "The app, and its number", url: "https://developers.facebook.com/apps" }],
    async check(signal): Promise<readonly ProbeFinding[]> {
      if (settings === null) return [];
      const client = createClient({
        ...{ accessToken: settings.accessToken, apiUrl: settings.apiUrl ?? API_URL },
        ...{ apiVersion: options.api_version, timeoutMs, clock },
      });
      const number = await probeWhatsApp(client, settings.phoneNumberId, signal);
      if (number.some(({ status }) => status === "fail")) return number;
      const found = await probed(SETTINGS, async () => {
        const app = await appOf(graph, settings, signal);
        if ("status" in app) return [app];
        const ofToken = tokenFindings(app);
        const account = await accountOf(graph, settings, { app, wabaId }, signal);
        // Where a token may see all accounts, Meta names none.
        if (account === null)
          return [...ofToken, doubtful(NO_ACCOUNT, "parley setup whatsapp --check --waba-id ID")];
        return [
          ...ofToken,
          (await isSubscribed(graph, settings, account, app.id, signal))
            ? well("the app hears of the business account")
            : mismatch("the app does not hear of the business account", APPLY),
          webhookFinding(await webhookOf(graph, app, signal), webhookUrl),
        ];
      });
      return [...number, ...found];
    },
    async apply({ isDryRun }, signal) {
      if (settings === null)
        throw new GatewayError(
          "CONFIG_INVALID",
          "Expected all four settings of WhatsApp, got none, or some of them",
        );
      if (webhookUrl === null)
        throw new GatewayError("CONFIG_INVALID", "Expected --url or PARLEY_PUBLIC_URL, got none");
      const app = await appOf(graph, settings, signal);
      if ("status" in app)
        throw new GatewayError("CONFIG_INVALID", `Expected ${app.fix}, got that ${app.message}`);
      const account = await accountOf(graph, settings, { app, wabaId }, signal);
      if (account === null) throw new GatewayError("CONFIG_INVALID", `Expected --waba-id, for ${NO_ACCOUNT}`);
      const webhook = webhookFinding(await webhookOf(graph, app, signal), webhookUrl);
      const hears = await isSubscribed(graph, settings, account, app.id, signal);
      if (!isDryRun) {
        // Each time: Meta does not say which verify token it has. It asks for the address at once.
        const body = { object: OBJECT, callback_url: webhookUrl, fields: FIELDS.join(",") };
        await graph(
          {
            ...{ method: "POST", path: `${part(app.id)}/subscriptions`, token: app.token },
            body: { ...body, verify_token: settings.verifyToken.reveal() },
          },
          signal,
        );
        if (!hears)
          await graph(
            {
              method: "POST",
              path: `${part(account)}/subscribed_apps`,
              token: settings.accessToken.reveal(),
            },
            signal,
          );
      }
      const changes = [
        ...(webhook.status === "ok" ? [] : [`~ webhook ${webhookUrl}`]),
        ...(hears ? [] : [`+ business account ${account}`]),
      ];
      return { changes, next: [] };
    },
  };
}

const APPLY = "run parley setup whatsapp --apply";
const NO_ACCOUNT = "no business account of the token has the number of WHATSAPP_PHONE_NUMBER_ID";
const part = encodeURIComponent;

/** The app that the access token is of, as the app itself may speak; and what Meta says of that token. */
interface App {
  readonly id: string;
  readonly token: string;
  readonly scopes: readonly string[];
  readonly accounts: readonly string[];
  /** Null: never. */
  readonly endsAtMs: number | null;
}

/** A finding where the app secret is of another app. */
async function appOf(
  graph: Graph,
  settings: WhatsAppSettings,
  signal: AbortSignal,
): Promise<App | ProbeFinding> {
  const accessToken = settings.accessToken.reveal();
  const id = getString(
    await graph({ method: "GET", path: "app?fields=id", token: accessToken }, signal),
    "id",
  );
  if (id === undefined) throw new DeliveryError("unknown", "WhatsApp: expected the id of the app, got none");
  // The old secret of a rotation may be the one that holds still.
  for (const secret of settings.appSecrets.flatMap((one) => one.live())) {
    const token = `${id}|${secret}`;
    const path = `debug_token?input_token=${part(accessToken)}`;
    const answer = await graph({ method: "GET", path, token }, signal).catch((error: unknown) => {
      if (error instanceof DeliveryError && (error.kind === "refused" || error.kind === "rejected"))
        return null;
      throw error;
    });
    if (answer === null) continue;
    const data = get(answer, "data");
    const ends = get(data, "expires_at");
    const granular = getArray(data, "granular_scopes").flatMap((one) =>
      SCOPES.includes(getString(one, "scope") ?? "") ? getArray(one, "target_ids") : [],
    );
    return {
      ...{ id, token },
      scopes: getArray(data, "scopes").filter((one) => typeof one === "string"),
      accounts: [...new Set(granular.filter((one) => typeof one === "string"))],
      endsAtMs: typeof ends === "number" && ends > 0 ? ends * 1000 : null,
    };
  }
  return mismatch("WHATSAPP_APP_SECRET is not of the app that the token is of", "the secret of this app");
}

function tokenFindings({ scopes, endsAtMs }: App): readonly ProbeFinding[] {
  const missing = SCOPES.filter((scope) => !scopes.includes(scope));
  return [
    missing.length === 0
      ? well("the access token has the permissions that it needs, and the app secret is of its app")
      : (missing.includes(SENDS) ? mismatch : doubtful)(
          `the access token lacks ${missing.join(" and ")}`,
          "make one with both permissions",
        ),
    ...(endsAtMs === null
      ? []
      : [doubtful(`the access token ends at ${iso(endsAtMs)}`, "make one of a system user, without expiry")]),
  ];
}

/** The business account that has our number; null: none that we know of. */
async function accountOf(
  graph: Graph,
  { accessToken, phoneNumberId }: WhatsAppSettings,
  { app, wabaId }: { app: App; wabaId: string | null },
  signal: AbortSignal,
): Promise<string | null> {
  if (wabaId !== null) return wabaId;
  for (const account of app.accounts) {
    const path = `${part(account)}/phone_numbers?fields=id&limit=500`;
    const numbers = await graph({ method: "GET", path, token: accessToken.reveal() }, signal);
    if (getArray(numbers, "data").some((one) => getString(one, "id") === phoneNumberId)) return account;
  }
  return null;
}

async function isSubscribed(
  graph: Graph,
  { accessToken }: WhatsAppSettings,
  account: string,
  appId: string,
  signal: AbortSignal,
): Promise<boolean> {
  const path = `${part(account)}/subscribed_apps`;
  const answer = await graph({ method: "GET", path, token: accessToken.reveal() }, signal);
  const ids = getArray(answer, "data").map((one) => getString(get(one, "whatsapp_business_api_data"), "id"));
  return ids.includes(appId);
}

async function webhookOf(graph: Graph, { id, token }: App, signal: AbortSignal) {
  const answer = await graph({ method: "GET", path: `${part(id)}/subscriptions`, token }, signal);
  return getArray(answer, "data").find((one) => getString(one, "object") === OBJECT);
}

function webhookFinding(webhook: unknown, url: string | null): ProbeFinding {
  const fields = getArray(webhook, "fields").map((one) => getString(one, "name"));
  const missing = FIELDS.filter((field) => !fields.includes(field));
  if (webhook === undefined || get(webhook, "active") === false || missing.length > 0)
    return mismatch("the app has no webhook for messages", APPLY);
  // Where it leads may hold a secret of somebody else, so it is not repeated.
  if (url !== null && getString(webhook, "callback_url") !== url)
    // An account may have an address of its own in its place.
    return doubtful(`the app's webhook leads elsewhere than to ${url}`, APPLY);
  return well(url === null ? "the app has a webhook for messages" : `the app's webhook leads to ${url}`);
}
