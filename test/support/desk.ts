import type { Desk } from "../../src/ports/desk.ts";

/** Counts nobody by themselves. */
export const NO_DESK: Desk = {
  usageToday: async () => null,
  spentThere: async () => ({ day: "2026-11-29", timeZone: "UTC", of: [] }),
};
