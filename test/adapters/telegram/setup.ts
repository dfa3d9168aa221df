import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseUpdate } from "../../../adapters/telegram/parse.ts";
import type { Bot } from "../../../adapters/telegram/text.ts";
import type { ReplyAddress, TriggerEvent } from "../../../src/domain/event.ts";
import type { Inbound, RawRequest } from "../../../src/ports/adapter.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { asVerified } from "../../contract/raw-request.ts";

export const NOW_MS = 1_780_000_000_000;
export const BOT: Bot = { id: "77", username: "gw_bot" };
export const BOT_TOKEN = "77:AAH-token-never-shown";
export const WEBHOOK_SECRET = "webhook_secret-1";

const FIXTURES = join(import.meta.dirname, "../../fixtures/telegram");

/** A webhook call with this body and these headers, by lower-case name. */
export function post(
  body: string | Buffer,
  headers: Record<string, string> = { "content-type": "application/json" },
): RawRequest {
  return {
    method: "POST",
    target: "/webhooks/telegram",
    header: (name) => headers[name],
    body: Buffer.from(body),
    receivedAtMs: NOW_MS,
    fromLoopback: false,
  };
}

export function parse(body: string | Buffer, bot: Bot = BOT): Inbound {
  return parseUpdate(asVerified(post(body)), bot);
}

export function fixture(name: string): string {
  return readFileSync(join(FIXTURES, `${name}.json`), "utf8");
}

export function fixtureNames(): string[] {
  return readdirSync(FIXTURES).map((file) => file.replace(/\.json$/, ""));
}

/** The one event in an update. */
export function eventOf(body: string, bot: Bot = BOT): TriggerEvent {
  const inbound = parse(body, bot);
  const event = inbound.kind === "events" ? inbound.events[0] : undefined;
  if (event === undefined) throw new Error(`Expected an event, got ${JSON.stringify(inbound)}`);
  return event;
}

export function addressOf(fields: Record<string, unknown>): ReplyAddress {
  return JSON.stringify({ kind: "message", chatId: "30", isPrivate: true, ...fields }) as ReplyAddress;
}

export const secretOf = (text: string) => new Secret(text);
