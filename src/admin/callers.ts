import { hash } from "node:crypto";
import { LRUCache } from "lru-cache";
import { TOKENS_MAX } from "../domain/bounds.ts";
import { GatewayError } from "../domain/errors.ts";
import { isConversationOf, tokenIdIn } from "../domain/tenant.ts";
import type { Clock } from "../ports/clock.ts";
import type { TenantToken, Tokens } from "../ports/tokens.ts";
import { textMatches } from "../shared/hmac.ts";
import type { Secret } from "../shared/secret.ts";
import { Tap } from "../shared/tap.ts";
import { LOOK_UPS_RATE, TENANT_RATE, TOKEN_CHECK_MS } from "./bounds.ts";
import { type ApiResponse, problem } from "./responses.ts";

/** Who asks: an operator, who sees all, or whoever has a token of one tenant. */
export interface Caller {
  /** `platform:id`; null: an operator. */
  readonly tenant: string | null;
  /** Null: that of the operator. */
  readonly token: TenantToken | null;
  /** Whether what was given still opens something. Rejects with STORE_* where nobody knows. */
  readonly isStillIn: () => Promise<boolean>;
}

/** Hears of each who has no good token. Gives the seconds to wait where a peer has sent too many wrong ones. */
export type WrongToken = (guess: {
  readonly requestId: string;
  readonly peer: string | null;
  readonly isGiven: boolean;
  readonly userAgent: string | null;
}) => number | null;

/** Why what somebody has open ends. `unknown`: the store could not be asked whether the token still opens it. */
export type TokenEnd = "ended" | "unknown";

/** What whoever had it open is told. */
export const TOKEN_ENDS: Readonly<Record<TokenEnd, string>> = {
  ended: "the token opens nothing any more",
  unknown: "whether the token is good is not known now; come again",
};

/** Hears once. Gives how to leave. */
export type OnTokenEnd = (ended: (why: TokenEnd) => void) => () => void;

interface Follower {
  readonly caller: Caller;
  readonly ended: (why: TokenEnd) => void;
}

export interface CallersDeps {
  /** Of the operator. Null: the API is off, and nobody gets in. */
  readonly token: Secret | null;
  readonly tokens: Pick<Tokens, "find" | "get" | "watch">;
  readonly clock: Pick<Clock, "timer" | "nowMs">;
}

/**
 * Knows who is in, and ends what a token has opened once it opens nothing any more: at once where the word of it comes, and
 * after TOKEN_CHECK_MS where it is lost.
 */
export class Callers {
  readonly #deps: CallersDeps;
  readonly #followers = new Set<Follower>();
  /** Digests of tokens that were good when they came last: they are looked up however many others somebody tries. */
  readonly #known = new LRUCache<string, true>({ max: TOKENS_MAX });
  readonly #lookUps = new Tap(LOOK_UPS_RATE);
  readonly #asking = new LRUCache<string, Tap>({ max: TOKENS_MAX });
  #hearNoMore: (() => void) | null = null;
  #callOff: (() => void) | null = null;

  constructor(deps: CallersDeps) {
    this.#deps = deps;
  }

  /** Null: nobody whom we know. Rejects with STORE_*. */
  async of(given: string): Promise<Caller | null> {
    const { token, tokens } = this.#deps;
    if (token === null) return null;
    if (textMatches([token], given)) {
      return { tenant: null, token: null, isStillIn: async () => textMatches([token], given) };
    }
    if (tokenIdIn(given) === null) return null;
    const digest = hash("sha256", given);
    if (!this.#known.has(digest) && !this.#lookUps.give(this.#deps.clock.nowMs()))
      throw new GatewayError("STORE_UNAVAILABLE", "too many tokens that nobody knows are tried; come again");
    const found = await tokens.find(given);
    if (found === null) {
      this.#known.delete(digest);
      return null;
    }
    this.#known.set(digest, true);
    return {
      tenant: found.tenant,
      token: found,
      isStillIn: async () => (await tokens.get(found.id)) !== null,
    };
  }

  /** Whether whoever has this token may ask something now; operators always may. Gives the seconds to wait where not. */
  slowed({ token }: Caller): number | null {
    if (token === null) return null;
    const tap = this.#asking.get(token.id) ?? new Tap(TENANT_RATE);
    this.#asking.set(token.id, tap);
    return tap.give(this.#deps.clock.nowMs()) ? null : Math.ceil(tap.secondsUntilNext);
  }

  /** Hears once when the caller is out. Gives how to leave. */
  follow(caller: Caller, ended: (why: TokenEnd) => void): () => void {
    const follower = { caller, ended };
    this.#followers.add(follower);
    this.#hearNoMore ??= this.#deps.tokens.watch((id) =>
      this.#end(({ caller }) => caller.token?.id === id, "ended"),
    );
    this.#callOff ??= this.#lookLater();
    return () => {
      this.#followers.delete(follower);
      if (this.#followers.size === 0) this.close();
    };
  }

  close(): void {
    this.#followers.clear();
    this.#callOff?.();
    this.#hearNoMore?.();
    this.#callOff = null;
    this.#hearNoMore = null;
  }

  #lookLater(): () => void {
    return this.#deps.clock.timer(TOKEN_CHECK_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    const mine = this.#callOff;
    // Of a tenant's token once, however many have come with it: that is a question to the store.
    const asked = new Map<string, Promise<boolean | null>>();
    await Promise.all(
      [...this.#followers].map(async (follower) => {
        const { token, isStillIn } = follower.caller;
        const known = token === null ? undefined : asked.get(token.id);
        const answer = known ?? isStillIn().catch(() => null);
        if (token !== null) asked.set(token.id, answer);
        const isIn = await answer;
        if (isIn !== true) this.#end((one) => one === follower, isIn === null ? "unknown" : "ended");
      }),
    );
    // Who has come after all had left has begun to look anew.
    if (mine !== null && this.#callOff === mine) this.#callOff = this.#lookLater();
  }

  #end(isMeant: (follower: Follower) => boolean, why: TokenEnd): void {
    for (const follower of this.#followers) {
      if (!isMeant(follower)) continue;
      this.#followers.delete(follower);
      follower.ended(why);
    }
    if (this.#followers.size === 0) this.close();
  }
}

export function bearerIn(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
}

export function ofAnother(tenant: string): string {
  return `Expected something of ${tenant}, as the token is, got something else`;
}

/** The same whether it is another's or there is none. */
export function notOf(tenant: string): ApiResponse {
  return problem(403, ofAnother(tenant));
}

/** Whether what is asked for is of this tenant, as far as it says. */
export function isWithin(
  tenant: string,
  asked: { readonly tenant?: unknown; readonly conversation?: unknown },
): boolean {
  if (asked.tenant !== undefined && asked.tenant !== tenant) return false;
  return typeof asked.conversation !== "string" || isConversationOf(tenant, asked.conversation);
}
