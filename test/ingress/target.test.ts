import { describe, expect, it } from "vitest";
import { wrongPath } from "../../src/ingress/target.ts";
import { cpuMs } from "../support/cpu-time.ts";

describe("a path", () => {
  it.each([
    "/",
    "/health",
    "/webhooks/slack/commands",
    "/api/v1/events/slack%3AT1%3A17.1",
    "/api/v1/events/whatsapp%3Awamid.a%2Fb%2B%3D",
    "/api/v1/events/test%3A50%25%20%F0%9F%99%82",
    "/api/v1/dead/a.b..c/replay",
    "/.well-known/x",
  ])("as it is written is taken: %s", (path) => {
    expect(wrongPath(path)).toBe(undefined);
  });

  it.each([
    "",
    "*",
    "health",
    "http://localhost/metrics",
    "//metrics",
    "//localhost/metrics",
    "/webhooks//metrics",
    "/webhooks/../metrics",
    "/webhooks/..",
    "/webhooks/.",
    "/./metrics",
    "/webhooks/%2e%2e/api/v1/events",
    "/webhooks/.%2E/metrics",
    "/webhooks/%2e/metrics",
    "/webhooks%2f..%2fmetrics",
    "/webhooks%2Fslack",
    "/webhooks/..%2fmetrics",
    "/webhooks\\..\\metrics",
    "/webhooks/%5c..%5cmetrics",
    "/metrics%00",
    "/metrics%0a",
    "/%6detrics",
    "/api/v1%2fevents",
    "/api/v1/events%2Flist",
    "/api/v1/%65vents",
    "/api/v1/events/a%2F..%2Fb",
    "/api/v1/events/%2e%2e",
    "/api/v1/events/..%2F..%2Fdead",
    "/api/v1/events/a%5Cb",
    "/api/v1/events/a/b%2Fc",
    "/metrics%",
    "/metrics%g0",
    "/metrics#x",
    "/metri\u00e9",
    "/metrics x",
    "/metrics\t",
    "/[::1]",
    "/a|b",
  ])("that could become another one is not: %s", (path) => {
    expect(wrongPath(path)).toMatch(/^Expected /);
  });

  it("is judged in time that grows with its length alone", () => {
    const judged = () => {
      for (const path of ["/%2e", "/.", "/a%41", "//", "/%"]) wrongPath(path.repeat(4_000));
    };
    expect(cpuMs(judged)).toBeLessThan(1_000);
  });
});
