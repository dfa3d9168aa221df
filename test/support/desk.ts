import type { Desk } from "../../src/ports/desk.ts";

/** Counts nobody by themselves. */
export const NO_DESK: Desk = { usageToday: async () => null };
