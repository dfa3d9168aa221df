import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { longText } from "../../src/models/demo-script.ts";
import { messageEnd, messageStart, textBlock } from "../models/sse-server.ts";
import type { Dice } from "../simulation/dice.ts";

/** One call of the model, as the provider sees it. */
export interface ModelCall {
  /** Who called: the key that came with it. */
  readonly by: string;
  /** The message that is to be answered. */
  readonly topic: string;
  /** The messages before it that the model was shown, oldest first. */
  readonly history: readonly string[];
  readonly beganAtMs: number;
  /** When the answer was out, or the caller gone. */
  endedAtMs: number;
}

export interface ModelServer extends AsyncDisposable {
  /** For `ANTHROPIC_BASE_URL`. */
  readonly url: string;
  readonly calls: readonly ModelCall[];
}

const THINKING_MS_MIN = 5;
const THINKING_MS_MAX = 60;
const TOPIC = /\bask-\d+-\d+\b/;

/** Claude, as far as this goes: it thinks for a moment, or as long as it is told, and repeats what it was asked. */
export async function startModelServer(
  dice: Dice,
  nowMs: () => number,
  thinks: (topic: string) => Promise<unknown> = () => sleep(dice.between(THINKING_MS_MIN, THINKING_MS_MAX)),
): Promise<ModelServer> {
  const calls: ModelCall[] = [];

  async function handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const beganAtMs = nowMs();
    let body = "";
    for await (const chunk of incoming) body += String(chunk);
    const questions = questionsIn(JSON.parse(body));
    const text = questions.at(-1) ?? "";
    const [topic, ...earlier] = questions.map((question) => TOPIC.exec(question)?.[0] ?? "?").reverse();
    const by = String(incoming.headers.authorization).replace("Bearer ", "");
    const call: ModelCall = {
      by,
      topic: topic ?? "?",
      history: earlier.reverse(),
      beganAtMs,
      endedAtMs: Infinity,
    };
    calls.push(call);
    outgoing.on("close", () => {
      call.endedAtMs = nowMs();
    });
    outgoing.writeHead(200, { "content-type": "text/event-stream" });
    outgoing.write(wire([messageStart()]));
    await thinks(call.topic);
    outgoing.end(wire([...textBlock(0, answerTo(text, call.topic)), ...messageEnd("end_turn")]));
  }

  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing).catch((error: unknown) => outgoing.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** A directive of the demo model, so that the same questions can be asked of both; indented where several people talk. */
function answerTo(text: string, topic: string): string {
  const long = /^\s*demo: long (\d+)$/m.exec(text)?.[1];
  return `You said: ${topic}${long === undefined ? "" : `\n\n${longText(Number(long))}`}`;
}

interface Body {
  readonly messages: readonly { role: string; content: readonly { text?: string }[] | string }[];
}

/** A part of a prompt in which the gateway tells how something was said; where several people talk, by whom. */
const GATEWAYS_OWN = /^(?:[^\n⟦⟧]*: )?⟦[^⟦⟧]*⟧$/;

/** What people said, oldest first. */
function questionsIn({ messages }: Body): string[] {
  return messages
    .filter(({ role }) => role === "user")
    .flatMap(({ content }) =>
      typeof content === "string" ? [content] : content.map(({ text = "" }) => text),
    )
    .filter((text) => !GATEWAYS_OWN.test(text));
}

function wire(events: readonly object[]): string {
  return events
    .map((event) => `event: ${(event as { type: string }).type}\ndata: ${JSON.stringify(event)}\n\n`)
    .join("");
}
