import { mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startGateway, temporaryFolder } from "./gateway-process.ts";

async function post(url: string, message: string): Promise<number> {
  const response = await fetch(`${url}/webhooks/test`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ message }),
  });
  await response.text();
  return response.status;
}

async function readiness(url: string): Promise<{ status: number; store: unknown }> {
  const response = await fetch(`${url}/ready`);
  const { components } = (await response.json()) as { components: { store: unknown } };
  return { status: response.status, store: components.store };
}

describe("a gateway whose data folder is taken away", () => {
  it("acknowledges nothing more, is not ready, says what to do, and goes on when it is back", async () => {
    const dataDir = join(temporaryFolder(), "data");
    await using gateway = await startGateway({ dataDir });
    expect(await post(gateway.url, "before")).toBe(200);
    expect(await readiness(gateway.url)).toMatchObject({ status: 200 });

    renameSync(dataDir, `${dataDir}.old`);
    mkdirSync(dataDir);
    expect(await post(gateway.url, "after")).toBe(503);
    // The store is asked at most once a second.
    await eventually(async () => {
      expect(await readiness(gateway.url)).toMatchObject({
        status: 503,
        store: {
          status: "failed",
          code: "STORE_MOVED",
          details: expect.stringContaining("Put the file back"),
        },
      });
    }, 10_000);
    await gateway.logged("STORE_MOVED");
    expect(gateway.logLines()).toContainEqual(
      expect.objectContaining({
        level: "error",
        msg: "store.note",
        note: expect.stringMatching(/STORE_MOVED.*parley\.db.*Put the file back/),
      }),
    );

    rmSync(dataDir, { recursive: true });
    renameSync(`${dataDir}.old`, dataDir);
    expect(await post(gateway.url, "again")).toBe(200);
    await eventually(async () => expect(await readiness(gateway.url)).toMatchObject({ status: 200 }), 10_000);
    expect(await gateway.end("SIGTERM")).toBe(0);
  });

  it("is told of it by the next look, though nobody asks for anything", async () => {
    const dataDir = join(temporaryFolder(), "data");
    await using gateway = await startGateway({ dataDir });
    // It has just begun, and may put a file there meanwhile: what is not empty then is emptied again.
    rmSync(dataDir, { recursive: true, maxRetries: 5 });
    await gateway.logged("STORE_MOVED");
  });
});
