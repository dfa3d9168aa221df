import { beforeEach, describe, expect, it } from "vitest";
import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Priority } from "../../src/domain/priority.ts";
import type { StoreBench } from "./store.ts";

type Who = Pick<TriggerEvent, "platform" | "tenant" | "sender">;

const person = (id: string) => ({ id, name: id, isBot: false });
const ANN: Who = { platform: "slack", tenant: "T1", sender: person("ann") };

/** Platforms take turns, within a platform its tenants, within a tenant its people, within a person's their lanes. */
export function fairnessContract(bench: StoreBench): void {
  describe("fair turns", () => {
    /** One event in each of so many conversations. */
    async function keepBusy(name: string, who: Who, conversations: number): Promise<void> {
      for (let i = 0; i < conversations; i++) {
        await bench.accept({ ...who, id: `${name}${i}`, conversation: `${name} ${i}` });
      }
    }

    const ask = (id: string, who: Who, conversation = id) => bench.accept({ ...who, id, conversation });

    /** Claims one at a time, and finishes none. */
    async function claimIds(count: number): Promise<string[]> {
      const ids: string[] = [];
      for (let i = 0; i < count; i++) ids.push(...(await bench.claim(1)).map(({ event }) => event.id));
      return ids;
    }

    const quietOnes: readonly { what: string; quiet: Who }[] = [
      { what: "platform", quiet: { ...ANN, platform: "telegram" } },
      { what: "tenant", quiet: { ...ANN, tenant: "T2" } },
      { what: "person", quiet: { ...ANN, sender: person("bob") } },
    ];

    describe.each(quietOnes)("of a quiet $what", ({ quiet }) => {
      it("come after at most one claim of the busy one", async () => {
        await keepBusy("busy", ANN, 20);
        await ask("quiet", quiet);
        expect(await claimIds(2)).toContain("quiet");
      });

      it("come as soon when the busy one has been at work for long", async () => {
        await keepBusy("busy", ANN, 20);
        await claimIds(7);
        await ask("quiet", quiet);
        expect(await claimIds(2)).toContain("quiet");
      });

      it("come as soon after a restart", async () => {
        await keepBusy("busy", ANN, 20);
        await ask("quiet", quiet);
        await bench.reopen();
        expect(await claimIds(2)).toContain("quiet");
      });
    });

    it("come after at most one claim of each busy one", async () => {
      await keepBusy("ann", ANN, 20);
      await keepBusy("bob", { ...ANN, sender: person("bob") }, 20);
      await keepBusy("eve", { ...ANN, sender: person("eve") }, 20);
      await ask("quiet", { ...ANN, sender: person("dan") });
      expect(await claimIds(4)).toContain("quiet");
    });

    it("are taken by tenants, however many people each has", async () => {
      for (let i = 0; i < 6; i++) await ask(`T1 ${i}`, { ...ANN, sender: person(`U${i}`) });
      await keepBusy("T2 ", { ...ANN, tenant: "T2" }, 3);
      const order = (await claimIds(6)).map((id) => id.slice(0, 2));
      expect(order.filter((tenant) => tenant === "T2")).toHaveLength(3);
      expect(order.join()).not.toContain("T1,T1");
    });

    it("tell apart people of the same name in different tenants", async () => {
      await keepBusy("busy", ANN, 20);
      await ask("other", { ...ANN, tenant: "T2" });
      await ask("third", { ...ANN, platform: "discord" });
      const ids = await claimIds(4);
      expect(ids).toContain("other");
      expect(ids).toContain("third");
    });

    it("of one person's conversations are in the order in which they can begin", async () => {
      await keepBusy("a", ANN, 5);
      expect(await bench.drain()).toEqual(["a0", "a1", "a2", "a3", "a4"]);
    });

    it("are those of the person whose message is next in the conversation", async () => {
      await ask("first", ANN, "shared");
      await keepBusy("busy", ANN, 20);
      await ask("second", { ...ANN, sender: person("bob") }, "shared");
      const [first] = await bench.claim(1);
      if (first === undefined) throw new Error("Expected a job");
      expect(first.event.id).toBe("first");
      await bench.done(first);
      expect(await claimIds(2)).toContain("second");
    });

    it("come round again to a person whose message is tried again", async () => {
      await ask("quiet", { ...ANN, sender: person("bob") });
      const job = await bench.claimOne();
      await bench.store.queue.settle(job, { kind: "retry", afterMs: 1_000, cause: "x" });
      await keepBusy("busy", ANN, 20);
      await claimIds(3);
      bench.clock.advance(1_000);
      expect(await claimIds(2)).toContain("quiet");
    });

    describe("by priority", () => {
      const asked = async (priority: Priority, count: number) => {
        for (let i = 0; i < count; i++)
          await bench.accept({ ...ANN, id: `${priority} ${i}`, conversation: `${priority} ${i}`, priority });
      };
      const shares = (ids: readonly string[]) =>
        (["high", "normal", "low"] as const).map((name) => ids.filter((id) => id.startsWith(name)).length);

      it("are four of high ones to two of normal ones and one of low ones, and nobody is left out", async () => {
        await asked("low", 40);
        await asked("normal", 40);
        await asked("high", 40);
        expect(shares(await claimIds(7))).toEqual([4, 2, 1]);
        await bench.reopen();
        expect(shares(await claimIds(28))).toEqual([16, 8, 4]);
      });

      it("do not hold up other people of the tenant, nor come before them", async () => {
        await asked("high", 40);
        await ask("quiet", { ...ANN, sender: person("bob") });
        expect(await claimIds(5)).toContain("quiet");
      });

      it("are the same when one is replayed", async () => {
        await asked("low", 3);
        for (const job of await bench.claim(3)) await bench.done(job);
        await asked("normal", 10);
        await bench.store.archive.replay("low 1", { by: "ann", mode: "anew", states: ["done"] });
        expect(await claimIds(3)).toContain("low 1");
      });
    });

    describe("do not hold up commands to the gateway, which", () => {
      beforeEach(() => keepBusy("busy", ANN, 3));

      it("come first, in the order in which they came", async () => {
        const command = (id: string, who: Who) =>
          bench.accept({ ...who, id, conversation: id }, { lane: `${id}!control`, kind: "command" });
        await command("stop1", ANN);
        await command("stop2", ANN);
        await command("stop3", { ...ANN, platform: "telegram" });
        expect((await claimIds(4)).slice(0, 3)).toEqual(["stop1", "stop2", "stop3"]);
      });
    });
  });
}
