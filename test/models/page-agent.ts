import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

// A remote agent that was written from docs/remote-agents.md alone, by somebody who had seen nothing else of Parley.

interface Turn {
  turn_id: string;
  sender: { id: string; name: string };
  text: string;
  history: { role: string; name: string | null; text: string }[];
  budget: { cents: number; seconds: number };
  decision?: { id: string; choice: string | null; by: { name: string } | null; reason?: string };
}

/** `breaksFirst`: its stream of a new turn ends in the middle, and it goes on when it is asked again. */
export async function pageAgent(secret: string, { breaksFirst = false } = {}) {
  const turns = new Map<string, number>();
  const posts: Turn[] = [];
  const server = createServer((request, response) => void serve(request, response));
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await request.toArray());
    if (!isGenuine(request, body, secret)) {
      response.writeHead(401).end();
      return;
    }
    const turn = JSON.parse(body.toString("utf8")) as Turn;
    posts.push(turn);
    const times = (turns.get(turn.turn_id) ?? 0) + 1;
    turns.set(turn.turn_id, times);
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write(": thinking\n\n");
    if (breaksFirst && times === 1) {
      say(response, "text", { text: "Half of " });
      response.end();
      return;
    }
    answer(turn, response);
    response.end();
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/agent`, posts };
}

function answer({ text, decision, history, sender }: Turn, response: ServerResponse): void {
  if (text.includes("release") && decision === undefined) {
    // Approve and Deny, where nothing is said of them.
    say(response, "ask", { id: "release-1", question: `May ${sender.name} release?` });
    say(response, "usage", { cost_cents: 2 });
    return;
  }
  const words = decision
    ? `It is ${decision.choice ?? `nobody's word: ${decision.reason}`}, says ${decision.by?.name ?? "nobody"}.`
    : `You said "${text}", after ${history.length} lines.`;
  for (const piece of words.match(/.{1,7}/g) ?? []) say(response, "text", { text: piece });
  say(response, "usage", { input_tokens: text.length, output_tokens: words.length, cost_cents: 1.5 });
  say(response, "end", { stop: "end" });
}

function say(response: ServerResponse, event: string, data: object): void {
  response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

function isGenuine({ headers }: IncomingMessage, body: Buffer, secret: string): boolean {
  const id = String(headers["webhook-id"]);
  const timestamp = String(headers["webhook-timestamp"]);
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const mac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
  const [wanted, given] = [Buffer.from(`v1,${mac}`), Buffer.from(String(headers["webhook-signature"]))];
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}
