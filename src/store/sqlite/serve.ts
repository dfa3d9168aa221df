import type { MessagePort } from "node:worker_threads";
import { type ErrorCode, GatewayError } from "../../domain/errors.ts";
import type { HeldStill } from "../../ports/still-file.ts";
import { messageOf } from "../../shared/fault.ts";
import type { OpenDatabase } from "./database.ts";
import { Engine } from "./engine.ts";
import type { EngineOptions, LogLevel, Reply, Request, Status } from "./protocol.ts";

/** When nothing has come for so long, the log is copied into the file. */
const IDLE_MS = 2_000;

/** Batches cross as JSON: one long string is copied several times faster than a tree of arrays is cloned. */
export type ToThread =
  | { readonly kind: "batch"; readonly requests: string }
  | { readonly kind: "still"; readonly order: "hold" | "extend" | "release"; readonly forMs: number }
  /** Up to which page; null: all. */
  | { readonly kind: "scrub"; readonly upTo: number | null }
  | { readonly kind: "close" };
export type FromThread =
  | { readonly kind: "opened"; readonly status: Status }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: "reply"; readonly reply: string }
  /** Answers `still` messages, in their order. */
  | { readonly kind: "still"; readonly isStill: boolean; readonly held: HeldStill | null }
  /** Answers `scrub` messages, in their order: where to go on, or why it cannot be done now. */
  | { readonly kind: "scrubbed"; readonly next: number | string }
  | { readonly kind: "log"; readonly line: string; readonly level: LogLevel }
  | { readonly kind: "closed" };

/** The worker thread: opens the file, answers one message for each batch, and copies the log when nobody waits. */
export function serve(
  port: Pick<MessagePort, "postMessage" | "on" | "close">,
  { options, nowMs }: { options: EngineOptions; nowMs: number },
  open: OpenDatabase,
): void {
  const post = (message: FromThread) => port.postMessage(message);
  let engine: Engine;
  try {
    engine = new Engine(options, nowMs, open, (line, level = "warn") => post({ kind: "log", line, level }));
  } catch (error) {
    post(toFailure(error));
    port.close();
    return;
  }
  let idle: NodeJS.Timeout | undefined;
  let held: NodeJS.Timeout | undefined;

  function still({ order, forMs }: Extract<ToThread, { kind: "still" }>): void {
    const now = order === "hold" ? engine.hold() : null;
    const isStill = now !== null || (order !== "hold" && engine.isHeld);
    // A second one that would hold it takes no time from the first.
    if (isStill || order === "release") clearTimeout(held);
    if (order === "release") engine.letGo();
    else if (isStill) held = setTimeout(() => engine.letGo(), forMs);
    post({ kind: "still", isStill, held: now });
  }

  port.on("message", (message: ToThread) => {
    clearTimeout(idle);
    if (message.kind === "close") {
      clearTimeout(held);
      engine.close();
      post({ kind: "closed" });
      port.close();
      return;
    }
    if (message.kind === "still") still(message);
    else if (message.kind === "scrub") post({ kind: "scrubbed", next: engine.scrub(message.upTo) });
    else {
      const reply: Reply = engine.run(JSON.parse(message.requests) as Request[]);
      post({ kind: "reply", reply: JSON.stringify(reply) });
      engine.saveLog("much");
    }
    idle = setTimeout(() => engine.saveLog("always"), IDLE_MS);
  });
  post({ kind: "opened", status: engine.status });
}

function toFailure(error: unknown): FromThread {
  const code = error instanceof GatewayError ? error.code : "STORE_OPEN_FAILED";
  return { kind: "failed", code, message: messageOf(error) };
}
