import { describe, expect, it } from "vitest";
import type { StoreBench } from "./store.ts";

/** Word between processes, the sender among those who hear it. */
export function busContract(bench: StoreBench): void {
  describe("the bus", () => {
    /** What is heard on a topic until the message `end`. */
    function heardUntilEnd(topic: string): Promise<string[]> {
      return new Promise((resolve) => {
        const heard: string[] = [];
        const leave = bench.store.bus.subscribe(topic, (message) => {
          if (message !== "end") return void heard.push(message);
          leave();
          resolve(heard);
        });
      });
    }

    it("brings each message of a topic to all who listen to it, in order", async () => {
      const { bus } = bench.store;
      const listeners = [heardUntilEnd("a"), heardUntilEnd("a"), heardUntilEnd("b")];
      for (const message of ["1", "", "ü 😀 \n\u0000"]) await bus.publish("a", message);
      await bus.publish("b", "other");
      for (const topic of ["a", "b"]) await bus.publish(topic, "end");
      const said = ["1", "", "ü 😀 \n\u0000"];
      expect(await Promise.all(listeners)).toEqual([said, said, ["other"]]);
    });

    it("brings nothing to one who has left", async () => {
      const { bus } = bench.store;
      const heard: string[] = [];
      const leave = bus.subscribe("a", (message) => heard.push(message));
      const first = heardUntilEnd("a");
      await bus.publish("a", "before");
      await bus.publish("a", "end");
      await first;
      leave();
      leave();
      const second = heardUntilEnd("a");
      await bus.publish("a", "after");
      await bus.publish("a", "end");
      expect(await second).toEqual(["after"]);
      expect(heard).toEqual(["before", "end"]);
    });

    it("never rejects: not without listeners, nor when the store is closed", async () => {
      const { bus } = bench.store;
      await bus.publish("nobody", "x");
      await bench.store[Symbol.asyncDispose]();
      await bus.publish("a", "x");
    });
  });
}
