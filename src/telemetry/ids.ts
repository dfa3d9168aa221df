import { randomBytes, randomFillSync } from "node:crypto";
import type { Clock, NewId } from "../ports/clock.ts";

/** Ids sortable by time: 9 characters of milliseconds and 11 of chance, base 32. Random bytes are drawn in bulk. */
export function createNewId(clock: Pick<Clock, "nowMs">): NewId {
  const pool = randomBytes(7 * 512);
  let used = 0;
  return (prefix) => {
    if (used + 7 > pool.length) {
      randomFillSync(pool);
      used = 0;
    }
    const chance = pool.readUIntBE(used, 6) * 16 + ((pool[used + 6] ?? 0) & 15);
    used += 7;
    return `${prefix}_${clock.nowMs().toString(32).padStart(9, "0")}${chance.toString(32).padStart(11, "0")}`;
  };
}
