import { madeIdOf } from "../domain/attachment.ts";
import type { SentFile } from "../domain/made-file.ts";
import { redactedPart } from "../domain/redact.ts";
import type { Adapter, OutgoingFiles } from "../ports/adapter.ts";
import { type KeptFile, type Media, MediaRefused } from "../ports/media.ts";
import type { Job } from "../ports/queue.ts";
import { isRejected, messageOf } from "../shared/fault.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { type DeliverDeps, deliver } from "./deliver.ts";
import { fileRefusedText } from "./texts.ts";

export interface DeliverFilesDeps extends DeliverDeps {
  readonly metrics: DeliverDeps["metrics"] & Pick<Metrics, "filesSent">;
  /** Absent: none is kept. */
  readonly media: Pick<Media, "find"> | undefined;
}

/**
 * Sends the files of an answer behind its words, each once, as `deliver` says parts. What the platform does not take is told in
 * its place. Throws as `deliver` does.
 */
export async function deliverFiles(
  job: Job,
  files: readonly SentFile[],
  adapter: Adapter,
  { media, ...deps }: DeliverFilesDeps,
  signal: AbortSignal,
): Promise<void> {
  if (files.length === 0) return;
  const { outgoing, platform } = adapter;
  const { id: eventId, conversation } = job.event;
  const readFile = async (id: string) =>
    await wholeOf((await media?.find({ conversation, id: madeIdOf({ id: eventId }, { id }) })) ?? null);
  // The process may have been started again with a version, or settings, under which nothing goes out.
  const messages = outgoing === undefined ? [files] : messagesOf(files, outgoing);
  for (const [index, message] of messages.entries()) {
    const saying = { ...deps, follows: true, readFile, beside: `${FILES_PART}${index + 1}` };
    let cause: string | null = "nothing goes out there";
    if (outgoing !== undefined) {
      const part = redactedPart(outgoing.render(message));
      cause = await deliver(job, [part], adapter, saying, signal).then(() => null, causeOf);
    }
    if (cause !== null) await tell(message, cause, { job, adapter, deps: saying, signal });
    deps.metrics.filesSent.inc({ platform, outcome: cause === null ? "sent" : "refused" }, message.length);
  }
}

/** Adapters know files behind an answer by the ids of their parts: `<answer>/file-1/0`. */
export const FILES_PART = "file-";

async function tell(
  files: readonly SentFile[],
  cause: string,
  saying: { job: Job; adapter: Adapter; deps: DeliverDeps; signal: AbortSignal },
): Promise<void> {
  const { job, adapter, deps, signal } = saying;
  const { id, conversation } = job.event;
  const about = { event_id: id, conversation_id: conversation, platform: adapter.platform };
  deps.log.warn({ ...about, files: files.length, cause }, "reply.files_refused");
  const text = fileRefusedText(files.map(({ name }) => name));
  const parts = adapter.render(text, deps.to ?? job.event.replyTo).map(redactedPart);
  const { readFile: _, ...plain } = deps;
  await deliver(job, parts, adapter, { ...plain, beside: `${deps.beside ?? ""}-refused` }, signal);
}

/** Why it will never be taken; what may pass is thrown again. */
function causeOf(error: unknown): string {
  if (isRejected(error)) return messageOf(error);
  throw error;
}

/** As many together as one message takes. */
function messagesOf(
  files: readonly SentFile[],
  { filesMax, messageBytesMax }: OutgoingFiles,
): readonly (readonly SentFile[])[] {
  const messages: SentFile[][] = [];
  let bytes = 0;
  for (const file of files) {
    const last = messages.at(-1);
    bytes += file.bytes;
    if (last !== undefined && last.length < filesMax && bytes <= messageBytesMax) last.push(file);
    else {
      messages.push([file]);
      bytes = file.bytes;
    }
  }
  return messages;
}

async function wholeOf(kept: KeptFile | null): Promise<Buffer | null> {
  if (kept === null) return null;
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of kept.read()) chunks.push(chunk);
  } catch (error) {
    if (error instanceof MediaRefused) return null;
    throw error;
  }
  return Buffer.concat(chunks);
}
