/** 0 ok, 1 failed, 2 wrong usage, 69 what we depend on cannot be reached, 78 wrong configuration, 130 interrupted. */
export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 69, config: 78, interrupted: 130 } as const;
