import { createHash } from "node:crypto";
import type { Rating, Saying } from "../domain/reaction.ts";
import type { Clock } from "../ports/clock.ts";
import type { Feedback, SaidMessage } from "../ports/feedback.ts";
import type { Vault } from "../ports/vault.ts";
import { getString, parseJsonObject } from "../shared/json.ts";
import { DAY_MS } from "../shared/time.ts";
import { PLAIN } from "./secrets.ts";
import { entriesOf } from "./vault-entries.ts";

const SAID = `${PLAIN}said/`;
const RATED = `${PLAIN}rated/`;
/** A reaction to what is older means nothing. */
const DAYS = 7;
/** Of one event; who looks at more needs another tool. */
const FEEDBACK_MAX = 100;

/**
 * Feedback in the vault. Messages stand by the day on which they were said, so that those of a day are deleted without a
 * look at all others; that of a reaction is looked for on each of the last days.
 */
export function createFeedback(vault: Vault, clock: Pick<Clock, "nowMs">): Feedback {
  return {
    async said(message, saying) {
      await vault.put(`${SAID}${dayOf(clock.nowMs())}/${keyOf(message)}`, JSON.stringify(saying));
    },
    async find(message) {
      const key = keyOf(message);
      const nowMs = clock.nowMs();
      for (let day = 0; day <= DAYS; day++) {
        const value = await vault.get(`${SAID}${dayOf(nowMs - day * DAY_MS)}/${key}`);
        if (value !== null) return JSON.parse(value) as Saying;
      }
      return null;
    },
    async rate(eventId, rating) {
      const name = `${RATED}${digestOf(eventId)}/${digestOf(rating.by)}`;
      if (ratingIn(await vault.get(name))?.rating === rating.rating) return false;
      await vault.put(name, JSON.stringify(rating));
      return true;
    },
    async takeBack(eventId, { by, rating }) {
      const name = `${RATED}${digestOf(eventId)}/${digestOf(by)}`;
      const value = await vault.get(name);
      return value !== null && ratingIn(value)?.rating === rating && (await vault.remove(name, value));
    },
    async of(eventId) {
      const entries = await vault.list({ prefix: `${RATED}${digestOf(eventId)}/`, limit: FEEDBACK_MAX });
      return entries.flatMap(({ value }) => ratingIn(value) ?? []).sort((a, b) => a.atMs - b.atMs);
    },
    async forget(beforeMs) {
      let gone = 0;
      const oldest = `${SAID}${dayOf(clock.nowMs() - DAYS * DAY_MS)}/`;
      for await (const { name } of entriesOf(vault, SAID)) {
        if (name >= oldest) break;
        if (await vault.remove(name)) gone++;
      }
      for await (const { name, value } of entriesOf(vault, RATED)) {
        const isOld = (ratingIn(value)?.atMs ?? 0) < beforeMs;
        if (isOld && (await vault.remove(name, value))) gone++;
      }
      return gone;
    },
  };
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function keyOf({ platform, tenant, messageId }: SaidMessage): string {
  return `${platform}/${digestOf(JSON.stringify([tenant, messageId]))}`;
}

/** Ids may be of any length and hold any sign. */
function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}

function ratingIn(value: string | null): Rating | null {
  const parsed = value === null ? null : parseJsonObject(value);
  if (parsed?.ok !== true) return null;
  const { atMs } = parsed.value;
  const [by, rating] = [getString(parsed.value, "by"), getString(parsed.value, "rating")];
  if (by === undefined || typeof atMs !== "number" || (rating !== "up" && rating !== "down")) return null;
  return { by, rating, atMs };
}
