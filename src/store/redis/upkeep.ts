import type { Overdue, Upkeep } from "../../ports/upkeep.ts";
import type { Parts } from "./parts.ts";

const LISTS = ["live", "done", "dropped", "dead", "merged"] as const;
const FINDINGS_MAX = 20;
/** In one script: about a millisecond, in which nobody else is served. */
const REMOVED_AT_ONCE = 50;

/** Redis keeps no file of ours, so there is none to make smaller; the rest goes in bites, so that others are served between. */
export function createUpkeep({ run, now }: Parts): Upkeep {
  async function count(stage: string, keptMs: number): Promise<readonly [items: number, more: number]> {
    let [items, more] = [0, 0];
    // What is kept for ever is never past its time.
    for (let after = Number.isFinite(keptMs) ? 0 : -1; after >= 0; ) {
      const answer = await run("overdue", [now(), stage, after, keptMs], "long");
      const [found, others, next] = answer as readonly [number, number, number];
      [items, more, after] = [items + found, more + others, next];
    }
    return [items, more];
  }

  return {
    async check() {
      const findings: string[] = [];
      let events = 0;
      for (const list of LISTS)
        for (let after = 0; after >= 0; ) {
          const answer = await run("sound", [now(), list, after], "long");
          const [next, count, ...found] = answer as readonly [number, number, ...string[]];
          events += count;
          findings.push(...found.slice(0, FINDINGS_MAX - findings.length));
          after = next;
        }
      return { findings, events };
    },
    async overdue({ finishedMs, deadMs, turnsMs }): Promise<Overdue> {
      const [done] = await count("done", finishedMs);
      const [dropped] = await count("dropped", finishedMs);
      const [letters] = await count("dead", deadMs);
      const [turns, conversations] = await count("conversations", turnsMs);
      return { events: done + dropped, letters, turns, conversations };
    },
    vacuum: async () => null,
    async remove(finished) {
      let gone = 0;
      for (let at = 0; at < finished.length; at += REMOVED_AT_ONCE) {
        const some = finished.slice(at, at + REMOVED_AT_ONCE);
        const args = some.flatMap(({ seq, merged }) => [seq, ` ${merged.join(" ")} `]);
        gone += (await run("remove_events", [now(), ...args], "long")) as number;
      }
      return gone;
    },
  };
}
