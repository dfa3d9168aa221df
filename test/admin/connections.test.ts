import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { BODY_BYTES_MAX } from "../../src/admin/bounds.ts";
import { type Admin, openAdmin, TOKEN } from "../support/admin.ts";
import { anEvent } from "../support/event.ts";
import { anOffer } from "../support/store.ts";

let admin: Admin;
let url: string;
beforeEach(async () => {
  admin = await openAdmin({ limits: { waitingPerLaneMax: 100_000, waitingMax: 100_000 } });
  url = await admin.listen();
});

/** A connection whose answer has begun, and which nobody reads on. */
async function begin(line: string, body = ""): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  const headers = [
    "host: 127.0.0.1",
    `authorization: Bearer ${TOKEN}`,
    "content-type: application/json",
    `content-length: ${body.length}`,
    "connection: close",
  ];
  socket.write(`${line} HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n${body}`);
  await once(socket, "readable");
  return socket;
}

it("goes on behind a body that was too long", async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const begin = async (goal: string) => {
    const headers = { authorization: `Bearer ${TOKEN}`, "content-type": "application/json" };
    const asked = request(`${url}/api/v1/tasks`, { agent, method: "POST", headers });
    asked.end(JSON.stringify({ goal }));
    const [answer] = (await once(asked, "response")) as [IncomingMessage];
    await text(answer);
    return [answer.statusCode, asked.socket?.localPort];
  };
  const [status, port] = await begin("x".repeat(6 * BODY_BYTES_MAX));
  expect(status).toBe(413);
  expect(await begin("x")).toEqual([202, port]);
});

describe("a stream on a real connection", () => {
  it("is watched until the reader goes away", async () => {
    const socket = await begin("GET /api/v1/stream");
    expect(admin.feed.watchers).toBe(1);
    socket.destroy();
    await vi.waitFor(() => expect(admin.feed.watchers).toBe(0));
  });

  it("is cut off when nobody reads it, and the last word says why", { timeout: 30_000 }, async () => {
    const socket = await begin("GET /api/v1/stream");
    const conversation = `slack:${"x".repeat(10_000)}`;
    for (let n = 0; admin.feed.watchers > 0; n++) {
      await admin.inbox.accept(anOffer(anEvent({ id: `slack:${n}`, conversation })));
      await setImmediate();
    }
    expect(await text(socket)).toContain(": cut off, because this was read too slowly\n\n");
  });
});

describe("a bulk request on a real connection", () => {
  it("stops when the caller goes away", async () => {
    for (let n = 0; n < 500; n++) await admin.bury({ id: `slack:${n}`, conversation: `slack:c${n}` });
    const socket = await begin("POST /api/v1/dead/replay", "{}");
    socket.destroy();
    const deadOnes = async () => (await admin.store.journal.stats()).dead;
    await vi.waitFor(async () => {
      const before = await deadOnes();
      await fetch(`${url}/health`);
      expect(await deadOnes()).toBe(before);
    });
    expect(await deadOnes()).toBeGreaterThan(0);
    expect(await deadOnes()).toBeLessThan(500);
  });
});
