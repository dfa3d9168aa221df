import { randomBytes } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../src/ports/store.ts";
import { Seal } from "../../src/shared/seal.ts";
import { createSecrets, resealAll } from "../../src/store/secrets.ts";
import { FakeClock } from "../support/clock.ts";
import { openTestStore } from "../support/store.ts";

const [older, newer] = [randomBytes(32), randomBytes(32)];
let store: Store;
beforeEach(async () => {
  store = await openTestStore(new FakeClock());
});

describe("secrets", () => {
  it("are kept so that the store alone does not tell them", async () => {
    const secrets = createSecrets(new Seal([older]), store);
    expect(await secrets.put("slack:T1", "xoxb-1", null)).toBe(true);
    expect((await secrets.get("slack:T1"))?.text).toBe("xoxb-1");
    expect(await store.vault.get("slack:T1")).not.toContain("xoxb");
    expect(await secrets.get("slack:T2")).toBeNull();
  });

  it("change only from what they were, so that of two that refresh one, one wins", async () => {
    const secrets = createSecrets(new Seal([older]), store);
    await secrets.put("a", "1");
    const was = await secrets.get("a");
    expect([await secrets.put("a", "2", was), await secrets.put("a", "3", was)]).toEqual([true, false]);
    expect((await secrets.get("a"))?.text).toBe("2");
    expect([await secrets.remove("a", was ?? undefined), await secrets.remove("a")]).toEqual([false, true]);
  });

  it("tell whoever watches which of them has changed, and only then", async () => {
    const secrets = createSecrets(new Seal([older]), store);
    const heard: string[] = [];
    const leave = secrets.watch((name) => heard.push(name));
    await secrets.put("a", "1", null);
    await secrets.put("a", "2", null);
    await secrets.remove("a");
    await secrets.remove("a");
    leave();
    await secrets.put("b", "1");
    expect(heard).toEqual(["a", "a"]);
  });

  it("that none of the keys opens are told by name, without what is in them", async () => {
    await createSecrets(new Seal([older]), store).put("slack:T1", "xoxb-1");
    const read = createSecrets(new Seal([newer]), store).get("slack:T1");
    await expect(read).rejects.toMatchObject({
      code: "SECRET_UNREADABLE",
      message: expect.stringContaining("slack:T1"),
    });
  });
});

describe("a change of keys", () => {
  it("seals all of it with the first key, and leaves what is, so that the other can go", async () => {
    const before = createSecrets(new Seal([older]), store);
    for (let n = 0; n < 230; n++) await before.put(`slack:T${n}`, `token ${n}`);
    const both = new Seal([newer, older]);
    await createSecrets(both, store).put("slack:T0", "new");
    expect(await resealAll(both, store.vault)).toEqual({ resealed: 229, unreadable: [] });
    expect(await resealAll(both, store.vault)).toEqual({ resealed: 0, unreadable: [] });
    const after = createSecrets(new Seal([newer]), store);
    expect([(await after.get("slack:T0"))?.text, (await after.get("slack:T229"))?.text]).toEqual([
      "new",
      "token 229",
    ]);
  });

  it("names what no key opens, and leaves it", async () => {
    await createSecrets(new Seal([randomBytes(32)]), store).put("slack:T1", "lost");
    const kept = await store.vault.get("slack:T1");
    expect(await resealAll(new Seal([newer, older]), store.vault)).toEqual({
      resealed: 0,
      unreadable: ["slack:T1"],
    });
    expect(await store.vault.get("slack:T1")).toBe(kept);
  });
});
