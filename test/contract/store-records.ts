import { describe, expect, it } from "vitest";
import { type Kept, SHELVES, type Shelf } from "../../src/ports/records.ts";
import { aProgress, aTurn, HOUR_MS, type StoreBench } from "./store.ts";

/** What is kept of people, as it is kept. */
export function recordsContract(bench: StoreBench): void {
  const records = () => bench.store.records;

  async function search(shelf: Shelf, ...words: string[]): Promise<Kept[]> {
    const found: Kept[] = [];
    let after: string | null = "";
    while (after !== null) {
      const bite = await records().search({ shelf, words, ...(after !== "" && { after }) });
      found.push(...bite.found);
      after = bite.next;
    }
    return found;
  }
  const only = async (shelf: Shelf, word: string): Promise<Kept> => {
    const found = await search(shelf, word);
    expect(found).toHaveLength(1);
    return found[0] as Kept;
  };
  const nowhere = async (word: string) => {
    const found: string[] = [];
    for (const shelf of SHELVES) if ((await search(shelf, word)).length > 0) found.push(shelf);
    return found;
  };
  const sender = (id: string) => ({ id, name: `${id} the needle`, isBot: false });
  async function answered(id: string, conversation = "c1"): Promise<void> {
    await bench.accept({ id, conversation, text: `ask ${id}`, sender: sender(`U-${id}`) });
    const job = await bench.claimOne();
    await bench.store.queue.checkpoint(job, aProgress(`work ${id}`));
    await bench.done(job, [aTurn(`ask ${id}`), aTurn(`say ${id}`, "assistant")]);
  }

  describe("what is kept of people", () => {
    it("is found by a word, wherever events stand", async () => {
      await answered("a");
      await answered("b");
      await bench.accept({ id: "waits", text: "ask waits" });
      const a = await only("events", '"ask a"');
      expect(JSON.parse(a.texts[0] ?? "")).toMatchObject({ id: "a", text: "ask a" });
      expect(a.texts[1]).toContain("work a");
      expect(a).toMatchObject({ shelf: "events", isOver: true });
      expect(await search("events", "work a")).toEqual([a]);
      expect((await search("events", '"ask a"', '"ask b"')).map(({ isOver }) => isOver)).toEqual([
        true,
        true,
      ]);
      expect(await only("events", "ask waits")).toMatchObject({
        isOver: false,
        texts: [expect.anything(), null],
      });
      expect(await search("events", "nobody said this")).toEqual([]);
    });

    it("is found however much there is", async () => {
      for (let n = 0; n < 600; n++)
        await bench.accept({
          id: `many-${n}`,
          conversation: `c${n}`,
          text: n % 100 === 7 ? "rare" : "usual",
        });
      expect(await search("events", '"rare"')).toHaveLength(6);
    });

    it("goes with an event that is over, and with no other", async () => {
      await answered("a");
      await bench.accept({ id: "b", text: "ask b" });
      expect(await records().replace(await only("events", '"ask b"'), null)).toBe(false);
      const a = await only("events", '"ask a"');
      expect(await records().replace(a, null)).toBe(true);
      expect(await records().replace(a, null)).toBe(false);
      expect(await bench.store.journal.find("a")).toBeNull();
      expect((await bench.store.journal.list({ limit: 10 })).map(({ id }) => id)).toEqual(["b"]);
      expect(await nowhere("work a")).toEqual([]);
      await bench.reopen();
      // It is no new event when its platform brings it again.
      expect(await bench.accept({ id: "a", text: "ask a" })).toEqual({ kind: "duplicate" });
      expect((await bench.claimOne()).event.id).toBe("b");
      bench.clock.advance(50 * HOUR_MS);
      await bench.store.sweep({ finishedMs: 1, deadMs: 1, turnsMs: 1 });
      expect(await bench.accept({ id: "a", text: "ask a" })).toEqual({ kind: "accepted" });
    });

    it("is replaced as it was found, or not at all", async () => {
      await answered("a");
      const found = await only("events", '"ask a"');
      const [body = ""] = found.texts;
      const changed = [(body ?? "").replace("ask a", "removed"), JSON.stringify(aProgress("removed"))];
      expect(await records().replace({ ...found, texts: ["{}", found.texts[1] ?? ""] }, changed)).toBe(false);
      expect(await records().replace(found, changed)).toBe(true);
      expect(await records().replace(found, changed)).toBe(false);
      await bench.reopen();
      const record = await bench.store.journal.find("a");
      expect([record?.event.text, record?.progress]).toEqual(["removed", aProgress("removed")]);
    });

    it("is found among turns, also by where they were said, and leaves others where they are", async () => {
      await answered("a");
      await answered("b");
      await answered("c", "elsewhere");
      const [ask, say] = await search("turns", "ask a", "say a");
      expect([ask?.turn?.conversation, say?.turn?.conversation]).toEqual(["c1", "c1"]);
      expect(ask?.turn?.seq).toBe((await only("events", '"ask a"')).key);
      expect(await search("turns", "elsewhere")).toHaveLength(2);
      if (ask === undefined || say === undefined) throw new Error("Expected two turns");
      const removed = [JSON.stringify(aTurn("removed"))];
      expect(await records().replace(ask, removed)).toBe(true);
      expect(await records().replace(ask, removed)).toBe(false);
      expect(await records().replace(say, null)).toBe(true);
      const turns = await bench.store.memory.recall("c1", { turnsMax: 10, sinceMs: 0 });
      expect(turns.map(({ text }) => text)).toEqual(["removed", "ask b", "say b"]);
    });

    it("is found by name and by text in the vault, in notes and in conversations", async () => {
      await bench.store.vault.put("plain/grant/one", '{"by":"U1"}');
      await bench.store.vault.put("plain/grant/two", '{"by":"U2"}');
      const held = await bench.store.holds.hold("names", HOUR_MS);
      if (held === null) throw new Error("Expected to hold it");
      await bench.store.notes.put("names", '[["person:U1"]]', held);
      await answered("a", "dm:U1");
      const grant = await only("vault", '"U1"');
      expect(grant).toEqual({ shelf: "vault", key: "plain/grant/one", texts: ['{"by":"U1"}'] });
      expect(await records().replace(grant, ["{}"])).toBe(true);
      expect(await bench.store.vault.get("plain/grant/one")).toBe("{}");
      expect(await records().replace(await only("vault", "two"), null)).toBe(true);
      expect(await bench.store.vault.list({ prefix: "plain/", limit: 9 })).toHaveLength(1);
      expect(await records().replace(await only("notes", "person:U1"), ["[]"])).toBe(true);
      expect(await bench.store.notes.get("names")).toBe("[]");
      expect(await records().replace(await only("conversations", "dm:U1"), null)).toBe(true);
      expect(await search("conversations", "dm:U1")).toEqual([]);
    });

    it("goes with what a person may spend and send, and by which names they are known", async () => {
      const caps = [{ scope: "user:U1", limit: 10, warnAt: null }];
      await bench.store.purse.hold({ id: "call", day: "2026-11-29", amount: 3, caps });
      const limits = [{ scope: "user", key: "x:U1", messages: 1, perMs: HOUR_MS }] as const;
      await bench.accept({ id: "a", sender: sender("U1") }, { limits });
      await bench.accept({ id: "b", sender: sender("U1") }, { limits });
      const name = (id: string) => ({ id, conversation: `x:${id}` });
      await bench.store.people.settle({ lasting: name("U1"), passing: name("555") });
      const said = await nowhere("U1");
      expect(said).toEqual(expect.arrayContaining(["events", "people", "told", "spending"]));
      for (const shelf of ["people", "told", "spending", "limits"] as const) {
        for (const kept of await search(shelf, "U1")) expect(await records().replace(kept, null)).toBe(true);
        expect(await search(shelf, "U1")).toEqual([]);
      }
      expect(await bench.store.purse.spent("2026-11-29", ["user:U1"])).toMatchObject([{ held: 0 }]);
    });

    it("is found with the calls that count on somebody, until those are settled, and taken out of them", async () => {
      const { purse } = bench.store;
      const day = "2026-11-29";
      const caps = (...scopes: string[]) => scopes.map((scope) => ({ scope, limit: null, warnAt: null }));
      await purse.hold({ id: "open", day, amount: 3, caps: caps("user:U1", "global") });
      await purse.hold({ id: "told", day, amount: 5, caps: caps("user:U1", "global") });
      const calls = Array.from({ length: 300 }, (_, n) => `call-${n}`);
      for (const id of calls)
        await purse.hold({ id, day: "2026-11-28", amount: 1, caps: caps(`user:${id}`) });
      const cost = { amount: 2, inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
      await purse.settle({ id: "told", day }, cost);
      expect((await search("held", "user:call-")).length).toBe(calls.length);
      const open = await only("held", "user:U1");
      const [text = ""] = open.texts;
      expect(await records().replace(open, [(text ?? "").replace('"user:U1",', "")])).toBe(true);
      expect(await search("held", "user:U1")).toEqual([]);
      await purse.settle({ id: "open", day }, cost);
      expect(await purse.spent(day, ["global", "user:U1"])).toMatchObject([
        { amount: 4, held: 0 },
        { amount: 2, held: 3 },
      ]);
    });

    it("is found among the latest requests", async () => {
      const note = { id: "0001", atMs: 1, requestId: "req", platform: "test", outcome: "ignored" } as const;
      const rest = { reason: null, peer: null, eventId: "test:e", conversation: "dm:U1", alike: 0 };
      await bench.store.requests.record([{ ...note, ...rest }], { refusedMax: 10, afterId: "" });
      const found = await only("requests", "dm:U1");
      expect(JSON.parse(found.texts[0] ?? "")).toMatchObject({ eventId: "test:e" });
      expect(await records().replace(found, null)).toBe(true);
      expect(await bench.store.requests.list({ outcomes: ["ignored"], limit: 9 })).toEqual([]);
    });

    it("is listed by conversations, page by page", async () => {
      for (const name of ["one", "two", "three"]) {
        await answered(name, name);
        bench.clock.advance(2 * HOUR_MS);
      }
      const first = await records().conversations({ limit: 2 });
      expect(first.found).toHaveLength(2);
      expect(first.next).not.toBeNull();
      const second = await records().conversations({ limit: 2, after: first.next ?? "" });
      const all = [...first.found, ...second.found];
      expect(all.map(({ conversation }) => conversation).sort()).toEqual(["one", "three", "two"]);
      expect(all.map(({ turns }) => turns)).toEqual([2, 2, 2]);
      const seen = new Map(all.map(({ conversation, seenAtMs }) => [conversation, seenAtMs]));
      expect((seen.get("three") ?? 0) - (seen.get("one") ?? 0)).toBe(4 * HOUR_MS);
      expect(second.next).toBeNull();
    });

    it("stays as it is when the store's files are cleared of what was deleted, while events come", async () => {
      await answered("a");
      await answered("b");
      await records().replace(await only("events", '"ask a"'), null);
      const [left] = await Promise.all([
        records().scrub(),
        bench.accept({ id: "meanwhile", text: "ask meanwhile" }),
      ]);
      expect(left).toEqual([]);
      await bench.kill();
      expect((await bench.store.journal.list({ limit: 10 })).map(({ id }) => id)).toEqual(["meanwhile", "b"]);
      expect((await bench.claimOne()).event.text).toBe("ask meanwhile");
    });
  });
}
