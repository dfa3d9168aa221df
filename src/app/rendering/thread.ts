import { parentPort } from "node:worker_threads";
import type { Button } from "../../domain/button.ts";
import type { ReplyAddress } from "../../domain/event.ts";
import type { LinkHosts } from "../../domain/link-hosts.ts";
import type { Named } from "../../domain/mention.ts";
import type { ReplyPart } from "../../domain/reply.ts";
import type { RenderRequest, RenderResult } from "./messages.ts";

if (parentPort === null) throw new Error("Expected to run as a worker thread, got the main thread");
const port = parentPort;

/** What an adapter names as its `renderer`. */
interface RendererModule {
  readonly renderReply: (
    markdown: string,
    to: ReplyAddress,
    buttons?: readonly Button[],
    named?: readonly Named[],
    linkHosts?: LinkHosts,
  ) => readonly ReplyPart[];
}

port.on("message", ({ renderer, markdown, to, buttons, named, linkHosts }: RenderRequest) => {
  void (import(renderer) as Promise<RendererModule>)
    .then(
      ({ renderReply }): RenderResult => ({ parts: renderReply(markdown, to, buttons, named, linkHosts) }),
    )
    .catch((error: unknown): RenderResult => ({ parts: null, cause: String(error) }))
    .then((result) => port.postMessage(result));
});
