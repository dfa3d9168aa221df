import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How a stream goes on after its events: as it should, without an end, with the connection cut, or never; `silent`: not even a status. */
type Ending = "close" | "cut" | "hang" | "silent";

export interface Script {
  readonly status?: number;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly events?: readonly object[];
  readonly ending?: Ending;
}

export interface SseServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: { readonly headers: IncomingHttpHeaders; readonly body: Record<string, unknown> }[];
  /** Resolves once so many clients have gone before their answer ended. */
  gone(count: number): Promise<void>;
  /** Resolves once it was asked so often. */
  asked(count: number): Promise<void>;
}

/** Plays one script for each request; the last one also for all that follow. What aimock cannot: exact events and cuts. */
export async function sseServer(...scripts: Script[]): Promise<SseServer> {
  const requests: SseServer["requests"] = [];
  let goneCount = 0;
  const watchers = new Set<() => void>();
  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of incoming) body += String(chunk);
    requests.push({ headers: incoming.headers, body: JSON.parse(body) as Record<string, unknown> });
    for (const watcher of watchers) watcher();
    outgoing.on("close", () => {
      if (outgoing.writableFinished) return;
      goneCount++;
      for (const watcher of watchers) watcher();
    });
    play(scripts[Math.min(requests.length, scripts.length) - 1] ?? {}, outgoing);
  }
  /** Resolves when so many are counted. */
  const reached = (counted: () => number, count: number) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (counted() >= count) resolve();
      };
      watchers.add(look);
      look();
    });
  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch((error: unknown) => outgoing.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    gone: (count) => reached(() => goneCount, count),
    asked: (count) => reached(() => requests.length, count),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function play(script: Script, outgoing: ServerResponse): void {
  if (script.ending === "silent") return;
  if (script.events === undefined) {
    outgoing.writeHead(script.status ?? 200, { "content-type": "application/json", ...script.headers });
    outgoing.end(JSON.stringify(script.body ?? {}));
    return;
  }
  outgoing.writeHead(script.status ?? 200, { "content-type": "text/event-stream", ...script.headers });
  const text = script.events
    .map((event) => `event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`)
    .join("");
  const ending = script.ending ?? "close";
  if (ending === "close") outgoing.end(text);
  else outgoing.write(text, () => ending === "cut" && outgoing.destroy());
}

const NO_USAGE = {
  input_tokens: 0,
  output_tokens: 0,
  cache_creation_input_tokens: null,
  cache_read_input_tokens: null,
};

export function messageStart(usage: object = {}): object {
  return {
    type: "message_start",
    message: {
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "claude-sonnet-5",
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: { ...NO_USAGE, ...usage },
    },
  };
}

/** A content block with its deltas, from start to stop. */
export function block(index: number, content_block: object, ...deltas: object[]): object[] {
  return [
    { type: "content_block_start", index, content_block },
    ...deltas.map((delta) => ({ type: "content_block_delta", index, delta })),
    { type: "content_block_stop", index },
  ];
}

export function textBlock(index: number, ...texts: string[]): object[] {
  return block(index, { type: "text", text: "" }, ...texts.map((text) => ({ type: "text_delta", text })));
}

export function toolBlock(index: number, name: string, ...json: string[]): object[] {
  const deltas = json.map((partial_json) => ({ type: "input_json_delta", partial_json }));
  return block(index, { type: "tool_use", id: `toolu_${index}`, name, input: {} }, ...deltas);
}

export function messageEnd(stop_reason: string, usage: object = { output_tokens: 0 }): object[] {
  return [
    { type: "message_delta", delta: { stop_reason, stop_sequence: null }, usage },
    { type: "message_stop" },
  ];
}
