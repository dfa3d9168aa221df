import { describe, expect, it } from "vitest";
import { createNotebooks } from "../../src/store/notebooks.ts";
import type { StoreBench } from "./store.ts";

const OWNER = "user:slack:T1:U:1:open";

/** Long-term notes, which several processes may write at once. */
export function notebooksContract(bench: StoreBench): void {
  const write = (text: string, agent = "ops") =>
    createNotebooks(bench.store.vault).write(OWNER, agent, { text, atMs: 1, by: { id: "U1", name: "ann" } });

  describe("long-term notes", () => {
    it("are all kept, whoever writes at the same time, until they are erased", async () => {
      await Promise.all(["a", "b", "c", "d"].map((text) => write(text)));
      await write("e", "sales");
      await bench.reopen();
      const notebooks = createNotebooks(bench.store.vault);
      expect((await notebooks.read(OWNER, "ops")).map(({ text }) => text).toSorted()).toEqual([
        "a",
        "b",
        "c",
        "d",
      ]);
      const after = { owner: OWNER, agent: "ops" };
      expect(await notebooks.list({ ownerPrefix: "user:", after, limit: 9 })).toMatchObject([
        { agent: "sales" },
      ]);
      expect(await notebooks.list({ ownerPrefix: "whatsapp:", after, limit: 9 })).toEqual([]);
      expect(await notebooks.list({ ownerPrefix: "slack:", after, limit: 9 })).toEqual([]);
      expect(await notebooks.erase(OWNER, { note: "b" })).toBe(1);
      expect(await notebooks.erase(OWNER, {})).toBe(4);
      expect(await notebooks.list({ ownerPrefix: OWNER, limit: 9 })).toEqual([]);
      expect(await write("a")).toBe("written");
    });
  });
}
