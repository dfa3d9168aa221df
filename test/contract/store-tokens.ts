import { describe, expect, it } from "vitest";
import { createTokens, forgetTokens } from "../../src/store/tokens.ts";
import { createNewId } from "../../src/system/ids.ts";
import type { StoreBench } from "./store.ts";

const OF = { tenant: "slack:T1", name: "dashboard", by: "ann", expiresAtMs: null };

/** Tokens that are bound to a tenant, which any process may make, look up and revoke. */
export function tokensContract(bench: StoreBench): void {
  const tokens = (fill = 7) =>
    createTokens({
      ...{ vault: bench.store.vault, bus: bench.store.bus, clock: bench.clock },
      newId: createNewId(bench.clock),
      randomBytes: (count) => Buffer.alloc(count, fill),
    });
  const made = async (changes: Partial<typeof OF | { expiresAtMs: number }> = {}) => {
    const one = await tokens().create({ ...OF, ...changes });
    if (one === null) throw new Error("Expected a token, got none");
    return { id: one.token.id, text: one.secret.reveal() };
  };

  describe("tokens of a tenant", () => {
    it("open after a restart, and are kept as a digest alone", async () => {
      const { id, text } = await made();
      await bench.reopen();
      expect(await tokens().find(text)).toMatchObject({ id, tenant: "slack:T1", name: "dashboard" });
      const kept = await bench.store.vault.list({ prefix: "", limit: 100 });
      const secret = Buffer.alloc(32, 7).toString("base64url");
      expect(kept.filter(({ value, name }) => `${name}${value}`.includes(secret.slice(0, 20)))).toEqual([]);
      expect(kept.map(({ name }) => name)).toEqual([`plain/token/${id}`]);
    });

    it("open by nothing else than what was given out", async () => {
      const { text } = await made();
      const other = text.replace(/.$/, (last) => (last === "A" ? "B" : "A"));
      const unknown = text.replace(/tok_[0-9a-v]+/, "tok_0");
      for (const wrong of ["", "x", other, unknown, `${text}A`, text.slice(0, -1), ` ${text}`])
        expect(await tokens().find(wrong)).toBeNull();
    });

    it("open nothing once they are revoked, which every process hears of", async () => {
      const { id, text } = await made();
      const heard = new Promise((resolve) => tokens().watch(resolve));
      expect(await tokens().revoke(id)).toMatchObject({ id, tenant: "slack:T1" });
      expect(await heard).toBe(id);
      expect([await tokens().find(text), await tokens().get(id), await tokens().revoke(id)]).toEqual([
        null,
        null,
        null,
      ]);
    });

    it("open nothing after their time, and are forgotten then", async () => {
      const { id, text } = await made({ expiresAtMs: bench.clock.nowMs() + 1_000 });
      bench.clock.advance(1);
      const lasting = await made();
      bench.clock.advance(998);
      expect(await tokens().find(text)).toMatchObject({ id });
      bench.clock.advance(1);
      expect([await tokens().find(text), await tokens().get(id)]).toEqual([null, null]);
      expect((await tokens().list()).map((one) => one.id)).toEqual([id, lasting.id]);
      expect(await forgetTokens(bench.store.vault, bench.clock.nowMs())).toBe(1);
      expect((await tokens().list()).map((one) => one.id)).toEqual([lasting.id]);
    });

    it("that cannot be read open nothing", async () => {
      const { id, text } = await made();
      for (const broken of ["", "[]", "{}", JSON.stringify({ ...OF, id, createdAtMs: 1, digest: "00" })]) {
        await bench.store.vault.put(`plain/token/${id}`, broken);
        expect(await tokens().find(text)).toBeNull();
      }
      expect(await tokens().list()).toEqual([]);
    });
  });
}
