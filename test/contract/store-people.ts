import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Person } from "../../src/domain/event.ts";
import type { StoreBench } from "./store.ts";

const DAY_MS = 24 * 3_600_000;
const conversationOf = (id: string) => `whatsapp:W1:PN1:${id}`;
const nameOf = (id: string | null) => (id === null ? null : { id, conversation: conversationOf(id) });
const person = (lasting: string | null, passing: string | null): Person => ({
  lasting: nameOf(lasting),
  passing: nameOf(passing),
});

/** One person, several names. */
export function peopleContract(bench: StoreBench): void {
  const settle = (lasting: string | null, passing: string | null) =>
    bench.store.people.settle(person(lasting, passing));
  const conversation = async (lasting: string | null, passing: string | null) =>
    (await settle(lasting, passing)).conversation;
  /** Something was said and answered in the conversation of this name. */
  async function talk(id: string, event = `said by ${id} at ${bench.clock.nowMs()}`): Promise<void> {
    await bench.accept({ id: event, conversation: conversationOf(id) });
    await bench.done(await bench.claimOne());
  }

  describe("a person with two names", () => {
    it("is who they say they are while nobody has heard both names together", async () => {
      await talk("447700900123");
      expect(await settle(null, "447700900123")).toEqual({
        conversation: conversationOf("447700900123"),
        names: ["447700900123"],
      });
      expect(await settle("GB.A1", null)).toEqual({
        conversation: conversationOf("GB.A1"),
        names: ["GB.A1"],
      });
    });

    it("keeps the conversation that the number began, also when the number is hidden", async () => {
      await talk("447700900123");
      const expected = { conversation: conversationOf("447700900123"), names: ["GB.A1", "447700900123"] };
      expect(await settle("GB.A1", "447700900123")).toEqual(expected);
      for (const again of ["same process", "reopened", "killed"]) {
        if (again === "reopened") await bench.reopen();
        if (again === "killed") await bench.kill();
        expect(await settle("GB.A1", null)).toEqual(expected);
        expect(await settle(null, "447700900123")).toEqual(expected);
        expect(await settle("GB.A1", "447700900123")).toEqual(expected);
      }
    });

    it("keeps the conversation that the lasting name began, also when the number comes alone", async () => {
      await talk("GB.A1");
      await settle("GB.A1", "447700900123");
      expect(await conversation(null, "447700900123")).toBe(conversationOf("GB.A1"));
      expect(await conversation("GB.A1", null)).toBe(conversationOf("GB.A1"));
    });

    it("counts what waits to be answered as a conversation", async () => {
      await bench.accept({ id: "a", conversation: conversationOf("447700900123") });
      expect(await conversation("GB.A1", "447700900123")).toBe(conversationOf("447700900123"));
    });

    it("goes on where they were heard of last, when both names had a conversation", async () => {
      await talk("447700900123");
      bench.clock.advance(2 * DAY_MS);
      await talk("GB.A1");
      expect(await conversation("GB.A1", "447700900123")).toBe(conversationOf("GB.A1"));
      await talk("GB.B1");
      bench.clock.advance(2 * DAY_MS);
      await talk("447700900999");
      expect(await conversation("GB.B1", "447700900999")).toBe(conversationOf("447700900999"));
    });

    it("keeps it with another number", async () => {
      await talk("447700900123");
      await settle("GB.A1", "447700900123");
      expect(await settle("GB.A1", "447700900555")).toEqual({
        conversation: conversationOf("447700900123"),
        names: ["GB.A1", "447700900555"],
      });
      expect(await conversation(null, "447700900555")).toBe(conversationOf("447700900123"));
    });
  });

  describe("a number that passes to somebody else", () => {
    it("brings nothing of who had it before, and is theirs no more", async () => {
      await talk("447700900123");
      await settle("GB.A1", "447700900123");
      const newcomer = { conversation: conversationOf("GB.B2"), names: ["GB.B2", "447700900123"] };
      expect(await settle("GB.B2", "447700900123")).toEqual(newcomer);
      expect(await settle(null, "447700900123")).toEqual(newcomer);
      expect(await settle("GB.B2", null)).toEqual(newcomer);
      expect(await settle("GB.A1", null)).toEqual({
        conversation: conversationOf("447700900123"),
        names: ["GB.A1"],
      });
    });

    it("is taken for that when nothing was heard from it for a month", async () => {
      await talk("447700900123");
      bench.clock.advance(31 * DAY_MS);
      expect(await conversation("GB.B2", "447700900123")).toBe(conversationOf("GB.B2"));
    });

    it("never leads two lasting names to one conversation, whatever comes in whatever order", async () => {
      const name = fc.constantFrom("1", "2", "3");
      const step = fc.record({ lasting: fc.option(name), passing: fc.option(name), talks: fc.boolean() });
      let round = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
          const prefix = `${round++}x`;
          const of = (id: string | null, kind: string) => (id === null ? null : `${prefix}${kind}${id}`);
          const homes = new Map<string, string>();
          for (const [at, { lasting, passing, talks }] of steps.entries()) {
            const [l, p] = [of(lasting, "S"), of(passing, "P")];
            if (l === null && p === null) continue;
            const answer = await settle(l, p);
            const owner = answer.names[0] ?? "";
            if (l !== null) expect(owner).toBe(l);
            // Whoever comes with a number alone comes upon nobody's conversation but its holder's.
            const others = [...homes].filter(([id]) => id !== owner).map(([, home]) => home);
            expect(others).not.toContain(answer.conversation);
            if (talks) {
              await bench.accept({ id: `${prefix}${at}`, conversation: answer.conversation });
              await bench.done(await bench.claimOne());
            }
            if (l === null || p === null) continue;
            // For good.
            expect(homes.get(l) ?? answer.conversation).toBe(answer.conversation);
            homes.set(l, answer.conversation);
          }
          expect(new Set(homes.values()).size).toBe(homes.size);
        }),
        { numRuns: 30 },
      );
    });
  });

  it("people are remembered for a year of silence, however short memory is", async () => {
    await settle("GB.A1", "447700900123");
    bench.clock.advance(399 * DAY_MS);
    const retention = { finishedMs: 1, deadMs: 1, turnsMs: 1 };
    await bench.store.sweep(retention);
    expect(await settle("GB.A1", null)).toMatchObject({ names: ["GB.A1", "447700900123"] });
  });
}
