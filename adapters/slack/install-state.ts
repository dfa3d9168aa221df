import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../src/ports/clock.ts";
import type { Secrets } from "../../src/ports/secrets.ts";
import type { Secret } from "../../src/shared/secret.ts";

/** From the press of a button to the consent of an administrator. */
export const STATE_MS = 10 * 60_000;
const PREFIX = "install-state:slack:";
/** Of those that were used within STATE_MS; more is somebody's game. */
const USED_MAX = 1_000;
const CLEANED_MAX = 100;
const FORM = /^(\d{13})\.([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/;

export type StateVerdict = "good" | "foreign" | "expired" | "used" | "busy";

/**
 * What comes back from Slack must be what this browser was sent there with, lately, and come once. Nothing is kept for one
 * that never comes back: the state is signed, with what all replicas have, for the cookie that goes with it. Of one that is
 * used only that is kept.
 */
export class InstallState {
  readonly #key: Secret;
  readonly #secrets: Secrets;
  readonly #clock: Pick<Clock, "nowMs">;

  constructor(key: Secret, secrets: Secrets, clock: Pick<Clock, "nowMs">) {
    this.#key = key;
    this.#secrets = secrets;
    this.#clock = clock;
  }

  begin(): { readonly state: string; readonly cookie: string } {
    const cookie = randomBytes(32).toString("base64url");
    const untilMs = String(Math.trunc(this.#clock.nowMs() + STATE_MS)).padStart(13, "0");
    const nonce = randomBytes(16).toString("base64url");
    return { cookie, state: `${untilMs}.${nonce}.${this.#sign(untilMs, nonce, cookie)}` };
  }

  /** Whether it is this browser's, and not too old. */
  look(state: string, cookie: string): "good" | "foreign" | "expired" {
    const [, untilMs = "", nonce = "", signature = ""] = FORM.exec(state) ?? [];
    const expected = Buffer.from(this.#sign(untilMs, nonce, cookie));
    const given = Buffer.from(signature);
    if (cookie === "" || given.length !== expected.length || !timingSafeEqual(given, expected))
      return "foreign";
    return Number(untilMs) > this.#clock.nowMs() ? "good" : "expired";
  }

  /** The same, and it is used up with that. Rejects with STORE_*. */
  async use(state: string, cookie: string): Promise<StateVerdict> {
    const verdict = this.look(state, cookie);
    if (verdict !== "good") return verdict;
    if ((await this.#clean()) >= USED_MAX) return "busy";
    const [untilMs, nonce] = state.split(".");
    return (await this.#secrets.put(`${PREFIX}${untilMs}.${nonce}`, "used", null)) ? "good" : "used";
  }

  /** Names begin with the time, so the oldest come first. Gives how many are left, as far as it looked. */
  async #clean(): Promise<number> {
    const names = await this.#secrets.names({ prefix: PREFIX, limit: USED_MAX + CLEANED_MAX });
    const now = this.#clock.nowMs();
    const over = names.filter((name) => Number(name.slice(PREFIX.length).split(".")[0]) <= now);
    for (const name of over.slice(0, CLEANED_MAX)) await this.#secrets.remove(name);
    return names.length - over.length;
  }

  #sign(untilMs: string, nonce: string, cookie: string): string {
    return createHmac("sha256", this.#key.reveal())
      .update(`parley install\0${untilMs}\0${nonce}\0${cookie}`)
      .digest("base64url");
  }
}
