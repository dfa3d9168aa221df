import { createHmac, createPrivateKey, sign } from "node:crypto";
import { expect, it } from "vitest";
import { createDiscordAdapter } from "../adapters/discord/adapter.ts";
import { createAcquaintances } from "../src/admit/people.ts";
import { IGNORED_REASONS } from "../src/domain/ignored.ts";
import { receive } from "../src/gateway.ts";
import type { Adapter } from "../src/ports/adapter.ts";
import { createMetrics } from "../src/telemetry/metrics.ts";
import { PUBLIC_KEY, SEED } from "./adapters/discord/fixture.ts";
import * as slack from "./adapters/slack/setup.ts";
import { adapterFor as telegramAdapter } from "./adapters/telegram/fake.ts";
import { WEBHOOK_SECRET } from "./adapters/telegram/setup.ts";
import * as whatsapp from "./adapters/whatsapp/setup.ts";
import { rawRequest } from "./contract/raw-request.ts";
import { slackSigned } from "./fakes/slack.ts";
import { POLICY } from "./support/admin.ts";
import { FakeClock } from "./support/clock.ts";
import { NO_DESK } from "./support/desk.ts";
import { openTestStore } from "./support/store.ts";

const NOW_MS = slack.NOW_MS;
const COUNT = 1_000;
const JSON_TYPE = { "content-type": "application/json" };

interface Sender {
  readonly adapter: Adapter;
  /** What the platform would sign, each with this name in another place of the payload. */
  readonly bodies: readonly ((name: string, i: number) => object | string)[];
  readonly headers: (body: string) => Readonly<Record<string, string>>;
}

const discordKey = createPrivateKey({
  key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), Buffer.from(SEED, "hex")]),
  format: "der",
  type: "pkcs8",
});

const whatsAppValue = (value: object) => ({
  object: "whatsapp_business_account",
  entry: [
    {
      id: "WABA1",
      changes: [
        { field: "messages", value: { metadata: { phone_number_id: "PN1" }, contacts: [], ...value } },
      ],
    },
  ],
});
const whatsAppMessage = { from: "447700900123", id: "wamid.6", timestamp: "1717000004" };

const SENDERS: Readonly<Record<string, Sender>> = {
  slack: {
    adapter: slack.adapterOf(),
    bodies: [
      (type) => slack.messageBody({}, { type }),
      (type) => slack.messageBody({ type }),
      (subtype) => slack.messageBody({ subtype }),
      (type) => new URLSearchParams({ payload: JSON.stringify({ type }) }).toString(),
    ],
    headers(body) {
      const contentType = body.startsWith("payload=")
        ? "application/x-www-form-urlencoded"
        : "application/json";
      return slackSigned(body, { secret: slack.SECRET, nowMs: NOW_MS, contentType }).headers;
    },
  },
  discord: {
    adapter: createDiscordAdapter({
      publicKeys: [PUBLIC_KEY],
      botToken: null,
      clock: new FakeClock(NOW_MS),
      timeoutMs: 1_000,
      random: () => 0,
    }),
    bodies: [
      (_, i) => ({ type: 100 + i, application_id: "900" }),
      (type) => ({ type: 1, event: { type }, application_id: "900" }),
      (application_id) => ({ type: 2, application_id }),
    ],
    headers: (body) => ({
      ...JSON_TYPE,
      "x-signature-timestamp": "1717000000",
      "x-signature-ed25519": sign(null, Buffer.from(`1717000000${body}`), discordKey).toString("hex"),
    }),
  },
  telegram: {
    adapter: telegramAdapter({ url: "http://127.0.0.1:9" }),
    bodies: [
      (kind, i) => ({ update_id: i, [kind]: {} }),
      (type, i) => ({ update_id: i, message: { message_id: 1, date: 1, chat: { id: 1, type }, [type]: {} } }),
    ],
    headers: () => ({ ...JSON_TYPE, "x-telegram-bot-api-secret-token": WEBHOOK_SECRET }),
  },
  whatsapp: {
    adapter: whatsapp.adapterOf(),
    bodies: [
      (type) => whatsAppValue({ messages: [{ ...whatsAppMessage, type }] }),
      (type) =>
        whatsAppValue({ messages: [{ ...whatsAppMessage, type: "interactive", interactive: { type } }] }),
      (status) => whatsAppValue({ statuses: [{ id: "wamid.1", status, recipient_id: "447700900123" }] }),
      (title, code) => whatsAppValue({ errors: [{ code, title }] }),
      (object) => ({ object, entry: [] }),
      (field) => ({
        object: "whatsapp_business_account",
        entry: [{ id: "WABA1", changes: [{ field, value: {} }] }],
      }),
    ],
    headers: (body) => ({
      ...JSON_TYPE,
      "x-hub-signature-256": `sha256=${createHmac("sha256", whatsapp.APP_SECRET).update(body).digest("hex")}`,
    }),
  },
};

it.each(Object.keys(SENDERS))("a thousand kinds that %s never had, signed, are few labels", async (name) => {
  const { adapter, bodies, headers } = SENDERS[name] as Sender;
  const clock = new FakeClock(NOW_MS);
  const store = await openTestStore(clock);
  const metrics = createMetrics();
  const people = createAcquaintances(store.people);
  const { inbox, lanes, memory } = store;
  const deps = { inbox, lanes, memory, desk: NO_DESK, people, policy: POLICY, clock, metrics };
  const reasons = new Set<string>();
  for (const [place, bodyOf] of bodies.entries()) {
    for (let i = 0; i < COUNT; i++) {
      const made = bodyOf(`invented_${place}_${i}`, i);
      const body = typeof made === "string" ? made : JSON.stringify(made);
      const sample = { method: "POST", path: `/webhooks/${name}`, headers: headers(body), body } as const;
      const { outcome, reason } = await receive(rawRequest(sample, { nowMs: NOW_MS }), adapter, deps);
      expect(["ignored", "handshake", "malformed"]).toContain(outcome);
      reasons.add(reason ?? "");
    }
  }
  const all = (await metrics.registry.getMetricsAsJSON()).flatMap(
    ({ values }) => values as { labels: object }[],
  );
  expect(all.filter(({ labels }) => JSON.stringify(labels).includes("invented"))).toEqual([]);
  const { values } = await metrics.ignored.get();
  for (const { labels } of values)
    expect([...IGNORED_REASONS, ...Object.keys(adapter.ignored ?? {}), "other"]).toContain(labels.reason);
  // Whoever asks for one of them still finds which it was.
  if (name === "slack") expect(reasons).toContain("invented_1_7");
  expect(Math.max(...[...reasons].map((reason) => reason.length))).toBeLessThan(500);
});
