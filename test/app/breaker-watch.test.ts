import { expect, it } from "vitest";
import { reportsOf, restingReport } from "../../src/app/breaker-watch.ts";
import { Breakers } from "../../src/domain/breaker.ts";
import { FakeClock } from "../support/clock.ts";

it("a platform is degraded while a place within it is left alone, and no other platform is", () => {
  const breakers = new Breakers(new FakeClock());
  const cause = { code: "DELIVERY_FAILED", message: "HTTP 503" };
  for (let n = 0; n < 10; n++) breakers.of("in:ci").enter()("failed", cause);
  breakers.of("in:other").enter()("ok");
  expect(restingReport(reportsOf("in", breakers))).toMatchObject({
    status: "degraded",
    details: expect.stringContaining("in:ci (DELIVERY_FAILED: HTTP 503)"),
  });
  for (const name of ["i", "slack"]) expect(restingReport(reportsOf(name, breakers))).toBeNull();
});
