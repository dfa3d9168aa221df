import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";

/** How often clients sent which command, what scripts did not counted. Redis slows down meanwhile. */
export async function commandsDuring(
  port: number,
  work: () => Promise<void>,
): Promise<ReadonlyMap<string, number>> {
  const socket = connect({ port, host: "127.0.0.1" });
  const lines = createInterface({ input: socket });
  const counts = new Map<string, number>();
  const over = Promise.withResolvers<void>();
  socket.on("error", over.reject);
  lines.on("line", (line) => {
    // `+1700000000.123456 [0 127.0.0.1:40000] "evalsha" "…"`; a script's own calls are from `lua`.
    const [, from, name = ""] = /^\+\S+ \[\d+ (\S+)\] "(\w+)"/.exec(line) ?? [];
    const command = name.toLowerCase();
    if (command === "echo") return over.resolve();
    if (from !== undefined && from !== "lua") counts.set(command, (counts.get(command) ?? 0) + 1);
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
