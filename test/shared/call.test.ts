import { createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RunAborted } from "../../src/domain/abort.ts";
import { type Call, call, type Permit } from "../../src/shared/call.ts";
import { type FakeServer, fakeServer } from "../fakes/server.ts";
import { freePort } from "../support/ports.ts";

const never = new AbortController().signal;
const LONG_MS = 600_000;

function callOf(over: Partial<Call> = {}): Call {
  return {
    ...{ what: "chat.say", setting: "CHAT_API_URL", headers: { authorization: "Bearer secret" } },
    ...{ body: "hello", signal: never, timeoutMs: LONG_MS, bytesMax: 1_000 },
    ...over,
  };
}

/** Gives these answers to `leftMs`, one after the other, the last for good. */
function permitOf(left: readonly number[], renew: Permit["renew"] = async () => {}): Permit {
  const answers = [...left];
  return { leftMs: () => (answers.length > 1 ? answers.shift() : answers[0]) ?? 0, renew };
}

const failureOf = (calling: Promise<unknown>) =>
  calling.then(
    (answer) => answer,
    (error: unknown) => error,
  );

function gate() {
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  return { opened, open };
}

describe("a call", () => {
  let fake: FakeServer;
  beforeEach(async () => {
    fake = await fakeServer(({ headers, body }) => ({ body: `${headers.connection}: ${body}` }));
  });
  afterEach(() => fake.close());

  it("brings back status, headers and text", async () => {
    const answer = await call(`${fake.url}/x`, callOf());
    expect(answer).toMatchObject({ status: 200, text: "keep-alive: hello" });
    expect(fake.calls[0]).toMatchObject({ method: "POST", path: "/x", body: "hello" });
    expect(fake.calls[0]?.headers["content-length"]).toBe("5");
  });

  it("does not read more than it may", async () => {
    expect(await call(fake.url, callOf({ bytesMax: 5 }))).toMatchObject({ status: 200, text: null });
  });

  it.each([301, 302, 303, 307, 308])("follows no %i, and believes nothing of its body", async (status) => {
    const other = await fakeServer(() => ({ body: { ok: true } }));
    fake.faults.push({ kind: "status", status, headers: { location: other.url }, body: { ok: true } });
    expect(await failureOf(call(fake.url, callOf()))).toMatchObject({
      kind: "rejected",
      status,
      message: `chat.say: redirected (${status}), which is not followed; look at CHAT_API_URL`,
    });
    expect(other.calls).toEqual([]);
    await other.close();
  });

  it("that meets nobody was certainly not made", async () => {
    const error = await failureOf(call(`http://127.0.0.1:${await freePort()}/`, callOf()));
    expect(error).toMatchObject({ kind: "retry", message: "chat.say: could not connect (ECONNREFUSED)" });
  });

  it("that breaks off after it began may have been heard", async () => {
    fake.faults.push({ kind: "reset-after" });
    expect(await failureOf(call(fake.url, callOf()))).toMatchObject({ kind: "unknown" });
  });

  it("with a header that cannot be sent does not show it", async () => {
    const error = (await failureOf(call(fake.url, callOf({ headers: { a: "secret\n" } })))) as Error;
    expect(error).toMatchObject({ kind: "retry" });
    expect(`${error.message} ${String(error.cause)}`).not.toContain("secret");
  });

  it("is made when the store has given it more time", async () => {
    const asked: string[] = [];
    const permit = permitOf([0, 0, 20_000], async () => void asked.push("renewed"));
    expect(await call(fake.url, callOf({ permit }))).toMatchObject({ status: 200 });
    expect(asked).toEqual(["renewed", "renewed"]);
  });

  it("that was stopped while it waited for its permit leaves no timer behind", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const [stop, asked, told] = [new AbortController(), gate(), gate()];
      const renew = () => {
        asked.open();
        return told.opened;
      };
      const permit = permitOf([0, 0, 20_000], renew);
      const calling = failureOf(call(fake.url, callOf({ signal: stop.signal, permit })));
      await asked.opened;
      stop.abort();
      expect(await calling).toMatchObject({ kind: "retry" });
      told.open();
      await new Promise((turn) => setImmediate(turn));
      expect(vi.getTimerCount()).toBe(0);
      expect(fake.calls).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("ends with the time that its permit has left", async () => {
    fake.faults.push({ kind: "hang-after" });
    const error = await failureOf(call(fake.url, callOf({ permit: permitOf([30]) })));
    expect(error).toMatchObject({
      kind: "unknown",
      message: "chat.say: connection lost or timed out (TimeoutError)",
    });
  });
});

describe("a connection", () => {
  let server: Server;
  let url: string;
  const sockets: Socket[] = [];
  const heard: string[] = [];
  beforeEach(async () => {
    sockets.length = 0;
    heard.length = 0;
    server = createServer((socket) => {
      sockets.push(socket);
      socket.on("data", (bytes) => {
        heard.push(bytes.toString());
        socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
      });
    });
    url = await new Promise<string>((resolve) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        resolve(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}/`);
      });
    });
  });
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });

  it("carries one call after the other", async () => {
    for (let n = 0; n < 3; n++) expect((await call(url, callOf())).text).toBe("ok");
    expect(sockets).toHaveLength(1);
    expect(heard).toHaveLength(3);
  });

  it("gets no byte of a call whose sender has lost its job on the way there", async () => {
    const lost = new RunAborted("lease-lost");
    const permit = permitOf([0], () => Promise.reject(lost));
    expect(await failureOf(call(url, callOf({ permit })))).toBe(lost);
    // The same with one that stands already.
    await call(url, callOf());
    expect(await failureOf(call(url, callOf({ permit })))).toBe(lost);
    expect(heard).toHaveLength(1);
    expect(heard.join()).toContain("POST / HTTP/1.1");
  });
});
