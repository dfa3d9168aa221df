import type { Watermarks } from "../../ports/watermarks.ts";
import type { Parts } from "./parts.ts";

export function createWatermarks({ run, now, clock, owner }: Parts): Watermarks {
  let words = 0;
  /** The server's time in its last answer, and when that was here. */
  let answered: { readonly steadyMs: number; readonly atMs: number } | null = null;
  return {
    async publish({ isSpooling, lowAtMs }) {
      const sentAtMs = answered === null ? "" : answered.steadyMs + clock.nowMs() - answered.atMs;
      const args = [owner, ++words, Math.trunc(lowAtMs), isSpooling ? 1 : 0, sentAtMs];
      const answer = (await run("report", [now(), ...args], "brief")) as [number, number, number];
      const [steadyMs, isTaken, isAnotherSpooling] = answer;
      answered = { steadyMs, atMs: clock.nowMs() };
      return { isTaken: isTaken === 1, isAnotherSpooling: isAnotherSpooling === 1 };
    },
  };
}
