import process from "node:process";
import type { App } from "../app.ts";
import { DRAIN_MS } from "../domain/bounds.ts";
import { EXIT } from "../shared/exit.ts";
import type { Logger } from "../telemetry/log.ts";

/** `orphaned`: whoever started us is gone, and with it the socket we listened on. */
export type StopRequest = "drain" | "at-once" | "orphaned";

/** What runs is handed back; then the process must be gone, because nobody watches it any more. */
const ORPHAN_MS = 5_000;

/** Stops the app as it is asked to, and gives the exit code; a drain that hangs ends the process by itself. */
export function untilStopped(
  app: App,
  log: Logger,
  onStop: (listener: (how: StopRequest) => void) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    let draining = false;
    onStop((how) => {
      if (how === "at-once") {
        log.warn("gateway.stopped_at_once");
        process.exit(EXIT.interrupted);
      }
      if (draining) return;
      draining = true;
      log.info({ why: how }, "gateway.draining");
      const isOrphaned = how === "orphaned";
      setTimeout(
        () => {
          log.error("gateway.drain_timed_out");
          process.exit(EXIT.failed);
        },
        isOrphaned ? ORPHAN_MS : DRAIN_MS,
      ).unref();
      drain(app, isOrphaned ? 0 : undefined).then((isAllWritten) => {
        log.info("gateway.stopped");
        resolve(isOrphaned || !isAllWritten ? EXIT.failed : EXIT.ok);
      }, reject);
    });
  });
}

/** False: see App. */
async function drain(app: App, drainMs?: number): Promise<boolean> {
  const closed = new Promise<void>((resolve) => app.server.close(() => resolve()));
  // Whoever watches sees the drain to its end.
  app.server.closeIdleConnections();
  const isAllWritten = await app.stop(drainMs);
  // Requests that are still open have had their answer by now, or never will.
  app.server.closeAllConnections();
  app.watch?.close();
  app.watch?.closeAllConnections();
  await closed;
  return isAllWritten;
}

/** A signal to a process and one to its group, or one that a parent passes on, are the same request. */
const SAME_REQUEST_MS = 100;

/**
 * Says `drain` at the first SIGTERM or SIGINT and when npm is gone, and `at-once` at the next signal that is not of the
 * same request. Gives how to leave.
 */
export function onSignals(
  stop: (how: "drain" | "at-once") => void,
  nowMs: () => number = () => performance.now(),
): () => void {
  let askedAtMs: number | null = null;
  const onSignal = () => {
    if (askedAtMs === null) {
      askedAtMs = nowMs();
      stop("drain");
    } else if (nowMs() - askedAtMs >= SAME_REQUEST_MS) stop("at-once");
  };
  for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
  whenNpmIsGone(() => {
    if (askedAtMs === null) onSignal();
  });
  return () => {
    for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
  };
}

const STOP_SIGNALS = ["SIGTERM", "SIGINT"] as const;

const PARENT_CHECK_MS = 250;

/**
 * npm passes a signal on to the shell of its script, and a shell that dies of it tells nobody: a gateway left
 * behind would hold the port and the database against its successor. Another parent means that this one is gone.
 */
function whenNpmIsGone(stop: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const check = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(check);
    stop();
  }, PARENT_CHECK_MS);
  check.unref();
}
