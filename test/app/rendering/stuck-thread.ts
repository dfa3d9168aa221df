import { parentPort } from "node:worker_threads";
import type { RenderRequest } from "../../../src/app/rendering/messages.ts";

/** A thread that never ends with what says so, dies of another, and answers the rest with its own words. */
parentPort?.on("message", ({ markdown }: RenderRequest) => {
  if (markdown.includes("for ever")) for (;;);
  if (markdown.includes("die")) process.exit(3);
  if (markdown.includes("cannot")) parentPort?.postMessage({ parts: null, cause: "made up" });
  else parentPort?.postMessage({ parts: ["from the thread"] });
});
