import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { loadScripts } from "../../../src/store/redis/scripts.ts";

/** How often clients sent which command or script; the calls of scripts do not count. Redis slows down meanwhile. */
export async function commandsDuring(
  port: number,
  work: () => Promise<void>,
): Promise<ReadonlyMap<string, number>> {
  const socket = connect({ port, host: "127.0.0.1" });
  const lines = createInterface({ input: socket });
  const counts = new Map<string, number>();
  const scripts = new Map(Object.entries(loadScripts()).map(([name, { digest }]) => [digest, name]));
  const over = Promise.withResolvers<void>();
  socket.on("error", over.reject);
  lines.on("line", (line) => {
    // `+1700000000.123456 [0 127.0.0.1:40000] "evalsha" "…"`; a script's own calls are from `lua`.
    const [, from, name = "", argument = ""] = /^\+\S+ \[\d+ (\S+)\] "(\w+)"(?: "(\w+)")?/.exec(line) ?? [];
    const command = name.toLowerCase();
    if (command === "echo") return over.resolve();
    if (from === undefined || from === "lua") return;
    const what = scripts.get(argument) ?? command;
    counts.set(what, (counts.get(what) ?? 0) + 1);
  });
  socket.write("MONITOR\r\n");
  await Promise.race([once(lines, "line"), over.promise]);
  await work();
  await sayEcho(port);
  await over.promise;
  socket.destroy();
  return counts;
}

/** Marks the end: Redis tells what it did in order. */
async function sayEcho(port: number): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.write("ECHO end\r\n");
  await once(socket, "data");
  socket.destroy();
}
