import { existsSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import { serve } from "../../src/store/sqlite/serve.ts";
import { aroundCommits } from "./commits.ts";

/** The store's thread, which dies at its next commit once a file beside the database says so. */
const { file } = workerData.options as { file: string };
const open = aroundCommits((commit) => {
  if (existsSync(`${file}.die`)) process.exit(7);
  return commit();
});
if (parentPort !== null) serve(parentPort, workerData, open);
