import { parentPort, workerData } from "node:worker_threads";
import { serve } from "../../src/store/sqlite/serve.ts";
import { aroundCommits } from "./commits.ts";

/** The store's thread on a disk that takes this long for each flush. */
const FLUSH_MS = 500;

const pause = new Int32Array(new SharedArrayBuffer(4));
const open = aroundCommits((commit) => {
  Atomics.wait(pause, 0, 0, FLUSH_MS);
  return commit();
});
if (parentPort !== null) serve(parentPort, workerData, open);
