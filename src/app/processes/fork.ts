import cluster from "node:cluster";
import { fileURLToPath } from "node:url";
import type { Child, Ending, FromProcess } from "./messages.ts";

/** Starts processes that share the listening socket of this one. Each gets its number as its only argument. */
export function createFork(entry: URL, env: Readonly<Record<string, string>>): (n: number) => Child {
  return (n) => {
    cluster.setupPrimary({ exec: fileURLToPath(entry), args: [String(n)] });
    const worker = cluster.fork(env);
    return {
      send(message) {
        if (worker.isConnected()) worker.process.send(message, () => {}); // Its end is told by `onEnd`.
      },
      kill: () => worker.process.kill("SIGKILL"),
      onMessage(heard) {
        worker.on("message", (message: FromProcess) => heard(message));
      },
      onEnd(ended: (ending: Ending) => void) {
        const once = Promise.withResolvers<Ending>();
        worker.once("exit", (code, signal) => once.resolve(signal ? { signal } : { code }));
        // One that could not even be started never exits.
        worker.on("error", () => worker.process.pid === undefined && once.resolve({ code: 1 }));
        void once.promise.then(ended);
      },
    };
  };
}
