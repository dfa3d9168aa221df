import { ToolFault } from "../../domain/tool-fault.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Holds } from "../../ports/holds.ts";
import type { Secrets } from "../../ports/secrets.ts";
import { get, getString, parseJsonObject } from "../../shared/json.ts";
import { Secret } from "../../shared/secret.ts";

export interface AccessToken {
  readonly token: string;
  readonly untilMs: number;
}

/** What an exchange brings. */
export interface Exchanged {
  readonly access: AccessToken;
  /** Null: the one that was used goes on. */
  readonly refreshToken: string | null;
}

export interface KeptTokensDeps {
  readonly secrets: Pick<Secrets, "get" | "put">;
  readonly holds: Pick<Holds, "hold" | "release">;
  readonly clock: Pick<Clock, "nowMs" | "sleep">;
}

/** For as long nobody else exchanges it: a call, and a store that is slow. */
const HOLD_MS = 30_000;
const LOOK_MS = 200;
const LOOKS_MAX = 100;
/** A new refresh token was given, and the store does not take it: it is tried for so long. */
const WRITES_MAX = 60;
const WRITE_AGAIN_MS = 1_000;

/**
 * Refresh tokens and what they were exchanged for, in the store. One may be used a single time, and servers that see it twice
 * take all away that came of it: so it is exchanged once, over all processes, and all go on with what that has brought.
 */
export class KeptTokens {
  readonly #deps: KeptTokensDeps;
  readonly #running = new Map<string, Promise<AccessToken>>();

  constructor(deps: KeptTokensDeps) {
    this.#deps = deps;
  }

  /**
   * A token that is not over, and none that was `refused`. Rejects with ToolFault, STORE_*, or as `exchange` does, which gets
   * the refresh token that is kept; null: none is yet.
   */
  access(
    place: string,
    refused: string | null,
    exchange: (kept: string | null) => Promise<Exchanged>,
  ): Promise<AccessToken> {
    const before = this.#running.get(place);
    if (before !== undefined) return before;
    const run = this.#access(place, refused, exchange).finally(() => this.#running.delete(place));
    this.#running.set(place, run);
    return run;
  }

  async #access(
    place: string,
    refused: string | null,
    exchange: (kept: string | null) => Promise<Exchanged>,
  ): Promise<AccessToken> {
    const { holds, clock } = this.#deps;
    for (let look = 0; look < LOOKS_MAX; look++) {
      const before = await this.#usable(place, refused);
      if (before !== null) return before;
      const held = await holds.hold(`refresh:${place}`, HOLD_MS);
      if (held === null) {
        await clock.sleep(LOOK_MS);
        continue;
      }
      try {
        // Whoever held it before may have done it since.
        return (await this.#usable(place, refused)) ?? (await this.#exchanged(place, exchange));
      } finally {
        await holds.release(held).catch(() => {});
      }
    }
    throw new ToolFault("another replica refreshes its token for long", {
      mayHaveRun: false,
      isPassing: true,
    });
  }

  async #exchanged(
    place: string,
    exchange: (kept: string | null) => Promise<Exchanged>,
  ): Promise<AccessToken> {
    const { secrets } = this.#deps;
    const kept = (await secrets.get(place))?.text ?? null;
    const { access, refreshToken } = await exchange(kept);
    if (refreshToken !== null)
      await this.#insistently(() => secrets.put(place, new Secret(refreshToken, true).reveal()));
    await secrets.put(accessOf(place), JSON.stringify(access)).catch(() => {});
    return access;
  }

  async #usable(place: string, refused: string | null): Promise<AccessToken | null> {
    const kept = await this.#deps.secrets.get(accessOf(place));
    const access = kept === null ? null : accessIn(kept.text);
    if (access === null || access.token === refused || this.#deps.clock.nowMs() >= access.untilMs)
      return null;
    return access;
  }

  /** The only copy of what is given once is here. */
  async #insistently(write: () => Promise<unknown>): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        await write();
        return;
      } catch (error) {
        if (tries >= WRITES_MAX) throw error;
        await this.#deps.clock.sleep(WRITE_AGAIN_MS);
      }
    }
  }
}

/** Beside the refresh token, which the version before keeps by itself. */
function accessOf(place: string): string {
  return `${place}/access`;
}

/** One without an end is kept without one. */
function accessIn(text: string): AccessToken | null {
  const read = parseJsonObject(text);
  if (!read.ok) return null;
  const token = getString(read.value, "token");
  const untilMs = get(read.value, "untilMs") ?? Number.POSITIVE_INFINITY;
  if (token === undefined || typeof untilMs !== "number") return null;
  return { token: new Secret(token, true).reveal(), untilMs };
}
