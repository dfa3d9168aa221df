import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DeliveryError } from "../../src/domain/errors.ts";
import { download, isPrivateAddress, publicLookup } from "../../src/shared/download.ts";
import { type FakeServer, fakeServer } from "../fakes/server.ts";

const never = new AbortController().signal;

describe("a download", () => {
  let fake: FakeServer;
  beforeEach(async () => {
    fake = await fakeServer(() => ({
      body: Buffer.from([0, 255, 1]),
      headers: { "content-type": "Image/PNG; a=b" },
    }));
  });
  afterEach(() => fake.close());

  const get = (over: Partial<Parameters<typeof download>[1]> & { url?: string } = {}) =>
    download(new URL(over.url ?? `${fake.url}/a`), {
      what: "file",
      headers: { authorization: "Bearer very-secret" },
      signal: never,
      timeoutMs: 30_000,
      isOperators: true,
      nowMs: 0,
      ...over,
    });
  async function failureOf(promise: Promise<unknown>): Promise<DeliveryError> {
    const error: unknown = await promise.then(
      () => "nothing failed",
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(DeliveryError);
    return error as DeliveryError;
  }
  async function whole(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of bytes) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  it("gives the bytes as they are, and what they are said to be", async () => {
    const { mime, bytes } = await get();
    expect(mime).toBe("image/png");
    expect([...(await whole(bytes))]).toEqual([0, 255, 1]);
    expect(fake.calls[0]).toMatchObject({ method: "GET", headers: { authorization: "Bearer very-secret" } });
  });

  it.each([301, 302, 303, 307, 308])("follows no redirect (%i)", async (status) => {
    const other = await fakeServer(() => ({ body: "taken" }));
    fake.faults.push({ kind: "status", status, headers: { location: other.url } });
    expect(await failureOf(get())).toMatchObject({ kind: "rejected", status });
    expect(other.calls).toEqual([]);
    await other.close();
  });

  it.each([
    [404, "rejected"],
    [403, "rejected"],
    [206, "rejected"],
    [500, "retry"],
    [503, "retry"],
    [429, "retry"],
  ])("tells of a %i whether another try may help: %s", async (status, kind) => {
    fake.faults.push({ kind: "status", status, headers: { "retry-after": "3" } });
    expect(await failureOf(get())).toMatchObject({ kind, status, retryAfterMs: 3_000 });
  });

  it("has nothing of the address or of the key in its failures", async () => {
    fake.faults.push({ kind: "reset" });
    const error = await failureOf(get({ url: `${fake.url}/secret-path?hm=1` }));
    expect(`${error.message} ${error.stack}`).not.toMatch(/secret/);
  });

  it("fails when it is cut off, and is not taken for the whole", async () => {
    const server = createServer((_, answer) => {
      answer.writeHead(200, { "content-length": "100" });
      answer.write("half", () => answer.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const { bytes, sizeBytes } = await get({ url });
    expect(sizeBytes).toBe(100);
    expect(await failureOf(whole(bytes))).toMatchObject({ kind: "unknown" });
    server.close();
  });

  it("takes no longer than it may", async () => {
    fake.faults.push({ kind: "hang-after" });
    expect(await failureOf(get({ timeoutMs: 50 }))).toMatchObject({ kind: "unknown" });
  });

  it("ends when it is stopped", async () => {
    const stop = new AbortController();
    fake.faults.push({ kind: "hang-after" });
    const failure = failureOf(get({ signal: stop.signal }));
    await fake.waitFor(() => true);
    stop.abort();
    expect(await failure).toMatchObject({ kind: "unknown" });
  });

  it("asks no private address that no operator has written", async () => {
    const url = fake.url.replace("127.0.0.1", "localhost");
    expect(await failureOf(get({ url, isOperators: false }))).toMatchObject({
      kind: "retry",
      message: "file: could not connect (ENOTFOUND)",
    });
    expect(fake.calls).toEqual([]);
    expect((await whole((await get({ url })).bytes)).length).toBe(3);
  });

  it.each([
    ["127.0.0.1", true],
    ["10.1.2.3", true],
    ["172.31.0.1", true],
    ["192.168.1.1", true],
    ["169.254.169.254", true],
    ["100.64.0.1", true],
    ["0.0.0.0", true],
    ["::1", true],
    ["::ffff:10.0.0.1", true],
    ["fd00::1", true],
    ["fe80::1", true],
    ["172.32.0.1", false],
    ["8.8.8.8", false],
    ["2606:4700::1111", false],
  ])("takes %s for private: %s", (address, isPrivate) => {
    expect(isPrivateAddress(address)).toBe(isPrivate);
  });

  it.each([{ all: true }, { all: false }])("finds no private address for a name (%j)", async (options) => {
    const found = await new Promise((resolve) =>
      publicLookup("localhost", options, (...said) => resolve(said)),
    );
    expect(found).toMatchObject([{ code: "ENOTFOUND" }, "", 0]);
  });
});
