import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createWhatsAppAdapter, type WhatsAppOptions } from "../../../adapters/whatsapp/adapter.ts";
import type { RawRequest } from "../../../src/ports/adapter.ts";
import { Secret } from "../../../src/shared/secret.ts";

export const NOW_MS = 1_780_000_000_000;
export const ACCESS_TOKEN = "EAAtoken-never-shown";
export const APP_SECRET = "appsecret";
export const VERIFY_TOKEN = "verify-me";

/** The adapter of number PN1, its clock at NOW_MS; each option may be another. */
export function adapterOf(over: Partial<WhatsAppOptions> = {}) {
  return createWhatsAppAdapter({
    accessToken: new Secret(ACCESS_TOKEN),
    appSecrets: [new Secret(APP_SECRET)],
    verifyToken: new Secret(VERIFY_TOKEN),
    phoneNumberId: "PN1",
    clock: { nowMs: () => NOW_MS },
    timeoutMs: 300,
    ...over,
  });
}

/** A POST with this body, and these headers by lower-case name. */
export function post(body: string | Buffer, headers: Record<string, string> = {}): RawRequest {
  return {
    method: "POST",
    target: "/webhooks/whatsapp",
    header: (name) => headers[name],
    body: Buffer.from(body),
    receivedAtMs: NOW_MS,
    fromLoopback: false,
  };
}

export function get(target: string): RawRequest {
  return { ...post(""), method: "GET", target };
}

export function fixture(name: string): string {
  return readFileSync(join(import.meta.dirname, "../../fixtures/whatsapp", `${name}.json`), "utf8");
}
