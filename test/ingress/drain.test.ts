import { createServer, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { DRAINED_AT_ONCE, Drain } from "../../src/ingress/drain.ts";

const MIB = 1024 * 1024;

/** Refuses everything before it is read; `most`: how many it was reading at once. */
async function open() {
  const drain = new Drain({ add: () => {} });
  const seen = { most: 0, ended: 0 };
  const server = createServer((incoming, outgoing) => {
    drain.discard(incoming);
    incoming.on("data", () => {
      seen.most = Math.max(seen.most, drain.flowing);
    });
    incoming.on("end", () => seen.ended++);
    outgoing.writeHead(401).end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, drain, seen };
}

/** Like a sender that looks at the answer only when it has sent everything. */
function sendAll(port: number, head: string, body: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1");
    socket.pause();
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${head}\r\n\r\n`);
    socket.write(body, () => socket.resume());
    socket.on("data", (chunk) => {
      text += chunk;
      resolve(text.split("\r\n", 1)[0] ?? "");
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

it("lets every sender of a large body send it all and read the answer, a few at a time", async () => {
  const { port, seen, drain } = await open();
  const body = Buffer.alloc(2 * MIB, "x");
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => sendAll(port, `content-length: ${body.length}`, body)),
  );
  expect(new Set(answers)).toEqual(new Set(["HTTP/1.1 401 Unauthorized"]));
  expect(seen.most).toBeLessThanOrEqual(DRAINED_AT_ONCE);
  await expect.poll(() => drain.flowing, { timeout: 30_000 }).toBe(0);
});

it("is not held up by slow ones, with a length or in chunks", async () => {
  const { port, seen } = await open();
  const slow = Array.from({ length: 2 * DRAINED_AT_ONCE }, (_, i) => {
    const framing = i % 2 ? "transfer-encoding: chunked" : `content-length: ${4 * MIB}`;
    const socket = connect(port, "127.0.0.1");
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\n${framing}\r\n\r\n${i % 2 ? "1\r\nx\r\n" : "x"}`);
    socket.on("error", () => {});
    return new Promise((resolve) => socket.once("data", resolve));
  });
  await Promise.all(slow);
  const body = Buffer.alloc(2 * MIB, "x");
  expect(await sendAll(port, `content-length: ${body.length}`, body)).toBe("HTTP/1.1 401 Unauthorized");
  await expect.poll(() => seen.ended, { timeout: 30_000 }).toBe(1);
});

it("leaves the connection usable for what comes next", async () => {
  const { port } = await open();
  const text = `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${MIB}\r\n\r\n${"x".repeat(MIB)}`;
  const socket = connect(port, "127.0.0.1");
  socket.end(`${text}${text.replace("\r\nhost", "\r\nconnection: close\r\nhost")}`);
  let answer = "";
  for await (const chunk of socket) answer += chunk;
  expect(answer.match(/HTTP\/1.1 401/g)).toHaveLength(2);
});

it("a sender that waits for 100 Continue is answered", async () => {
  const { port } = await open();
  const status = await new Promise((resolve) => {
    const outgoing = request({
      port,
      method: "POST",
      headers: { expect: "100-continue", "content-length": MIB },
    });
    outgoing.on("continue", () => outgoing.end(Buffer.alloc(MIB)));
    outgoing.on("response", (incoming) => resolve(incoming.statusCode));
    // The connection is closed with the test, whether all has been sent or not.
    outgoing.on("error", () => {});
    outgoing.flushHeaders();
  });
  expect(status).toBe(401);
});
