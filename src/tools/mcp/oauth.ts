import { createHash } from "node:crypto";
import type { AuthProvider, OAuthTokens } from "@modelcontextprotocol/client";
import { ToolFault } from "../../domain/tool-fault.ts";
import type { Clock } from "../../ports/clock.ts";
import { Secret } from "../../shared/secret.ts";
import type { AccessToken, Exchanged, KeptTokens } from "./kept-tokens.ts";
import { limitedFetch } from "./limited-fetch.ts";

/** What the configuration says of it: with a refresh token, or as the client itself. */
export interface ServerAuth {
  readonly token_url: string;
  readonly client_id: string;
  readonly client_secret?: string | Secret | undefined;
  readonly refresh_token?: string | Secret | undefined;
  readonly scope?: string | undefined;
}

export interface AccessTokensOptions {
  readonly auth: ServerAuth;
  readonly clock: Pick<Clock, "nowMs">;
  /** Of the agent and the server: tokens are kept under it. */
  readonly name: string;
  /** Where refreshed tokens are kept, for all processes and those after them. */
  readonly keeper: () => KeptTokens | null;
}

const ASKING_MS = 10_000;
/** A token is not used up to its last moment. */
const EARLY_MS = 30_000;
/** Several calls may be refused at once: all are repeated with the same new token. */
const NEW_MS = 1_000;

type Library = typeof import("@modelcontextprotocol/client");

/**
 * Access tokens for one MCP server, from the address that the configuration names: where a server says that one gets them is
 * never asked. One is asked for before the first request, when its time is over, and when the server refuses it.
 */
export class AccessTokens implements AuthProvider {
  readonly #options: AccessTokensOptions;
  #access: (AccessToken & { readonly sinceMs: number }) | null = null;
  /** The last one that the server did not take. */
  #refused: string | null = null;
  #asking: Promise<string> | null = null;

  constructor(options: AccessTokensOptions) {
    this.#options = options;
  }

  async token(): Promise<string> {
    const nowMs = this.#options.clock.nowMs();
    if (this.#access !== null && nowMs < this.#access.untilMs) return this.#access.token;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return await this.#asking;
  }

  async onUnauthorized(): Promise<void> {
    const nowMs = this.#options.clock.nowMs();
    if (this.#access !== null && nowMs - this.#access.sinceMs >= NEW_MS) {
      this.#refused = this.#access.token;
      this.#access = null;
    }
    await this.token();
  }

  async #ask(): Promise<string> {
    const { auth, clock } = this.#options;
    const library = await import("@modelcontextprotocol/client");
    const access = await (auth.refresh_token === undefined
      ? this.#asClient(library)
      : this.#kept(auth.refresh_token, library));
    this.#access = { ...access, sinceMs: clock.nowMs() };
    return access.token;
  }

  async #asClient({ ClientCredentialsProvider, fetchToken }: Library): Promise<AccessToken> {
    const { auth } = this.#options;
    const { origin } = new URL(auth.token_url);
    const provider = new ClientCredentialsProvider({
      clientId: auth.client_id,
      clientSecret: revealed(auth.client_secret ?? ""),
      expectedIssuer: origin,
      ...(auth.scope !== undefined && { scope: auth.scope }),
    });
    const given = await fetchToken(provider, origin, { metadata: metadataOf(auth), fetchFn: patientFetch });
    return this.#accessIn(given);
  }

  async #kept(configured: string | Secret, library: Library): Promise<AccessToken> {
    const { name, keeper } = this.#options;
    const kept = keeper();
    if (kept === null) throw new ToolFault(NO_PLACE, { mayHaveRun: false, isPassing: false });
    // Another one in the configuration is a new beginning.
    const place = `mcp/${name}/${digest(revealed(configured))}`;
    return await kept.access(place, this.#refused, (last) =>
      this.#refresh(last ?? revealed(configured), library),
    );
  }

  /** Each refresh may bring another token for the next, of which the one before is over then. */
  async #refresh(refreshToken: string, { refreshAuthorization }: Library): Promise<Exchanged> {
    const { auth } = this.#options;
    const secret = auth.client_secret === undefined ? {} : { client_secret: revealed(auth.client_secret) };
    const given = await refreshAuthorization(new URL(auth.token_url).origin, {
      metadata: metadataOf(auth),
      clientInformation: { client_id: auth.client_id, ...secret },
      refreshToken,
      fetchFn: patientFetch,
      ...(auth.scope !== undefined && { scope: auth.scope }),
    });
    const { refresh_token: next = refreshToken } = given;
    return { access: this.#accessIn(given), refreshToken: next === refreshToken ? null : next };
  }

  #accessIn({ access_token, expires_in }: OAuthTokens): AccessToken {
    const untilMs =
      expires_in === undefined
        ? Number.POSITIVE_INFINITY
        : this.#options.clock.nowMs() + expires_in * 1000 - EARLY_MS;
    return { token: new Secret(access_token, true).reveal(), untilMs };
  }
}

const NO_PLACE =
  "expected a place to keep its refreshed token, got none: it is asked by a running gateway with PARLEY_ENCRYPTION_KEY";

/** All that the library needs to know of who gives the tokens, so that it looks for nothing. */
function metadataOf({ token_url }: ServerAuth) {
  const { origin } = new URL(token_url);
  return {
    issuer: origin,
    authorization_endpoint: token_url,
    token_endpoint: token_url,
    response_types_supported: ["code"],
  };
}

const patientFetch = (url: string | URL, init?: RequestInit) =>
  limitedFetch(url, { ...init, signal: AbortSignal.timeout(ASKING_MS) });

function revealed(value: string | Secret): string {
  return value instanceof Secret ? value.reveal() : value;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}
