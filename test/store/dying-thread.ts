import { parentPort, workerData } from "node:worker_threads";
import { serve } from "../../src/store/sqlite/serve.ts";
import { aroundCommits } from "./commits.ts";

/** The store's thread, which dies in its third commit. */
let commits = 0;
const open = aroundCommits((commit) => {
  if (++commits === 3) process.exit(7);
  return commit();
});
if (parentPort !== null) serve(parentPort, workerData, open);
