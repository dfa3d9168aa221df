import { parentPort, workerData } from "node:worker_threads";
import { giveBackWhenIdle } from "../../telemetry/heap.ts";
import { openDatabase } from "./database.ts";
import type { EngineOptions } from "./protocol.ts";
import { serve } from "./serve.ts";

if (parentPort === null) throw new Error("Expected to run as a worker thread, got the main thread");
serve(parentPort, workerData as { options: EngineOptions; nowMs: number }, openDatabase);
giveBackWhenIdle();
