import { expect, it } from "vitest";
import { flood } from "../bench/flood.ts";
import { startWithPlatforms } from "./gateway-with-platforms.ts";
import { deliver, webhook } from "./platforms.ts";

const MIB = 1024 * 1024;

it("300 bodies of 4 MiB without a signature take little memory, and no room from others", {
  timeout: 120_000,
}, async () => {
  await using setup = await startWithPlatforms();
  const { url, pid } = setup.gateway;
  const result = await flood({
    url,
    pid,
    path: "/webhooks/slack",
    headers: { "content-type": "application/json" },
    connections: 300,
    bytes: 4 * MIB,
    afterMs: 0,
    honest: async () =>
      (await deliver(url, webhook("telegram", { channel: "9001", text: "still there?" }))).status,
  });
  expect(result.statuses).toEqual({ 401: 300 });
  expect(Object.keys(result.honest)).toEqual(["200"]);
  expect(result.peakBytes).toBeLessThan(300 * MIB);
});
