import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createSlackAdapter, type SlackAdapter, type SlackOptions } from "../../../adapters/slack/adapter.ts";
import type { TriggerEvent } from "../../../src/domain/event.ts";
import type { Inbound, RawRequest } from "../../../src/ports/adapter.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { asVerified, rawRequest } from "../../contract/raw-request.ts";
import { slackSigned } from "../../fakes/slack.ts";
import { FakeClock } from "../../support/clock.ts";

/** Signs every fixture; the one in Slack's own documentation. */
export const SECRET = "8f742231b10e8888abcd99yyyzzz85a5";
export const OTHER_SECRET = "0123456789abcdef0123456789abcdef";
export const TOKEN = "xoxb-1-very-secret";
export const NOW_MS = 1_717_000_020_000;

export function adapterOf(over: Partial<SlackOptions> = {}): SlackAdapter {
  return createSlackAdapter({
    signingSecrets: [new Secret(SECRET)],
    botToken: new Secret(TOKEN),
    clock: new FakeClock(NOW_MS),
    timeoutMs: 30_000,
    ...over,
  });
}

interface Fixture {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly target: string;
  readonly receivedAtMs: number;
}

const folder = resolve(import.meta.dirname, "../../fixtures/slack");
export const FIXTURES = readdirSync(folder).map((file) => file.replace(/\.json$/, ""));

export function fixture(name: string): RawRequest {
  const recorded = JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as Fixture;
  return rawRequest(
    { method: "POST", path: recorded.target, headers: recorded.headers, body: recorded.body },
    { nowMs: recorded.receivedAtMs },
  );
}

/** Any body, genuinely signed. */
export function request(body: string, contentType = "application/json"): RawRequest {
  const signed = slackSigned(body, { secret: SECRET, nowMs: NOW_MS, contentType });
  return rawRequest({ method: "POST", path: "/webhooks/slack", ...signed }, { nowMs: NOW_MS });
}

export function parse(incoming: RawRequest, over: Partial<SlackOptions> = {}): Inbound {
  return adapterOf(over).parse(asVerified(incoming));
}

/** The one event that a request became. */
export function eventOf(incoming: RawRequest, over: Partial<SlackOptions> = {}): TriggerEvent {
  const inbound = parse(incoming, over);
  if (inbound.kind !== "events" || inbound.events[0] === undefined)
    throw new Error(`Expected an event, got ${JSON.stringify(inbound)}`);
  return inbound.events[0];
}

/** A plain message event; `inner` changes the event, `outer` its envelope. A key set to undefined is left out. */
export function messageBody(inner: object = {}, outer: object = {}): string {
  return JSON.stringify({
    type: "event_callback",
    team_id: "T1",
    api_app_id: "A1",
    event_id: "Ev1",
    authorizations: [{ team_id: "T1", user_id: "UBOT", is_bot: true, is_enterprise_install: false }],
    event: {
      type: "message",
      user: "U1",
      text: "hello",
      ts: "1717000000.000100",
      channel: "C1",
      channel_type: "channel",
      ...inner,
    },
    ...outer,
  });
}

export function form(fields: Readonly<Record<string, string>>): RawRequest {
  return request(new URLSearchParams(fields).toString(), "application/x-www-form-urlencoded");
}

export function interactivity(payload: object): RawRequest {
  return form({ payload: JSON.stringify(payload) });
}
