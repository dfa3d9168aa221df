import type { SampleRequest } from "../../adapters/shared/sample.ts";
import { longText } from "../../src/models/demo-script.ts";
import { CHAT_PLATFORMS, type ChatPlatform, deliver, privateMessage, webhook } from "./platforms.ts";

/** Resolves waiters when a count is reached: moments to act at, without a clock. */
export class Tally {
  #count = 0;
  readonly #waiting = new Set<{ atLeast: number; resolve: () => void }>();

  add(): void {
    this.#count++;
    for (const waiter of this.#waiting) {
      if (this.#count < waiter.atLeast) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }

  /** Resolves after `more` further ones. */
  after(more: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.add({ atLeast: this.#count + more, resolve }));
  }
}

/** Where the gateway is, while it is; senders wait here while it is not. */
export class Door {
  #open: PromiseWithResolvers<string> = Promise.withResolvers();

  open(url: string): void {
    this.#open.resolve(url);
  }

  shut(): void {
    this.#open = Promise.withResolvers();
  }

  url(): Promise<string> {
    return this.#open.promise;
  }
}

/** One conversation and what was asked in it, oldest first. */
export interface Conversation {
  readonly platform: ChatPlatform;
  readonly person: number;
  /** As the platform's records name it. */
  readonly place: string;
  /** Slack alone: begun by a mention, gone on with in its thread without one. */
  readonly isThread: boolean;
  thread: string | null;
  readonly asked: SampleRequest[];
  /** What the records must hold about it, in this order. */
  readonly expected: string[];
}

export function openConversations(count: number): readonly Conversation[] {
  return Array.from({ length: count }, (_, n) => {
    const platform = CHAT_PLATFORMS[n % CHAT_PLATFORMS.length] ?? "slack";
    const isThread = platform === "slack" && n % 8 === 0;
    const person = 100_000 + n;
    const place = platform === "slack" ? `${isThread ? "C" : "D"}${person}` : String(person);
    return { platform, person, place, isThread, thread: null, asked: [], expected: [] };
  });
}

const LONG_CHARS = 5_000;

/** What in a text tells which part of which answer it is. */
export function tokensIn(text: string): readonly string[] {
  return text.match(/\bask-\d+-\d+\b|\bSentence \d+\b/g) ?? [];
}

/** The next question. A long answer has the same sentences wherever it is, so a conversation has one at most. */
export function nextQuestion(conversation: Conversation): SampleRequest {
  const { platform, person, asked, expected, isThread } = conversation;
  const topic = `ask-${person}-${asked.length}`;
  const isLong = asked.length === 1 && person % 3 === 0;
  expected.push(topic, ...(isLong ? tokensIn(longText(LONG_CHARS)) : []));
  const text = isLong ? `${topic}\ndemo: long ${LONG_CHARS}` : topic;
  const request = isThread ? inThread(conversation, text) : privateMessage(platform, { person, text });
  asked.push(request);
  return request;
}

function inThread(conversation: Conversation, text: string): SampleRequest {
  const { place: channel, thread } = conversation;
  if (thread !== null) return webhook("slack", { kind: "thread", channel, thread, text });
  const request = webhook("slack", { kind: "mention", channel, text });
  conversation.thread = JSON.parse(request.body).event.ts;
  return request;
}

export interface Sending {
  readonly door: Door;
  /** Counts webhooks on their way, and those that got their 200. */
  readonly begun: Tally;
  readonly acknowledged: Tally;
}

/** As a platform does it: again, with the same id, until it gets a 200. */
export async function sendUntilTaken(request: SampleRequest, sending: Sending): Promise<void> {
  for (;;) {
    const url = await sending.door.url();
    const answer = deliver(url, request).then(
      ({ status }) => status,
      () => null,
    );
    sending.begun.add();
    if ((await answer) === 200) break;
  }
  sending.acknowledged.add();
}
