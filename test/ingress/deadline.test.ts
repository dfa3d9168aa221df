import { describe, expect, it } from "vitest";
import { Deadline } from "../../src/ingress/deadline.ts";
import { standStill } from "../support/stand-still.ts";

describe("a deadline", () => {
  it("is kept where work takes longer", async () => {
    const deadline = new Deadline(50, "late");
    const work = Promise.withResolvers<string>();
    const answer = await deadline.within(work.promise);
    work.resolve("done");
    expect(answer).toBe("late");
  });

  it("does not count the time in which the process stood still", async () => {
    const deadline = new Deadline(400, "late");
    const work = new Promise<string>((resolve) => setTimeout(() => setTimeout(resolve, 20, "done"), 0));
    const answer = deadline.within(work);
    standStill(1_500);
    expect(await answer).toBe("done");
  });
});
