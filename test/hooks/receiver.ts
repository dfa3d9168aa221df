import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  readonly id: string;
  readonly body: {
    readonly type: string;
    readonly timestamp: string;
    readonly data: Readonly<Record<string, unknown>>;
  };
  readonly headers: IncomingHttpHeaders;
  /** By a verifier of our own, of this secret. */
  readonly isSignedWith: (secret: string) => boolean;
}

/** Somebody else's server, which hooks are sent to. */
export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly received: readonly Received[];
  /** What it answers from now on, by the number of the call. Default: 204. */
  answer(status: (call: number) => number, headers?: Readonly<Record<string, string>>): void;
  /** Does not answer until it is let go. */
  hold(): () => void;
}

export async function startReceiver(port = 0): Promise<Receiver> {
  const received: Received[] = [];
  let statusOf: (call: number) => number = () => 204;
  let headers: Readonly<Record<string, string>> = {};
  let held: Promise<void> = Promise.resolve();
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      received.push(receivedOf(text, request.headers));
      const status = statusOf(received.length);
      void held.then(() => response.writeHead(status, headers).end());
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?key=hidden`,
    received,
    answer(status, more = {}) {
      statusOf = status;
      headers = more;
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return resolve;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function receivedOf(text: string, headers: IncomingHttpHeaders): Received {
  const id = String(headers["webhook-id"]);
  return {
    id,
    body: JSON.parse(text),
    headers,
    isSignedWith(secret) {
      const key = Buffer.from(secret.replace("whsec_", ""), "base64");
      const signed = `${id}.${String(headers["webhook-timestamp"])}.${text}`;
      const expected = createHmac("sha256", key).update(signed).digest();
      return String(headers["webhook-signature"])
        .split(" ")
        .some((one) => {
          const given = Buffer.from(one.replace("v1,", ""), "base64");
          return given.length === expected.length && timingSafeEqual(given, expected);
        });
    },
  };
}
