import { createTestAdapter, type TestOptions } from "../../../adapters/test/adapter.ts";
import type { RawRequest } from "../../../src/ports/adapter.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { createBus } from "../../../src/store/bus.ts";
import { FakeClock } from "../../support/clock.ts";

export const NOW_MS = 1_780_000_000_000;
export const DEV_KEY = "dev-key";

/** The webhook as a developer has it: open to this machine, and to others with the key. */
export function adapterOf(over: Partial<TestOptions> = {}) {
  let ids = 0;
  return createTestAdapter({
    devKey: new Secret(DEV_KEY),
    openOnLoopback: true,
    clock: new FakeClock(NOW_MS),
    bus: createBus(),
    newId: (prefix) => `${prefix}_${++ids}`,
    ...over,
  });
}

/** What `curl -H 'content-type: application/json'` sends from this machine; a header may be taken away again. */
export function post(body: string | Buffer, headers: Record<string, string | undefined> = {}): RawRequest {
  const all: Record<string, string | undefined> = {
    host: "127.0.0.1:8080",
    "content-type": "application/json",
    ...headers,
  };
  return {
    method: "POST",
    target: "/webhooks/test",
    header: (name) => all[name],
    body: Buffer.from(body),
    receivedAtMs: NOW_MS,
    fromLoopback: true,
  };
}
