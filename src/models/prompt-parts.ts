import type { PdfView, PictureView } from "../domain/attachment.ts";
import type { Message, Prompt } from "../ports/model.ts";

/** With who says it, where several people talk. */
export function spokenText({ name, text }: Extract<Message, { role: "user" }>): string {
  return name === undefined ? text : `${name}: ${text}`;
}

/** Behind the result of a tool, for a model that takes no pictures there. */
export function unseen(pictures: readonly PictureView[] = []): string {
  return pictures.length === 0 ? "" : "\n⟦the images cannot be shown⟧";
}

/** For who asks what a prompt costs: a picture costs by its size in pixels, a PDF by its pages, and neither by its bytes. */
export function withoutFiles(prompt: Prompt): {
  readonly words: Prompt;
  readonly pictures: readonly PictureView[];
  readonly pdfPages: number;
} {
  const all: PictureView[] = [];
  const pdfs: PdfView[] = [];
  const messages = prompt.messages.map((message) => {
    if (message.role === "tool" && message.pictures !== undefined) {
      const { pictures, ...rest } = message;
      all.push(...pictures);
      return rest;
    }
    if (message.role !== "user" || (message.pictures ?? message.pdfs) === undefined) return message;
    const { pictures, pdfs: documents, ...rest } = message;
    all.push(...(pictures ?? []));
    pdfs.push(...(documents ?? []));
    return rest;
  });
  return {
    words: { ...prompt, messages },
    pictures: all,
    pdfPages: pdfs.reduce((sum, { pages }) => sum + pages, 0),
  };
}

/** What a provider adds to a request on its side: its own instructions for tools, and a frame for each message. */
const HIDDEN_TOKENS = 2_000;
const HIDDEN_TOKENS_PER_MESSAGE = 20;

/** Of a page of a PDF, beside the image of it: what providers name for one that is full of text. */
export const PAGE_TEXT_TOKENS = 3_000;

/** Of a request without files. No token is shorter than a byte, so this holds for every language. */
export function inputTokensMax(body: object, messages: number): number {
  return Buffer.byteLength(JSON.stringify(body)) + HIDDEN_TOKENS + HIDDEN_TOKENS_PER_MESSAGE * messages;
}
