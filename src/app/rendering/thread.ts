import { parentPort } from "node:worker_threads";
import { loadRenderer } from "../../../adapters/renderers.ts";
import type { RenderRequest, RenderResult } from "./messages.ts";

if (parentPort === null) throw new Error("Expected to run as a worker thread, got the main thread");
const port = parentPort;

port.on("message", ({ platform, markdown, to }: RenderRequest) => {
  void loadRenderer(platform)
    .then((render): RenderResult => ({ parts: render(markdown, to) }))
    .catch((error: unknown): RenderResult => ({ parts: null, cause: String(error) }))
    .then((result) => port.postMessage(result));
});
