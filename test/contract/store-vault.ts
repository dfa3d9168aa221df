import { describe, expect, it } from "vitest";
import { VAULT_CHARS_MAX } from "../../src/domain/bounds.ts";
import type { StoreBench } from "./store.ts";

/** What is kept by name for all processes. */
export function vaultContract(bench: StoreBench): void {
  const vault = () => bench.store.vault;
  const namesOf = async (prefix: string, after?: string, limit = 100) =>
    (await vault().list({ prefix, limit, ...(after !== undefined && { after }) })).map(({ name }) => name);

  describe("the vault", () => {
    it("gives what was put last, and nothing for other names", async () => {
      expect(await vault().get("a")).toBeNull();
      expect(await vault().put("a", "1")).toBe(true);
      expect(await vault().put("a", "2")).toBe(true);
      expect([await vault().get("a"), await vault().get("A"), await vault().get("")]).toEqual([
        "2",
        null,
        null,
      ]);
    });

    it("changes nothing unless what was expected is kept", async () => {
      expect(await vault().put("a", "1", "0")).toBe(false);
      expect(await vault().put("a", "1", null)).toBe(true);
      expect(await vault().put("a", "2", null)).toBe(false);
      expect(await vault().put("a", "2", "1")).toBe(true);
      expect(await vault().put("a", "3", "1")).toBe(false);
      expect(await vault().get("a")).toBe("2");
    });

    it("takes the same change again, whose answer was lost", async () => {
      expect([await vault().put("a", "1", null), await vault().put("a", "1", null)]).toEqual([true, true]);
      expect([await vault().put("a", "2", "1"), await vault().put("a", "2", "1")]).toEqual([true, true]);
    });

    it("of two that replace the same, lets one", async () => {
      await vault().put("a", "1");
      const both = await Promise.all([vault().put("a", "2", "1"), vault().put("a", "3", "1")]);
      expect(both).toEqual([true, false]);
      expect(await vault().get("a")).toBe("2");
    });

    it("removes what is kept, once", async () => {
      await vault().put("a", "1");
      expect(await vault().remove("a", "0")).toBe(false);
      expect([await vault().remove("a", "1"), await vault().remove("a"), await vault().get("a")]).toEqual([
        true,
        false,
        null,
      ]);
      expect(await namesOf("")).toEqual([]);
    });

    it("lists by name what begins alike, page by page", async () => {
      for (const name of ["b:2", "a:1", "b:10", "c", "b", "b:é", "b:%"]) await vault().put(name, `=${name}`);
      expect(await namesOf("b:")).toEqual(["b:%", "b:10", "b:2", "b:é"]);
      expect(await namesOf("b:", undefined, 2)).toEqual(["b:%", "b:10"]);
      expect(await namesOf("b:", "b:10", 2)).toEqual(["b:2", "b:é"]);
      expect(await namesOf("b:", "a", 1)).toEqual(["b:%"]);
      expect(await namesOf("b:", "c")).toEqual([]);
      expect(await namesOf("")).toHaveLength(7);
      expect(await vault().list({ prefix: "a", limit: 5 })).toEqual([{ name: "a:1", value: "=a:1" }]);
    });

    it.each(["reopen", "kill"] as const)("keeps it for the next process (%s)", async (how) => {
      await vault().put("a", "1");
      await bench[how]();
      expect(await vault().get("a")).toBe("1");
    });

    it("keeps as much as is allowed, and no more", async () => {
      expect(await vault().put("a", "x".repeat(VAULT_CHARS_MAX))).toBe(true);
      await expect((async () => await vault().put("a", "x".repeat(VAULT_CHARS_MAX + 1)))()).rejects.toThrow(
        `Expected a value of at most ${VAULT_CHARS_MAX} characters`,
      );
    });
  });
}
