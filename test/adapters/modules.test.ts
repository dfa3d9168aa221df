import { expect, it } from "vitest";
import { MODULES } from "../../adapters/index.ts";
import { CHATS, openAll } from "../support/chat-platforms.ts";

/** Each module that people chat on, and the adapter that it opens. */
async function opened() {
  const adapters = await openAll();
  expect(adapters.map(({ platform }) => platform)).toEqual(CHATS);
  return adapters.map((adapter) => {
    const module = MODULES.find(({ name }) => name === adapter.platform);
    if (module === undefined) throw new Error(`Expected a module of ${adapter.platform}, got none`);
    return { adapter, module };
  });
}

it("every platform can do what its module declares: speak first, and ask for roles", async () => {
  for (const { adapter, module } of await opened()) {
    expect(adapter.addressOf !== undefined, `${module.name}: addressOf`).toBe(module.speaksFirst === true);
    if (adapter.roles !== undefined) expect(module.knowsRoles, `${module.name}: knowsRoles`).toBe(true);
  }
});

it("metrics tell apart each reason for which a platform ignores something, as its words do", async () => {
  for (const { adapter, module } of await opened()) expect(adapter.ignored).toEqual(module.words.ignored);
});
