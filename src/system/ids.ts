import { randomInt } from "node:crypto";
import type { Clock, NewId } from "../ports/clock.ts";

/** Ids of one maker in a row, after which the counter begins again. */
const COUNT_MAX = 2 ** 25;

/**
 * Ids sortable by time, base 32: 9 characters of milliseconds, 6 of chance that tell makers apart, 5 of a counter.
 * They name things; they are no secrets.
 */
export function createNewId(clock: Pick<Clock, "nowMs">): NewId {
  const maker = randomInt(2 ** 30)
    .toString(32)
    .padStart(6, "0");
  let atMs = -1;
  let time = "";
  let count = 0;
  return (prefix) => {
    const nowMs = clock.nowMs();
    if (nowMs !== atMs) {
      atMs = nowMs;
      time = nowMs.toString(32).padStart(9, "0");
    }
    count = (count + 1) % COUNT_MAX;
    return `${prefix}_${time}${maker}${count.toString(32).padStart(5, "0")}`;
  };
}
