import { expect, it } from "vitest";
import { type FloodResult, flood } from "../bench/flood.ts";
import { startWithPlatforms } from "./gateway-with-platforms.ts";
import { deliver, webhook } from "./platforms.ts";

const MIB = 1024 * 1024;
const PLACE = { path: "/webhooks/slack", connections: 300, bytes: 4 * MIB };

/** 300 bodies of 4 MiB at once, with an honest message now and then. */
async function flooded(headers: Record<string, string>, afterMs: number): Promise<FloodResult> {
  await using setup = await startWithPlatforms();
  const { url, pid } = setup.gateway;
  const honest = async () =>
    (await deliver(url, webhook("telegram", { channel: "9001", text: "still there?" }))).status;
  return await flood({
    ...PLACE,
    url,
    pid,
    honest,
    headers: { "content-type": "application/json", ...headers },
    afterMs,
  });
}

it("300 bodies of 4 MiB without a signature take little memory, and no room from others", {
  timeout: 180_000,
}, async () => {
  const { statuses, honest, peakBytes } = await flooded({}, 0);
  expect(statuses).toEqual({ 401: 300 });
  expect(Object.keys(honest)).toEqual(["200"]);
  expect(peakBytes).toBeLessThan(300 * MIB);
});

it("300 bodies of 4 MiB with a false signature are refused or asked to come again, and give back what they took", {
  timeout: 180_000,
}, async () => {
  const { statuses, honest, peakBytes, afterBytes } = await flooded(
    {
      "x-slack-request-timestamp": String(Math.floor(Date.now() / 1000)),
      "x-slack-signature": `v0=${"0".repeat(64)}`,
    },
    20_000,
  );
  const { 401: refused = 0, 503: shed = 0, ...others } = statuses;
  expect([refused + shed, others]).toEqual([300, {}]);
  expect(shed).toBeGreaterThan(0);
  expect(Object.keys(honest)).toEqual(["200"]);
  expect([peakBytes / MIB, afterBytes / MIB]).toEqual([
    expect.toSatisfy((peak: number) => peak < 300, "less than 300 MiB"),
    expect.toSatisfy(
      (after: number) => after < 230,
      "less than 230 MiB: sources take more than what is shipped",
    ),
  ]);
});
