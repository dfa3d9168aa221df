// The floor: node:http and nothing else. It verifies, answers 200 and makes the call that says the message again.
import { createHmac, timingSafeEqual } from "node:crypto";
import { Agent, createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";

const { SLACK_API_URL = "", SLACK_BOT_TOKEN = "", SLACK_SIGNING_SECRET = "" } = process.env;
const { TELEGRAM_API_ROOT = "", TELEGRAM_BOT_TOKEN = "", TELEGRAM_WEBHOOK_SECRET = "" } = process.env;
const agent = new Agent({ keepAlive: true });

type Headers = IncomingMessage["headers"];

const PATHS: Readonly<Record<string, (body: Buffer, headers: Headers) => boolean>> = {
  "/webhooks/slack": slack,
  "/webhooks/telegram": telegram,
};

const server = createServer((incoming, outgoing) => {
  const chunks: Buffer[] = [];
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  incoming.on("end", () => {
    const isGenuine = PATHS[incoming.url ?? ""]?.(Buffer.concat(chunks), incoming.headers) === true;
    outgoing.writeHead(isGenuine ? 200 : 401);
    outgoing.end();
  });
});
// As behind a proxy: a connection that waits for a reply must not be closed as idle.
server.keepAliveTimeout = 65_000;
server.listen(0, "127.0.0.1", () => console.log(`listening ${(server.address() as AddressInfo).port}`));

function slack(body: Buffer, headers: Headers): boolean {
  const base = `v0:${String(headers["x-slack-request-timestamp"])}:`;
  const digest = createHmac("sha256", SLACK_SIGNING_SECRET).update(base).update(body).digest("hex");
  if (!isSame(`v0=${digest}`, headers["x-slack-signature"])) return false;
  const { event } = JSON.parse(body.toString()) as {
    event: { channel: string; ts: string; text: string };
  };
  post(`${SLACK_API_URL}chat.postMessage`, `Bearer ${SLACK_BOT_TOKEN}`, {
    channel: event.channel,
    thread_ts: event.ts,
    text: `You said: ${event.text}`,
  });
  return true;
}

function telegram(body: Buffer, headers: Headers): boolean {
  if (!isSame(TELEGRAM_WEBHOOK_SECRET, headers["x-telegram-bot-api-secret-token"])) return false;
  const { message } = JSON.parse(body.toString()) as { message: { chat: { id: number }; text: string } };
  post(`${TELEGRAM_API_ROOT}/bot${TELEGRAM_BOT_TOKEN}/sendMessage`, undefined, {
    chat_id: message.chat.id,
    text: `You said: ${message.text}`,
  });
  return true;
}

function isSame(expected: string, given: string | string[] | undefined): boolean {
  const [ours, theirs] = [Buffer.from(expected), Buffer.from(String(given))];
  return ours.length === theirs.length && timingSafeEqual(ours, theirs);
}

function post(url: string, authorization: string | undefined, message: object): void {
  const body = JSON.stringify(message);
  const headers = {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    ...(authorization !== undefined && { authorization }),
  };
  const outgoing = request(url, { agent, method: "POST", headers }, (response) => {
    const chunks: Buffer[] = [];
    response.on("data", (chunk: Buffer) => chunks.push(chunk));
    response.on("end", () => {
      const { ok } = JSON.parse(Buffer.concat(chunks).toString()) as { ok: boolean };
      if (!ok) throw new Error("Expected the platform to take the message");
    });
  });
  outgoing.end(body);
}
