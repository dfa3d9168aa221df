import { existsSync } from "node:fs";
import { type MessagePort, parentPort } from "node:worker_threads";
import type { ThreadData } from "../../src/store/sqlite/index.ts";
import { serve } from "../../src/store/sqlite/serve.ts";
import { aroundCommits } from "./commits.ts";

/** One store after the other in one thread, which dies at its next commit once a file beside the database says so. */
parentPort?.on("message", ({ port, data }: { port: MessagePort; data: ThreadData }) => {
  const open = aroundCommits((commit) => {
    if (existsSync(`${data.options.file}.die`)) process.exit(7);
    return commit();
  });
  serve(port, data, open);
});
