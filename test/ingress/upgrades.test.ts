import type { IncomingMessage } from "node:http";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { GatewayError } from "../../src/domain/errors.ts";
import { errorAnswer } from "../../src/ingress/response.ts";
import { createUpgrade, type Live } from "../../src/ingress/upgrades.ts";

const WEBSOCKET = { upgrade: "websocket" };

/** What a request that wants to go over to something is told; "" when it was taken. */
async function told(
  { url = "/ws", headers = WEBSOCKET }: { url?: string; headers?: Record<string, string> },
  take: Live["take"] = async () => null,
) {
  const counted: number[] = [];
  const upgrade = createUpgrade({
    live: { take },
    refusalOf: () => undefined,
    requestIdOf: () => "req_1",
    peerOf: () => "192.0.2.1",
    count: (status) => counted.push(status),
    broken: () => errorAnswer(500, "broken"),
  });
  const socket = new PassThrough();
  await upgrade({ method: "GET", url, headers } as unknown as IncomingMessage, socket, Buffer.alloc(0));
  const [status] = counted;
  return { status, answer: status === 101 ? "" : await text(socket) };
}

describe("a request that wants to go over to another protocol", () => {
  it("is handed on where it wants live events", async () => {
    expect(await told({})).toEqual({ status: 101, answer: "" });
    expect(await told({ url: "/ws?tenant=slack:T1" })).toEqual({ status: 101, answer: "" });
  });

  it.each([
    { url: "/" },
    { url: "/wsx" },
    { url: "/ws/" },
    { url: "/webhooks/slack" },
    { headers: { upgrade: "h2c" } },
  ])("is refused where Node has not asked: %o", async (request) => {
    const { status, answer } = await told(request, async () => expect.unreachable("it was handed on"));
    expect(status).toBe(400);
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(answer).toContain("\r\nconnection: close\r\n");
    expect(answer).toContain("\r\nx-request-id: req_1\r\n");
  });

  it("is told why it is refused, and that the store is away, as every other request", async () => {
    const body = { error: { code: "forbidden", message: "no" } };
    expect((await told({}, async () => ({ status: 403, body }))).answer).toContain(JSON.stringify(body));
    const away = async () => {
      throw new GatewayError("STORE_UNAVAILABLE", "away");
    };
    const { status, answer } = await told({}, away);
    expect([status, answer]).toEqual([503, expect.stringContaining("retry-after: 5")]);
    const broken = async () => {
      throw new Error("a fault of ours");
    };
    expect((await told({}, broken)).answer).not.toContain("a fault of ours");
  });
});
