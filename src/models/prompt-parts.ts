import type { PictureView } from "../domain/attachment.ts";
import type { Message, Prompt } from "../ports/model.ts";

/** With who says it, where several people talk. */
export function spokenText({ name, text }: Extract<Message, { role: "user" }>): string {
  return name === undefined ? text : `${name}: ${text}`;
}

/** For who asks what a prompt costs: a picture costs by its size in pixels, and not by its bytes. */
export function withoutPictures(prompt: Prompt): {
  readonly words: Prompt;
  readonly pictures: readonly PictureView[];
} {
  const all: PictureView[] = [];
  const messages = prompt.messages.map((message) => {
    if (message.role !== "user" || message.pictures === undefined) return message;
    const { pictures, ...rest } = message;
    all.push(...pictures);
    return rest;
  });
  return { words: { ...prompt, messages }, pictures: all };
}

/** What a provider adds to a request on its side: its own instructions for tools, and a frame for each message. */
const HIDDEN_TOKENS = 2_000;
const HIDDEN_TOKENS_PER_MESSAGE = 20;

/** Of a request without pictures. No token is shorter than a byte, so this holds for every language. */
export function inputTokensMax(body: object, messages: number): number {
  return Buffer.byteLength(JSON.stringify(body)) + HIDDEN_TOKENS + HIDDEN_TOKENS_PER_MESSAGE * messages;
}
