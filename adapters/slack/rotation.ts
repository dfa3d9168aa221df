import { DeliveryError } from "../../src/domain/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type { Holds } from "../../src/ports/holds.ts";
import type { KeptSecret, Secrets } from "../../src/ports/secrets.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import { grantedIn, type Installation, readInstallation, writeInstallation } from "./installation.ts";

/** Before its end a token is refreshed: so long, or a quarter of its life where that is shorter. */
const EARLY_MS = 30 * 60_000;
/** Before its end it is not used any more. */
const LATE_MS = 30_000;
/** For as long nobody else refreshes it: an exchange, and a store that is slow. */
const HOLD_MS = 30_000;
const LOOK_MS = 200;
const LOOKS_MAX = 100;
/** Slack has given a new one, and the store does not take it: it is tried for so long. */
const WRITES_MAX = 60;
const WRITE_AGAIN_MS = 1_000;

export interface RotationOptions {
  readonly secrets: Secrets;
  readonly holds: Holds;
  readonly clock: Clock;
  /** Asks Slack for a new token by the refresh token. Throws DeliveryError. */
  readonly exchange: (refreshToken: string) => Promise<JsonObject>;
  readonly nameOf: (tenant: string) => string;
}

export interface Refresh {
  due(installation: Installation, nowMs: number): "not yet" | "soon" | "now";
  /**
   * Once over all replicas: gives what is kept by then, also when another did it. Null: it is not there any more. Throws
   * DeliveryError, or STORE_*.
   */
  run(installation: Installation): Promise<Installation | null>;
}

/** Slack takes a refresh token once, so the next one is in the store before its access token is used. */
export function createRefresh(options: RotationOptions): Refresh {
  const { secrets, holds, clock, exchange, nameOf } = options;
  const running = new Map<string, Promise<Installation | null>>();

  async function kept(name: string): Promise<{ was: KeptSecret; installation: Installation } | null> {
    const was = await secrets.get(name);
    const installation = was === null ? null : readInstallation(was.text);
    return was === null || installation === null ? null : { was, installation };
  }

  async function refresh(stale: Installation): Promise<Installation | null> {
    const name = nameOf(stale.tenant);
    for (let look = 0; look < LOOKS_MAX; look++) {
      const before = await kept(name);
      if (before === null || !isSame(before.installation, stale)) return before?.installation ?? null;
      const held = await holds.hold(`refresh:${name}`, HOLD_MS);
      if (held === null) {
        await clock.sleep(LOOK_MS);
        continue;
      }
      try {
        // Whoever held it before may have done it since.
        const now = await kept(name);
        if (now === null || !isSame(now.installation, stale)) return now?.installation ?? null;
        return await exchanged(name, now);
      } finally {
        await holds.release(held).catch(() => {});
      }
    }
    throw new DeliveryError("retry", "oauth.v2.access: another replica refreshes the token for long");
  }

  async function exchanged(
    name: string,
    { was, installation }: { was: KeptSecret; installation: Installation },
  ): Promise<Installation | null> {
    const refreshToken = installation.rotation?.refreshToken;
    if (refreshToken === undefined) return null;
    const granted = grantedIn(await exchange(refreshToken.reveal()), clock);
    if (granted === null)
      throw new DeliveryError("rejected", "oauth.v2.access: expected a new token, got none");
    const fresh = { ...installation, ...granted };
    const isWritten = await insistently(() => secrets.put(name, writeInstallation(fresh), was));
    // Installed again meanwhile: that one is newer.
    return isWritten ? fresh : ((await kept(name))?.installation ?? null);
  }

  /** The only copy of what Slack gives once is here. */
  async function insistently(write: () => Promise<boolean>): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      try {
        return await write();
      } catch (error) {
        if (tries >= WRITES_MAX) throw error;
        await clock.sleep(WRITE_AGAIN_MS);
      }
    }
  }

  return {
    due({ rotation }, nowMs) {
      if (rotation === null) return "not yet";
      const leftMs = rotation.expiresAtMs - nowMs;
      const { lifeMs } = rotation;
      if (leftMs > Math.min(EARLY_MS, lifeMs / 4)) return "not yet";
      return leftMs > Math.min(LATE_MS, lifeMs / 20) ? "soon" : "now";
    },
    run(stale) {
      const before = running.get(stale.tenant);
      if (before !== undefined) return before;
      const run = refresh(stale).finally(() => running.delete(stale.tenant));
      running.set(stale.tenant, run);
      return run;
    },
  };
}

function isSame(one: Installation, other: Installation): boolean {
  return one.token.reveal() === other.token.reveal();
}
