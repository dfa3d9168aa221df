import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Below what Linux gives to outgoing connections, so that nobody takes a server's port while it is restarted. The
 * random start keeps apart the test files that run at the same time.
 */
const FIRST = 20_000;
const LAST = 32_000;

/** A port on loopback where nothing listens. Whoever starts a server on it must still expect to find it taken. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, LAST);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
