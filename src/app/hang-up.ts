import { closeSync, openSync } from "node:fs";
import process from "node:process";
import { isatty } from "node:tty";
import type { Logger } from "../telemetry/log.ts";
import { KeptRequest } from "./kept-request.ts";

/** Whether somebody sits at a terminal that this process was started from, and whether that is still there. */
interface Seat {
  readonly isInteractive: boolean;
  hasTerminal(): boolean;
}

/**
 * SIGHUP means two things: "read your configuration again", to a service, and "your terminal is gone", to what was started
 * from one. The first never ends the process. The second drains it: a gateway that nobody sees any more would hold the
 * port and the data folder against its successor. What was started with nohup or in the background of a script has no
 * terminal of its own, and stays.
 *
 * Gives how to be told of the first; what was asked for before is asked for then.
 */
export function onHangUp(log: Pick<Logger, "warn">, seat: Seat = ownSeat()): (reload: () => void) => void {
  const reload = new KeptRequest();
  process.on("SIGHUP", () => {
    if (seat.isInteractive && !seat.hasTerminal()) {
      log.warn({ signal: "SIGHUP" }, "gateway.terminal_gone");
      process.kill(process.pid, "SIGTERM");
    } else reload.ask();
  });
  return reload.answerBy;
}

function ownSeat(): Seat {
  return { isInteractive: [0, 1, 2].some((fd) => isatty(fd)), hasTerminal };
}

/** The device stands for the terminal of whoever opens it, and cannot be opened once that is gone. */
function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}
