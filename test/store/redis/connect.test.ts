import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { type Client, createClient } from "../../../src/store/redis/connect.ts";
import { freePort } from "../../support/ports.ts";
import { startRedis } from "../../support/redis.ts";
import { connectionTo } from "./setup.ts";

/** Not `once` of node:events, which takes an error for its own. */
const next = (client: Client, event: string) =>
  new Promise<unknown>((resolve) => void client.once(event, resolve));

const pem = (name: string) => resolve(import.meta.dirname, "../../fixtures/tls", name);
const text = (name: string) => readFileSync(pem(name), "utf8");

it("a connection that is closed while its handshake fails ends nothing else", async () => {
  const port = await freePort();
  await using _ = await startRedis({
    args: [
      ...["--tls-port", String(port), "--tls-ca-cert-file", pem("ca.pem")],
      ...["--tls-cert-file", pem("server.pem"), "--tls-key-file", pem("server-key.pem")],
    ],
  });
  const tls = {
    ca: text("ca.pem"),
    cert: text("client.pem"),
    key: text("client-key.pem"),
    servername: "other.test",
    verify: true,
  };
  for (let n = 0; n < 20; n++) {
    const connection = connectionTo(`rediss://127.0.0.1:${port}`, { tls });
    const client = createClient(connection, { silentMs: 5_000, isTimedByCaller: false, random: () => 0 });
    client.connect().catch(() => {}); // Its failure is told as an error, too.
    const ended = next(client, "end");
    expect(await next(client, "error")).toMatchObject({ code: "ERR_TLS_CERT_ALTNAME_INVALID" });
    await next(client, "connecting");
    await new Promise((resolve) => setImmediate(resolve));
    client.disconnect();
    await ended;
  }
});
