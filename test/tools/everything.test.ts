import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { benchOf, TRANSPORTS, type TransportName } from "./support.ts";

/** The protocol's own example server, from npm. */
const SERVER = fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js"));
const ALLOWED = {
  name: "everything",
  type: "mcp",
  allow: ["echo", "get-sum", "get-tiny-image", "get-structured-content"],
};

async function everything(transport: TransportName) {
  if (transport === "stdio")
    return benchOf([
      { ...ALLOWED, config: { transport, command: process.execPath, args: [SERVER, "stdio"] } },
    ]);
  const port = await freePort();
  const args = [SERVER, transport === "http" ? "streamableHttp" : "sse"];
  const child = spawn(process.execPath, args, { env: { ...process.env, PORT: String(port) }, stdio: "pipe" });
  onTestFinished(() => void child.kill("SIGKILL"));
  for await (const line of createInterface({ input: child.stderr })) if (/port|running/i.test(line)) break;
  const url = `http://127.0.0.1:${port}/${transport === "http" ? "mcp" : "sse"}`;
  return benchOf([{ ...ALLOWED, config: { transport, url } }]);
}

describe.each(TRANSPORTS)("the example server over %s", (transport) => {
  it("gives what is allowed of it, and no more", async () => {
    const { open, call } = await everything(transport);
    const names = (await open()).tools.map(({ name }) => name);
    expect(names.sort()).toEqual([
      "everything__echo",
      "everything__get-structured-content",
      "everything__get-sum",
      "everything__get-tiny-image",
    ]);
    expect((await call("everything__echo", { message: "hello" })).result).toBe("Echo: hello");
    expect((await call("everything__get-sum", { a: 2, b: 40 })).result).toContain("42");
    expect((await call("everything__get-sum", { a: "2", b: 40 })).result).toContain("a must be number");
    expect((await call("everything__get-tiny-image")).result).toContain("[image image/png, ");
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
