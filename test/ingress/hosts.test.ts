import { describe, expect, it } from "vitest";
import { createHostCheck } from "../../src/ingress/hosts.ts";

describe("a gateway that others can reach", () => {
  const isOurs = createHostCheck({ bind: "0.0.0.0", names: ["parley.example"], isLocalOnly: false });

  it.each([
    "gateway:8080",
    "parley.default.svc",
    "parley.default.svc.cluster.local:8080",
    "node.internal",
    "fe80.internal.",
  ])("is asked by %s, a name that no public DNS holds", (host) => {
    expect(isOurs(host)).toBe(true);
    expect(createHostCheck({ bind: "127.0.0.1", names: [], isLocalOnly: true })(host)).toBe(false);
  });

  it.each(["10.0.0.7:8080", "[fd00::7]:8080", "203.0.113.9", "Parley.Example:443", "x.localhost", undefined])(
    "is asked by address, by its own name, or by none: %s",
    (host) => {
      expect(isOurs(host)).toBe(true);
    },
  );

  it.each([
    "",
    "evil.example",
    "parley.example.evil",
    "xparley.example",
    "sub.parley.example",
    "user@parley.example",
    "parley.example, localhost",
    "[::1",
    "1.2.3.4.5",
    "[evil]",
    "evil.cluster.local.example",
  ])("is not asked by %j", (host) => {
    expect(isOurs(host)).toBe(false);
  });

  it("has what is below a name only where that was said", () => {
    const below = createHostCheck({ bind: "127.0.0.1", names: ["*.corp.example"], isLocalOnly: true });
    expect(["a.corp.example", "a.b.corp.example", "corp.example", "xcorp.example"].map(below)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
