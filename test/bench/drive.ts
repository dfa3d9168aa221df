import { connect, type Socket } from "node:net";

export interface Drive {
  readonly seconds: number;
  /** Milliseconds, sorted. */
  readonly latencies: Float64Array;
  /** Answers by status. */
  readonly statuses: ReadonlyMap<number, number>;
}

export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The bytes of a request, made before the clock starts. */
export function toWire({ method, path, headers, body }: WireRequest): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n${lines.join("")}content-length: ${Buffer.byteLength(body)}\r\n\r\n`;
  return Buffer.from(head + body);
}

/**
 * Sends every request once, over so many keep-alive connections, each with one request in flight: until it is answered,
 * or until what is awaited of it has come about as well.
 * Plain sockets: an HTTP client would cost more than the servers it measures.
 */
export async function drive(
  port: number,
  requests: readonly Buffer[],
  connections: number,
  awaited?: (index: number) => Promise<void>,
): Promise<Drive> {
  const latencies = new Float64Array(requests.length);
  const statuses = new Map<number, number>();
  let next = 0;
  let answered = 0;

  const lane = (socket: Socket) =>
    new Promise<void>((resolve, reject) => {
      let index = -1;
      let sentAt = 0;
      let pending = "";
      const send = () => {
        index = next++;
        const request = requests[index];
        if (request === undefined) {
          socket.end();
          return resolve();
        }
        sentAt = performance.now();
        socket.write(request);
      };
      const finish = () => {
        latencies[index] = performance.now() - sentAt;
        answered++;
        send();
      };
      const afterwards = async (awaited: (index: number) => Promise<void>) => {
        await awaited(index);
        finish();
      };
      socket.on("data", (chunk) => {
        pending += chunk.toString("latin1");
        const end = pending.indexOf("\r\n\r\n");
        if (end === -1) return;
        const length = Number(/content-length: (\d+)/i.exec(pending)?.[1] ?? 0);
        if (pending.length < end + 4 + length) return;
        const status = Number(pending.slice(9, 12));
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        pending = "";
        // Not an await for nothing: whoever awaits nothing more must not pay for it.
        if (awaited === undefined) finish();
        else void afterwards(awaited);
      });
      socket.on("error", reject);
      socket.on("close", () =>
        answered === requests.length || next >= requests.length
          ? resolve()
          : reject(new Error("The server closed a connection")),
      );
      send();
    });

  const sockets = await Promise.all(
    Array.from({ length: Math.min(connections, requests.length) }, () => open(port)),
  );
  const startedAt = performance.now();
  await Promise.all(sockets.map(lane));
  const seconds = (performance.now() - startedAt) / 1000;
  if (answered !== requests.length) throw new Error(`Expected ${requests.length} answers, got ${answered}`);
  return { seconds, latencies: latencies.sort(), statuses };
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => resolve(socket));
    socket.once("error", reject);
  });
}

export function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
