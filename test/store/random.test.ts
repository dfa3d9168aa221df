import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type InlineStore, openInlineStore } from "../../src/store/sqlite/inline.ts";
import { FakeClock } from "../support/clock.ts";
import { seeded } from "../support/seeded.ts";
import { failingDisk } from "./commits.ts";
import { aFolder } from "./folder.ts";
import { walk } from "./random-walk.ts";

/** More with `PARLEY_SEEDS=1000`. */
const SEEDS = Number(process.env.PARLEY_SEEDS ?? 12);
const STEPS = 400;

describe("any sequence of operations, crashes and failing flushes", () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
    "does what a plain list does (seed %i)",
    async (seed) => {
      const folder = aFolder("memory");
      const clock = new FakeClock();
      const disk = failingDisk();
      const pick = seeded(seed);
      const open = () =>
        openInlineStore({
          file: join(folder.path, "parley.db"),
          clock,
          limits: { waitingPerLaneMax: 1_000, waitingMax: 1_000 },
          open: disk.open,
        });
      let store: InlineStore = await open();

      await walk(
        {
          clock,
          processes: 1,
          excuses: true,
          async attempt(_, what, call) {
            const again = what === "look" || (what === "accept" && pick(10) === 0);
            if (again) {
              disk.trouble.commitsLost = 1;
              await expect(call(store)).rejects.toMatchObject({ code: "STORE_WRITE_FAILED" });
            }
            return { answer: await call(store), again };
          },
          async restart(_, how) {
            if (how === "killed") store.crash();
            else await store[Symbol.asyncDispose]();
            store = await open();
          },
        },
        pick,
        STEPS,
      );
      await store[Symbol.asyncDispose]();
      folder.remove();
    },
  );
});
