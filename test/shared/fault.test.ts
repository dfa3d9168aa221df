import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { kindOfStatus, networkFailure, retryAfterMs } from "../../src/shared/fault.ts";

const servers: { close(): void; closeAllConnections(): void }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function listen(): Promise<number> {
  const server = createServer((_, response) => response.destroy());
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return (server.address() as AddressInfo).port;
}

async function failureAt(url: string) {
  const error: unknown = await fetch(url, { method: "POST", body: "hello" }).catch(
    (reason: unknown) => reason,
  );
  return networkFailure(error, "Chat");
}

describe("a failure below HTTP", () => {
  it("is certainly unsaid where nobody listens", async () => {
    const port = await listen();
    for (const server of servers.splice(0)) server.close();
    expect(await failureAt(`http://127.0.0.1:${port}/`)).toMatchObject({
      kind: "retry",
      message: "Chat: could not connect (ECONNREFUSED)",
    });
  });

  it("is certainly unsaid where the other end speaks no TLS", async () => {
    expect(await failureAt(`https://127.0.0.1:${await listen()}/`)).toMatchObject({
      kind: "retry",
      message: "Chat: could not connect (ERR_SSL_WRONG_VERSION_NUMBER)",
    });
  });

  it.each(["CERT_HAS_EXPIRED", "DEPTH_ZERO_SELF_SIGNED_CERT", "ERR_TLS_CERT_ALTNAME_INVALID"])(
    "is certainly unsaid after %s, which comes before the request",
    (code) => {
      const cause = Object.assign(new Error("bad certificate"), { code });
      expect(networkFailure(new TypeError("fetch failed", { cause }), "Chat")).toMatchObject({
        kind: "retry",
      });
    },
  );

  it("leaves in doubt what was cut off after it was sent", async () => {
    expect(await failureAt(`http://127.0.0.1:${await listen()}/`)).toMatchObject({ kind: "unknown" });
  });
});

describe("a failing status", () => {
  it.each([
    [429, "retry"],
    [500, "retry"],
    [502, "retry"],
    [503, "retry"],
    [408, "unknown"],
    [504, "unknown"],
    [524, "unknown"],
    [400, "rejected"],
    [302, "rejected"],
  ] as const)("%i is %s", (status, kind) => {
    expect(kindOfStatus(status)).toBe(kind);
  });
});

describe("Retry-After", () => {
  it.each([
    ["7", 7_000],
    ["0.5", 500],
    ["Thu, 01 Jan 1970 00:00:09 GMT", 8_000],
    ["86400", 3_600_000],
    ["-1", null],
    ["Infinity", null],
    ["soon", null],
    ["", null],
    [null, null],
  ])("%j is %j milliseconds", (header, ms) => {
    expect(retryAfterMs(header, 1_000)).toBe(ms);
  });
});
