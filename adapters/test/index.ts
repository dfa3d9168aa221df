import type { PlatformModule } from "../../src/ports/platform.ts";
import { WORDS } from "./explain.ts";

/** The developer's webhook. Who may use it is said by PARLEY_DEV_KEY and by where the gateway listens. */
export const test: PlatformModule = {
  name: "test",
  label: "Test",
  tenant: null,
  variables: [],
  needs: [],
  options: {},
  speaksFirst: true,
  settings: () => ({ kind: "on" }),
  api: () => null,
  words: WORDS,
  sampler: async () => (await import("./sending.ts")).sending,
  async open({ clock, developers }) {
    const { createTestAdapter } = await import("./adapter.ts");
    if (developers === undefined)
      throw new Error("Expected to be opened for developers, got nothing of them");
    const { key, open, bus, newId } = developers;
    return createTestAdapter({ devKey: key, openOnLoopback: open, clock, bus, newId });
  },
  isForDevelopers: true,
};
