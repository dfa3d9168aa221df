import { describe, expect, it } from "vitest";
import { Secret } from "../../../src/shared/secret.ts";
import { adapterOf, DEV_KEY, post } from "./setup.ts";

const BODY = '{"message":"hi"}';
const elsewhere = (headers: Record<string, string | undefined> = {}) => ({
  ...post(BODY, { host: "parley.example", ...headers }),
  fromLoopback: false,
});

describe("a caller on this machine", () => {
  it.each([
    "localhost",
    "LOCALHOST:8080",
    "127.0.0.1",
    "127.0.0.1:8080",
    "127.8.9.1:1",
    "[::1]",
    "[::1]:8080",
  ])("at %s needs no key", (host) => {
    expect(adapterOf().verify(post(BODY, { host })).kind).toBe("genuine");
  });

  it.each([
    undefined,
    "",
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil.example:8080",
    "127.0.0.1, evil.example",
    "user@localhost",
    "0.0.0.0:8080",
    "10.0.0.1",
    "::1",
  ])("at host %s does, for its name may be rebound", (host) => {
    expect(adapterOf().verify(post(BODY, { host })).kind).toBe("forged");
  });

  it.each(["http://localhost:8080", "https://127.0.0.1", "http://[::1]:3000"])(
    "from page %s is let in",
    (origin) => {
      expect(adapterOf().verify(post(BODY, { origin })).kind).toBe("genuine");
    },
  );

  it.each([
    "https://evil.example",
    "null",
    "",
    "http://localhost.evil.example",
    "file://",
    "http://localhost/x",
  ])("from page %s is not", (origin) => {
    expect(adapterOf().verify(post(BODY, { origin })).kind).toBe("forged");
  });

  it("that only passes on what another said is not", () => {
    expect(adapterOf().verify({ ...post(BODY), fromLoopback: false }).kind).toBe("forged");
  });

  it("needs the key when the webhook is not open", () => {
    const closed = adapterOf({ openOnLoopback: false });
    expect(closed.verify(post(BODY))).toEqual({ kind: "forged", reason: "missing X-Dev-Key" });
    expect(closed.verify(post(BODY, { "x-dev-key": "k" }))).toEqual({
      kind: "forged",
      reason: "X-Dev-Key does not match the developer's key",
    });
    expect(closed.verify(post(BODY, { "x-dev-key": DEV_KEY })).kind).toBe("genuine");
  });
});

describe("a caller from elsewhere", () => {
  it("needs the key, whatever the webhook is to this machine", () => {
    for (const openOnLoopback of [true, false]) {
      const adapter = adapterOf({ openOnLoopback });
      expect(adapter.verify(elsewhere()).kind).toBe("forged");
      expect(adapter.verify(elsewhere({ host: "localhost" })).kind).toBe("forged");
      expect(adapter.verify(elsewhere({ "x-dev-key": DEV_KEY })).kind).toBe("genuine");
    }
  });

  it.each([
    "",
    " ",
    "dev-ke",
    "dev-keyy",
    "DEV-KEY",
    `${DEV_KEY}, ${DEV_KEY}`,
    "\u0000",
    "k".repeat(100_000),
  ])("with key %j is forged", (key) => {
    expect(adapterOf().verify(elsewhere({ "x-dev-key": key })).kind).toBe("forged");
  });

  it("is never let in where there is no key", () => {
    expect(adapterOf({ devKey: null }).verify(elsewhere({ "x-dev-key": "" })).kind).toBe("forged");
    expect(adapterOf({ devKey: new Secret("") }).verify(elsewhere({ "x-dev-key": "" })).kind).toBe("forged");
    expect(adapterOf({ devKey: null }).verify(elsewhere({ "x-dev-key": "null" })).kind).toBe("forged");
  });
});

it("only POST is served", () => {
  for (const method of ["GET", "PUT", "OPTIONS", "HEAD"]) {
    expect(adapterOf().verify({ ...post(BODY, { "x-dev-key": DEV_KEY }), method }).kind).toBe("forged");
  }
});
