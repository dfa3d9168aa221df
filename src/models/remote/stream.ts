import { createParser, type EventSourceMessage } from "eventsource-parser";
import { ModelError } from "../../domain/errors.ts";
import type { StopReason, Usage } from "../../domain/run.ts";
import type { Chunk } from "../../ports/model.ts";
import type { FoundFile } from "../../ports/tool.ts";
import { type JsonObject, parseJsonObject } from "../../shared/json.ts";
import { REMOTE_ASK } from "./ask.ts";

/** Of one answer, all events together. */
const STREAM_BYTES_MAX = 16 * 1024 * 1024;
/** More than an answer takes (domain/bounds.ts): those are told to the person. */
const FILES_MAX = 20;
const FILE_NAME_CHARS_MAX = 200;
const CHOICES_MAX = 10;
const CHOICE_CHARS_MAX = 75;

const TITLE = "Remote agent";
const STOPS: ReadonlySet<string> = new Set(["end", "length", "refusal"] satisfies StopReason[]);

/**
 * What the events of a remote agent say. `budgetCents`: what an answer costs that does not tell. Throws ModelError for an
 * `error` event, for what breaks the protocol, and where there is no `end`; an `ask` may end the stream, too.
 */
export async function* remoteChunks(
  body: AsyncIterable<Uint8Array>,
  budgetCents: number,
  heard?: () => void,
): AsyncGenerator<Chunk> {
  let usage: Partial<Usage> = {};
  let asks = 0;
  const files: FoundFile[] = [];
  const ended = (stop: StopReason): Chunk => ({
    kind: "end",
    stop,
    usage: wholeUsage(usage, asks, budgetCents),
  });
  for await (const { event = "message", data } of eventsIn(body, heard)) {
    if (event === "text") yield { kind: "text", text: textIn(dataOf(event, data)) };
    else if (event === "usage") usage = usageIn(dataOf(event, data));
    else if (event === "ask") {
      asks++;
      yield { kind: "tool-call", call: askIn(dataOf(event, data)) };
    } else if (event === "file") {
      if (files.length >= FILES_MAX) throw cut(`event file: expected at most ${FILES_MAX}, got more`, false);
      files.push(fileIn(dataOf(event, data)));
    } else if (event === "error") throw errorIn(dataOf(event, data), usage);
    else if (event === "end") {
      const { stop } = data === "" ? {} : dataOf(event, data);
      // What went before a question is replaced by what is said after it.
      if (asks === 0) for (const file of files) yield { kind: "file", file };
      const known = typeof stop === "string" && STOPS.has(stop) ? (stop as StopReason) : "end";
      yield ended(asks > 0 ? "tools" : known);
      return;
    }
  }
  if (asks === 0) throw cut("the answer stopped without an end", true);
  yield ended("tools");
}

async function* eventsIn(
  body: AsyncIterable<Uint8Array>,
  heard?: () => void,
): AsyncGenerator<EventSourceMessage> {
  const events: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => events.push(event) });
  const decoder = new TextDecoder();
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > STREAM_BYTES_MAX)
      throw cut(`expected at most ${STREAM_BYTES_MAX} bytes of answer, got more`, false);
    heard?.();
    parser.feed(decoder.decode(chunk, { stream: true }));
    yield* events.splice(0);
  }
}

function dataOf(event: string, data: string): JsonObject {
  const read = parseJsonObject(data);
  if (read.ok) return read.value;
  throw cut(`event ${event}: ${read.message}`, false);
}

function textIn({ text }: JsonObject): string {
  if (typeof text === "string") return text;
  throw cut(`event text: expected text as a string, got ${typeof text}`, false);
}

function fileIn({ name, mime, text, data_base64: base64 }: JsonObject): FoundFile {
  if (typeof name !== "string" || name.trim() === "" || name.length > FILE_NAME_CHARS_MAX)
    throw cut(`event file: expected name as a string of 1 to ${FILE_NAME_CHARS_MAX} characters`, false);
  if (mime !== undefined && typeof mime !== "string")
    throw cut(`event file: expected mime as a string, got ${typeof mime}`, false);
  if (typeof text === "string" && base64 === undefined) return { name, mime, data: Buffer.from(text) };
  if (text !== undefined || typeof base64 !== "string" || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64))
    throw cut("event file: expected text as a string, or data_base64 as base64", false);
  return { name, mime, data: Buffer.from(base64, "base64") };
}

function askIn({ id, question, choices = [] }: JsonObject) {
  if (typeof id !== "string" || id === "" || id.length > 200)
    throw cut("event ask: expected id as a string of 1 to 200 characters", false);
  if (typeof question !== "string" || question.trim() === "")
    throw cut("event ask: expected question as a string that is not empty", false);
  const isList = Array.isArray(choices) && choices.length <= CHOICES_MAX && choices.every(isChoice);
  if (!isList)
    throw cut(
      `event ask: expected choices as at most ${CHOICES_MAX} strings of 1 to ${CHOICE_CHARS_MAX} characters`,
      false,
    );
  return { id, name: REMOTE_ASK.name, input: { question, choices } };
}

function isChoice(value: unknown): boolean {
  return typeof value === "string" && value.trim() !== "" && value.length <= CHOICE_CHARS_MAX;
}

function usageIn(said: JsonObject): Partial<Usage> {
  const number = (name: string) => {
    const value = said[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value === "number" && Number.isFinite(value) && value >= 0) return value;
    throw cut(`event usage: expected ${name} as a number from 0 up`, false);
  };
  const [inputTokens, outputTokens, costCents] = ["input_tokens", "output_tokens", "cost_cents"].map(number);
  return {
    ...(inputTokens !== undefined && { inputTokens }),
    ...(outputTokens !== undefined && { outputTokens }),
    ...(costCents !== undefined && { costCents }),
  };
}

/** Of a turn that asks, the rest is told, or taken as the whole budget, when it has ended. */
function wholeUsage(said: Partial<Usage>, asks: number, budgetCents: number): Usage {
  const costCents = asks > 0 ? 0 : budgetCents;
  return { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0, costCents, ...said };
}

/** Its own words may quote what people wrote: only its code is shown. */
function errorIn({ code, retryable }: JsonObject, used: Partial<Usage>): ModelError {
  const word = typeof code === "string" && /^[\w.-]{1,80}$/.test(code) ? code : "no code";
  const hasCost = Object.keys(used).length > 0;
  return retryable === true || hasCost
    ? new ModelError("MODEL_STREAM_CUT", `${TITLE}: ${word}`, { retryable: retryable === true })
    : new ModelError("MODEL_REQUEST_REJECTED", `${TITLE}: ${word}`, { retryable: false });
}

function cut(what: string, retryable: boolean): ModelError {
  return new ModelError("MODEL_STREAM_CUT", `${TITLE}: ${what}`, { retryable });
}

/** What a status other than 200 means. */
export function refusedBy(status: number, retryAfterMs: number | null): ModelError {
  const what = `${TITLE}: answered ${status}`;
  if (status === 429) return new ModelError("MODEL_RATE_LIMITED", what, { retryable: true, retryAfterMs });
  if (status >= 500) return new ModelError("MODEL_OVERLOADED", what, { retryable: true, retryAfterMs });
  if (status === 401 || status === 403)
    return new ModelError("MODEL_REQUEST_REJECTED", `${what}; look at model.secret`, { retryable: false });
  if (status >= 300 && status < 400)
    return new ModelError(
      "MODEL_REQUEST_REJECTED",
      `${what}, a redirect, which is not followed; look at model.url`,
      {
        retryable: false,
      },
    );
  return new ModelError("MODEL_REQUEST_REJECTED", what, { retryable: false });
}

/** Null: it is a stream of events. */
export function notAStream(contentType: string | null): ModelError | null {
  if (/^text\/event-stream\b/i.test(contentType ?? "")) return null;
  return new ModelError("MODEL_REQUEST_REJECTED", `${TITLE}: expected text/event-stream`, {
    retryable: false,
  });
}
