import { expect, it } from "vitest";
import { drill, words } from "../drill/drill.ts";
import { OUTAGES } from "../drill/outages.ts";
import { mayMount } from "../support/disk.ts";

const names = Object.entries(OUTAGES)
  .filter(([, { isLong, mounts }]) => isLong !== true && (mounts !== true || mayMount()))
  .map(([name]) => name);

it("each outage of a real gateway raises its alerts in a real Prometheus, and no others; who is called is called off", {
  timeout: 180_000,
}, async () => {
  // The long form, with the rules as they are shipped: npm run drill.
  const results = await Promise.all(
    names.map((name) => drill(name, { faster: 20, isTold: name === "redis-killed", note: () => {} })),
  );
  expect(results.flatMap((result) => (result.faults.length === 0 ? [] : [words(result)]))).toEqual([]);
});
