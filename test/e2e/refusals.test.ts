import { createHmac } from "node:crypto";
import { request as httpRequest } from "node:http";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SampleRequest } from "../../adapters/shared/sample.ts";
import { slackSigned } from "../fakes/slack.ts";
import { configFolder } from "./configuration.ts";
import { startGateway, temporaryFolder } from "./gateway-process.ts";
import { type Setup, startWithPlatforms } from "./gateway-with-platforms.ts";
import {
  CHAT_PLATFORMS,
  type ChatPlatform,
  deliver,
  discordSignature,
  openPlatforms,
  SECRETS,
  seenOn,
  webhook,
} from "./platforms.ts";

let setup: Setup;
beforeAll(async () => {
  setup = await startWithPlatforms();
});
afterAll(() => setup[Symbol.asyncDispose]());

/** The status, and the code of the error in the body. */
async function refusal(request: SampleRequest, url = setup.gateway.url) {
  const { status, headers, text } = await deliver(url, request);
  expect(headers.get("x-request-id")).toMatch(/^req_/);
  return { status, code: JSON.parse(text).error.code, retryAfter: headers.get("retry-after") };
}

const UNAUTHORIZED = { status: 401, code: "unauthorized", retryAfter: null };
const MALFORMED = { status: 400, code: "malformed", retryAfter: null };

/** What proves on each platform that it is the sender. */
const PROOF: Readonly<Record<ChatPlatform, string>> = {
  slack: "x-slack-signature",
  discord: "x-signature-ed25519",
  telegram: "x-telegram-bot-api-secret-token",
  whatsapp: "x-hub-signature-256",
};

function withHeaders(request: SampleRequest, headers: Record<string, string | null>): SampleRequest {
  const merged = Object.entries({ ...request.headers, ...headers }).flatMap(([name, value]) =>
    value === null ? [] : [[name, value]],
  );
  return { ...request, headers: Object.fromEntries(merged) };
}

/** Signed as the platform signs, whatever the body. */
function signed(platform: ChatPlatform, body: string): SampleRequest {
  const request = webhook(platform, { text: "" });
  if (platform === "discord") return { ...withHeaders(request, discordSignature(body)), body };
  if (platform === "telegram") return { ...request, body };
  if (platform === "slack")
    return {
      ...request,
      ...slackSigned(body, { secret: SECRETS.SLACK_SIGNING_SECRET, nowMs: Date.now() }),
    };
  const digest = createHmac("sha256", SECRETS.WHATSAPP_APP_SECRET).update(body).digest("hex");
  return { ...withHeaders(request, { "x-hub-signature-256": `sha256=${digest}` }), body };
}

describe.each(CHAT_PLATFORMS)("%s", (platform) => {
  it("is refused without proof, with a forged one, and for a body that was changed", async () => {
    const genuine = webhook(platform, { text: "let me in" });
    const forged = genuine.headers[PROOF[platform]]?.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    expect(await refusal(withHeaders(genuine, { [PROOF[platform]]: null }))).toEqual(UNAUTHORIZED);
    expect(await refusal(withHeaders(genuine, { [PROOF[platform]]: forged ?? "" }))).toEqual(UNAUTHORIZED);
    // The operator reads what the sender is not told.
    const { gateway } = setup;
    await gateway.logged(
      new RegExp(`"platform":"${platform}","outcome":"forged","reason":"\\S+ does not match `),
    );
    const missing = gateway
      .logLines()
      .find((line) => line.platform === platform && String(line.reason).startsWith("missing"));
    expect(missing).toMatchObject({ peer: "127.0.0.1", request_id: expect.stringMatching(/^req_/) });
    expect(String(missing?.reason).toLowerCase()).toBe(`missing ${PROOF[platform]}`);
    // Telegram repeats a secret and signs nothing.
    if (platform === "telegram") return;
    expect(await refusal({ ...genuine, body: `${genuine.body} ` })).toEqual(UNAUTHORIZED);
  });

  it.each([
    ["nothing", ""],
    ["no JSON", '{"type": '],
    ["no object", "[1]"],
    ["bytes that are no text", '{"\u0000\ufffd'],
    ["an object of another kind", '{"hello":"world"}'],
    ["a hole a thousand levels deep", `${'{"a":'.repeat(1_000)}1${"}".repeat(1_000)}`],
  ])("is told what is wrong with %s", async (_, body) => {
    expect(await refusal(signed(platform, body))).toEqual(MALFORMED);
  });

  it("is refused a body over the limit before any of it is read", async () => {
    const bytes = (platform === "slack" ? 4 : 1) * 1024 * 1024 + 1;
    expect(await announce(webhook(platform, { text: "" }), bytes)).toEqual({
      status: 413,
      code: "too_large",
    });
  });
});

describe("the table of errors", () => {
  it("holds for a signature that is too old", async () => {
    const nowMs = Date.now() - 301_000;
    expect(await refusal(webhook("slack", { text: "late", nowMs }))).toEqual(UNAUTHORIZED);
  });

  it("holds for media types, handshakes, routes and methods", async () => {
    const text = withHeaders(signed("telegram", "{}"), { "content-type": "text/plain" });
    expect(await refusal(text)).toMatchObject({ status: 415, code: "unsupported_media_type" });
    const handshake = webhook("whatsapp", { kind: "verify", text: "", secret: "guessed" });
    expect(await refusal(handshake)).toMatchObject({ status: 403, code: "forbidden" });
    for (const path of ["/webhooks/signal", "/webhooks/slack/unknown", "/nothing"])
      expect(await refusal({ ...text, path })).toMatchObject({ status: 404, code: "not_found" });
    const get = { method: "GET", path: "/webhooks/slack", headers: {}, body: "" } as const;
    expect(await refusal(get)).toMatchObject({ status: 404 });
  });

  it("holds for a platform that is not configured, and for one person who is too fast", async () => {
    await using gateway = await startGateway({ dataDir: temporaryFolder() });
    expect(await refusal(webhook("slack", { text: "" }), gateway.url)).toMatchObject({ status: 404 });
    const message = {
      method: "POST",
      path: "/webhooks/test",
      headers: { "content-type": "application/json" },
      body: '{"message":"again"}',
    } as const;
    for (let n = 0; n < 20; n++) expect((await deliver(gateway.url, message)).status).toBe(200);
    const { status, code, retryAfter } = await refusal(message, gateway.url);
    expect({ status, code }).toEqual({ status: 429, code: "rate_limited" });
    expect(Number(retryAfter)).toBeGreaterThan(0);
  });

  it("holds for more than may wait: not stored, and taken when it is sent again later", async () => {
    await using platforms = await openPlatforms();
    const config = configFolder(
      `  queue: { waiting_per_conversation: 1 }\n  routes: [{ agent: assistant }]\n`,
    );
    await using gateway = await startGateway({ dataDir: temporaryFolder(), config, env: platforms.env });
    const { telegram } = platforms;
    const say = (text: string) => webhook("telegram", { channel: "9001", text });
    const third = say("third");
    expect((await deliver(gateway.url, say("demo: sleep 30s"))).status).toBe(200);
    expect((await deliver(gateway.url, say("second"))).status).toBe(200);
    expect(await refusal(third, gateway.url)).toEqual({ status: 503, code: "unavailable", retryAfter: "5" });
    expect((await deliver(gateway.url, say("/stop"))).status).toBe(200);
    await seenOn(telegram, () => telegram.messages.find(({ text }) => text === "You said: second"));
    expect((await deliver(gateway.url, third)).status).toBe(200);
    await seenOn(telegram, () => telegram.messages.find(({ text }) => text === "You said: third"));
  });

  it("holds for a thousand forgeries at once, and genuine ones are answered as before", async () => {
    const { gateway, platforms } = setup;
    const forgeries = Array.from({ length: 1_000 }, (_, n) =>
      deliver(gateway.url, {
        ...webhook(CHAT_PLATFORMS[n % 4] ?? "slack", { text: "flood" }),
        headers: {
          "content-type": "application/json",
          "x-slack-signature": "v0=00",
          "x-hub-signature-256": "",
        },
      }),
    );
    const statuses = new Set((await Promise.all(forgeries)).map(({ status }) => status));
    expect([...statuses]).toEqual([401]);
    for (const path of ["/health", "/ready"]) expect((await fetch(gateway.url + path)).status).toBe(200);
    const genuine = webhook("telegram", { channel: "9002", text: "still there?" });
    expect((await deliver(gateway.url, genuine)).status).toBe(200);
    const { telegram } = platforms;
    await seenOn(telegram, () => telegram.messages.find(({ chatId }) => chatId === 9002));
  });

  it("never had to say that something broke here", () => {
    expect(setup.gateway.stdout()).not.toContain('"http.failed"');
  });
});

/** Announces a body and sends none of it: whoever announces too much is refused before the first byte. */
function announce(request: SampleRequest, bytes: number): Promise<{ status: number; code: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(setup.gateway.url + request.path, {
      method: "POST",
      headers: { ...request.headers, "content-length": bytes },
    });
    outgoing.once("response", (incoming) => {
      json(incoming)
        .then((body) => resolve({ status: incoming.statusCode ?? 0, code: (body as ErrorBody).error.code }))
        .catch(reject)
        .finally(() => outgoing.destroy());
    });
    outgoing.once("error", reject);
    outgoing.flushHeaders();
  });
}

interface ErrorBody {
  readonly error: { readonly code: string };
}
