import { parentPort } from "node:worker_threads";
import type { ReplyAddress } from "../../domain/event.ts";
import type { ReplyPart } from "../../domain/reply.ts";
import type { RenderRequest, RenderResult } from "./messages.ts";

if (parentPort === null) throw new Error("Expected to run as a worker thread, got the main thread");
const port = parentPort;

/** What an adapter names as its `renderer`. */
interface RendererModule {
  readonly renderReply: (markdown: string, to: ReplyAddress) => readonly ReplyPart[];
}

port.on("message", ({ renderer, markdown, to }: RenderRequest) => {
  void (import(renderer) as Promise<RendererModule>)
    .then(({ renderReply }): RenderResult => ({ parts: renderReply(markdown, to) }))
    .catch((error: unknown): RenderResult => ({ parts: null, cause: String(error) }))
    .then((result) => port.postMessage(result));
});
