import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { setTimeout as wait } from "node:timers/promises";

export interface Flood {
  readonly url: string;
  readonly pid: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly bytes: number;
  /** How long memory is watched after the last answer. */
  readonly afterMs: number;
  /** Sent again and again meanwhile; gives the status. */
  readonly honest: () => Promise<number>;
}

export interface FloodResult {
  readonly peakBytes: number;
  /** The least within `afterMs`. */
  readonly afterBytes: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly honest: Readonly<Record<string, number>>;
}

/** Many large bodies at once that nobody has signed: what the gateway at `pid` takes for them, and gives back. */
export async function flood({ pid, connections, afterMs, honest, ...one }: Flood): Promise<FloodResult> {
  const over = new AbortController();
  const seen = { peakBytes: 0, statuses: {} as Record<string, number>, honest: {} as Record<string, number> };
  const count = (into: Record<string, number>, key: string | number) => {
    into[key] = (into[key] ?? 0) + 1;
  };
  const watching = (async () => {
    while (!over.signal.aborted) {
      seen.peakBytes = Math.max(seen.peakBytes, residentBytes(pid));
      await wait(10);
    }
  })();
  const asking = (async () => {
    while (!over.signal.aborted) {
      count(seen.honest, await honest());
      await wait(20);
    }
  })();
  const agent = new Agent({ maxSockets: connections });
  const body = Buffer.alloc(one.bytes, "x");
  await Promise.all(
    Array.from({ length: connections }, async () => count(seen.statuses, await post(one, body, agent))),
  );
  over.abort();
  await Promise.all([watching, asking]);
  agent.destroy();
  let afterBytes = residentBytes(pid);
  for (const untilMs = performance.now() + afterMs; performance.now() < untilMs; await wait(500))
    afterBytes = Math.min(afterBytes, residentBytes(pid));
  return { ...seen, afterBytes };
}

function post(
  { url, path, headers }: Pick<Flood, "url" | "path" | "headers">,
  body: Buffer,
  agent: Agent,
): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = request(url + path, {
      method: "POST",
      agent,
      headers: { ...headers, "content-length": body.length },
    });
    outgoing.on("response", (incoming) =>
      incoming.resume().on("end", () => resolve(String(incoming.statusCode))),
    );
    outgoing.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
    outgoing.end(body);
  });
}

function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}
