import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { messageEnd, messageStart, textBlock } from "../models/sse-server.ts";

/** `silent`: takes every request and answers none. `refusing`: the key. */
export type ProviderState = "well" | "silent" | "overloaded" | "refusing";

/** The provider of the model, as an outage would have it. */
export interface Provider extends AsyncDisposable {
  /** For `ANTHROPIC_BASE_URL`. */
  readonly url: string;
  /** Who has called, by the key that came with it; oldest first. */
  readonly callers: readonly string[];
  /** Also of the requests that wait: they are answered as those to come are. */
  become(state: ProviderState): void;
  /** Resolves when `isEnough` is true after a call. */
  called(isEnough: () => boolean): Promise<void>;
}

const ERRORS = {
  overloaded: [529, "overloaded_error"],
  refusing: [401, "authentication_error"],
} as const;

export async function startProvider(state: ProviderState): Promise<Provider> {
  let now = state;
  const callers: string[] = [];
  const held = new Set<ServerResponse>();
  const watchers = new Set<() => void>();

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    await incoming.resume().toArray();
    callers.push(String(incoming.headers.authorization).replace("Bearer ", ""));
    outgoing.on("close", () => held.delete(outgoing));
    answer(outgoing);
    for (const watcher of watchers) watcher();
  }

  function answer(outgoing: ServerResponse): void {
    if (now === "silent") {
      held.add(outgoing);
    } else if (now === "well") {
      outgoing.writeHead(200, { "content-type": "text/event-stream" });
      const events = [messageStart(), ...textBlock(0, "The answer."), ...messageEnd("end_turn")];
      for (const event of events)
        outgoing.write(`event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`);
      outgoing.end();
    } else {
      const [status, type] = ERRORS[now];
      outgoing.writeHead(status, { "content-type": "application/json" });
      outgoing.end(JSON.stringify({ type: "error", error: { type, message: now } }));
    }
  }

  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch((error: unknown) => outgoing.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    callers,
    become(next) {
      now = next;
      const waiting = [...held];
      held.clear();
      for (const outgoing of waiting) answer(outgoing);
    },
    called: (isEnough) =>
      new Promise((resolve) => {
        const look = () => {
          if (!isEnough()) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
