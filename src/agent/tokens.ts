import type { Message } from "../ports/model.ts";

/** Fewer bytes than in most tokens, so that an estimate is rather too high. */
export const BYTES_PER_TOKEN = 3;

/** Rather too high than too low, except for scripts that need more than one token for three bytes. */
export function estimateTokens(value: unknown): number {
  return Math.ceil(Buffer.byteLength(JSON.stringify(value)) / BYTES_PER_TOKEN);
}

/** Of a page of a PDF: rather many, as its text goes, with the image of it. What a call may cost is counted by its model. */
export const PAGE_TOKENS = 3_000;

/** With what the images and PDFs among them may take. */
export function promptTokens(messages: readonly Message[]): number {
  const pictures = messages.flatMap((message) => ("pictures" in message ? (message.pictures ?? []) : []));
  const pdfs = messages.flatMap((message) => ("pdfs" in message ? (message.pdfs ?? []) : []));
  return (
    estimateTokens(messages) +
    pictures.reduce((sum, { tokensMax }) => sum + tokensMax, 0) +
    pdfs.reduce((sum, { pages }) => sum + pages * PAGE_TOKENS, 0)
  );
}
