import type { SampleRequest } from "../../adapters/shared/sample.ts";
import { longText } from "../../src/models/demo-script.ts";
import { CHAT_PLATFORMS, type ChatPlatform, deliver, privateMessage, webhook } from "./platforms.ts";

/** Resolves waiters when a count is reached: moments to act at, without a clock. */
export class Tally {
  #count = 0;
  readonly #waiting = new Set<{ atLeast: number; resolve: () => void }>();

  get count(): number {
    return this.#count;
  }

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

/** One message to the bot. */
export interface Question {
  readonly request: SampleRequest;
  /** Names it in its own text and in that of its answer. */
  readonly topic: string;
  /** What the records must hold about it, in this order. */
  readonly expected: readonly string[];
  isAcknowledged: boolean;
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
  readonly asked: Question[];
}

export function openConversations(count: number): readonly Conversation[] {
  return Array.from({ length: count }, (_, n) => {
    const platform = CHAT_PLATFORMS[n % CHAT_PLATFORMS.length] ?? "slack";
    const isThread = platform === "slack" && n % 8 === 0;
    const person = 100_000 + n;
    const place = platform === "slack" ? `${isThread ? "C" : "D"}${person}` : String(person);
    return { platform, person, place, isThread, thread: null, asked: [] };
  });
}

const LONG_CHARS = 5_000;

/** What in a text tells which part of which answer it is. */
export function tokensIn(text: string): readonly string[] {
  return text.match(/\bask-\d+-\d+\b|\bSentence \d+\b/g) ?? [];
}

/** The next question. A long answer has the same sentences wherever it is, so a conversation has one at most. */
export function nextQuestion(conversation: Conversation): Question {
  const { platform, person, asked, isThread } = conversation;
  const topic = `ask-${person}-${asked.length}`;
  const isLong = asked.length === 1 && person % 3 === 0;
  const text = isLong ? `${topic}\ndemo: long ${LONG_CHARS}` : topic;
  const request = isThread ? inThread(conversation, text) : privateMessage(platform, { person, text });
  const expected = [topic, ...(isLong ? tokensIn(longText(LONG_CHARS)) : [])];
  const question = { request, topic, expected, isAcknowledged: false };
  asked.push(question);
  return question;
}

function inThread(conversation: Conversation, text: string): SampleRequest {
  const { place: channel, thread } = conversation;
  if (thread !== null) return webhook("slack", { kind: "thread", channel, thread, text });
  const request = webhook("slack", { kind: "mention", channel, text });
  conversation.thread = JSON.parse(request.body).event.ts;
  return request;
}

export interface Sending {
  /** Where to send it now. */
  readonly door: { url(): Promise<string> };
  /** Counts webhooks on their way, and those that got their 200. */
  readonly begun: Tally;
  readonly acknowledged: Tally;
  /** How long to wait for an answer; as long as it takes when absent. */
  readonly patienceMs?: number;
  /** Hears each answer, null being none, and decides when the next try follows one that is no 200. */
  readonly answered?: (question: Question, answer: { url: string; status: number | null }) => Promise<void>;
}

/** As a platform does it: again, with the same id, until it gets a 200. */
export async function sendUntilTaken(question: Question, sending: Sending): Promise<void> {
  const { door, begun, acknowledged, patienceMs, answered } = sending;
  for (;;) {
    const url = await door.url();
    const answer = deliver(url, question.request, patienceMs).then(
      ({ status }) => status,
      () => null,
    );
    begun.add();
    const status = await answer;
    await answered?.(question, { url, status });
    if (status === 200) break;
  }
  question.isAcknowledged = true;
  acknowledged.add();
}
