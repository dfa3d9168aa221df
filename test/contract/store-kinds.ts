import { describe, expect, it } from "vitest";
import { aRefusal, LEASE_MS, type StoreBench } from "./store.ts";

/** What an event is to its lane, which is decided as it is accepted, and not by how the lane is called. */
export function kindsContract(bench: StoreBench): void {
  const onlyCommands = async () => {
    const jobs = await bench.store.queue.claim({ jobsMax: 10, leaseMs: LEASE_MS, controlOnly: true });
    return jobs.map(({ event }) => event.id);
  };

  describe("the kind of an event", () => {
    it("comes with its claim, also after a restart", async () => {
      const person = (id: string) => ({ id, name: id, isBot: false });
      await bench.acceptAll("c1", "message");
      await bench.accept({ id: "command" }, { lane: "c1!control", kind: "command" });
      await bench.accept({ id: "notice", sender: person("bob") }, { refusal: aRefusal() });
      const refused = { lane: "c1!control", kind: "command", refusal: aRefusal() } as const;
      await bench.accept({ id: "notice of a command", sender: person("cid") }, refused);
      await bench.reopen();
      const kinds = (await bench.claim()).map(({ event, kind }) => [event.id, kind]);
      expect(Object.fromEntries(kinds)).toEqual({
        message: "message",
        command: "command",
        notice: "notice",
        "notice of a command": "notice",
      });
    });

    it("makes its lane urgent, whatever that is called", async () => {
      await bench.accept({ id: "a" }, { lane: "c1!control", kind: "message" });
      await bench.accept({ id: "b" }, { lane: "plain", kind: "command" });
      await bench.reopen();
      expect(await onlyCommands()).toEqual(["b"]);
      expect(await bench.claimOne()).toMatchObject({ event: { id: "a" }, kind: "message" });
    });

    it("is that of the first event of the lane", async () => {
      await bench.accept({ id: "a" }, { kind: "command" });
      await bench.accept({ id: "b" }, { kind: "message" });
      await bench.accept({ id: "c" }, { kind: "command" });
      expect(await onlyCommands()).toEqual(["a"]);
      await bench.reopen();
      await bench.done(await bench.claimOne());
      expect(await onlyCommands()).toEqual([]);
      await bench.done(await bench.claimOne());
      expect(await onlyCommands()).toEqual(["c"]);
    });

    it("is as it was when the event is replayed, also after it was refused", async () => {
      const command = { lane: "c1!control", kind: "command" } as const;
      await bench.accept({ id: "a" }, command);
      await bench.store.queue.settle(await bench.claimOne(), { kind: "dead", cause: "x" });
      await bench.accept({ id: "b" }, { ...command, refusal: aRefusal() });
      await bench.store.queue.settle(await bench.claimOne(), { kind: "dropped", cause: "not_allowed" });
      await bench.reopen();
      const request = { by: "ann", mode: "anew", states: ["dead", "dropped"] } as const;
      expect(await bench.store.archive.replay("a", request)).toBe("queued");
      expect(await bench.store.archive.replay("b", request)).toBe("queued");
      expect(await onlyCommands()).toEqual(["a"]);
    });
  });
}
