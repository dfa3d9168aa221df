import { parentPort, workerData } from "node:worker_threads";
import { openStill } from "./database.ts";
import { describe } from "./fault.ts";
import type { LookData, Looked } from "./look.ts";
import { overdueIn, soundnessOf } from "./survey.ts";

if (parentPort === null) throw new Error("Expected to run as a worker thread, got the main thread");
const { file, question, nowMs } = workerData as LookData;
let looked: Looked;
try {
  const db = openStill(file);
  try {
    const answer = question.kind === "check" ? soundnessOf(db) : overdueIn(db, question.retention, nowMs);
    looked = { answer };
  } finally {
    db.close();
  }
} catch (error) {
  looked = { cause: describe(error) };
}
parentPort.postMessage(looked);
