// A remote agent for Parley: node remote-agent.ts (Node 24, no packages). docs/remote-agents.md has the protocol.
import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

interface Turn {
  readonly turn_id: string;
  readonly sender: { readonly id: string; readonly name: string };
  readonly text: string;
  readonly history: readonly { readonly role: "user" | "assistant"; readonly text: string }[];
  readonly decision?: {
    readonly id: string;
    readonly choice: string | null;
    readonly by: { readonly name: string } | null;
  };
}

const { AGENT_SECRET = "", PORT = "8090" } = process.env;
const key = Buffer.from(AGENT_SECRET.replace(/^whsec_/, ""), "base64");
const BODY_BYTES_MAX = 16 * 1024 * 1024;
const TOLERANCE_SECONDS = 300;

function isSigned({ headers }: IncomingMessage, body: Buffer): boolean {
  const [id, timestamp, signatures] = ["id", "timestamp", "signature"].map(
    (name) => headers[`webhook-${name}`],
  );
  const ageSeconds = Math.abs(Date.now() / 1000 - Number(timestamp));
  if (key.length === 0 || !(ageSeconds < TOLERANCE_SECONDS)) return false;
  const expected = createHmac("sha256", key)
    .update(`${String(id)}.${String(timestamp)}.`)
    .update(body)
    .digest();
  return String(signatures)
    .split(" ")
    .some((one) => {
      const given = Buffer.from(one.replace(/^v1,/, ""), "base64");
      return one.startsWith("v1,") && given.length === expected.length && timingSafeEqual(given, expected);
    });
}

async function answer(turn: Turn, say: (event: string, data: object) => void): Promise<void> {
  if (turn.text === "deploy" && turn.decision === undefined) {
    say("ask", { id: "deploy", question: "Deploy to production?", choices: ["Deploy", "Not now"] });
    return say("end", { stop: "end" });
  }
  // Goes out with the answer; `data_base64` is for what is no text.
  if (turn.text === "report")
    say("file", { name: "report.csv", mime: "text/csv", text: "who,how many\nAnn,3\n" });
  const { decision } = turn;
  const text = decision
    ? `${decision.by?.name ?? "Nobody"} chose ${decision.choice ?? "nothing"}.`
    : `Hello ${turn.sender.name}, you said: ${turn.text}`;
  // Your own model or runtime belongs here. The same turn_id must give the same answer.
  for (const word of text.match(/\s*\S+/g) ?? []) say("text", { text: word });
  say("usage", { input_tokens: 10, output_tokens: 10, cost_cents: 0 });
  say("end", { stop: "end" });
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== "POST") return void response.writeHead(405).end();
  const body = await bodyOf(request);
  if (body === null) return void response.writeHead(413).end();
  if (!isSigned(request, body)) return void response.writeHead(401).end();
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  await answer(JSON.parse(body.toString("utf8")) as Turn, (event, data) => {
    response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  });
  response.end();
}

const server = createServer((request, response) => {
  handle(request, response).catch(() => response.destroy());
});
server.listen(Number(PORT), "127.0.0.1", () => {
  const address = server.address();
  console.log(`listening on ${typeof address === "object" ? address?.port : address}`);
});
