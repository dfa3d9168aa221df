import { madeIdOf } from "../domain/attachment.ts";
import { FILES_SENT_MAX } from "../domain/bounds.ts";
import type { TriggerEvent } from "../domain/event.ts";
import { fileName, fileType } from "../domain/file-name.ts";
import { isSent, type MadeFile, type SentFile, type UnsentFile } from "../domain/made-file.ts";
import { redacted } from "../domain/redact.ts";
import { type Answer, filesMadeIn, type RunOutcome, type Step } from "../domain/run.ts";
import type { Adapter, OutgoingFiles } from "../ports/adapter.ts";
import type { Hold } from "../ports/agent.ts";
import type { NewId } from "../ports/clock.ts";
import { type Media, type MediaKey, MediaRefused } from "../ports/media.ts";
import type { FoundFile, LeftFile } from "../ports/tool.ts";
import { pictureType } from "../shared/picture.ts";
import { type FileLimits, inMib } from "./files.ts";
import { isPdf } from "./pdf.ts";

export interface MadeFilesDeps {
  readonly media: Pick<Media, "put">;
  readonly limits: FileLimits;
  readonly newId: NewId;
}

const UNKEPT = { full: "there is no room to keep it", failed: "it cannot be kept at the moment" } as const;

/**
 * Keeps the files that the tools of a run make, as those that come in are kept, until they are sent with its answer. What
 * cannot be sent is known before the answer is given: the model is told, and so is the person.
 */
export class MadeFiles {
  readonly #event: TriggerEvent;
  readonly #outgoing: OutgoingFiles | undefined;
  readonly #deps: MadeFilesDeps;
  readonly #made: MadeFile[];

  /** For a run that goes on after these steps. */
  static keeping(
    event: TriggerEvent,
    steps: readonly Step[],
    { outgoing }: Pick<Adapter, "outgoing">,
    { files: kept, newId }: { readonly files?: Omit<MadeFilesDeps, "newId">; readonly newId: NewId },
  ): Pick<Hold, "keepFile"> {
    if (kept === undefined) return {};
    const files = new MadeFiles(event, steps, outgoing, { ...kept, newId });
    return { keepFile: (file) => files.keep(file) };
  }

  private constructor(
    event: TriggerEvent,
    steps: readonly Step[],
    outgoing: OutgoingFiles | undefined,
    deps: MadeFilesDeps,
  ) {
    this.#event = event;
    this.#outgoing = outgoing;
    this.#deps = deps;
    this.#made = [...filesMadeIn(steps)];
  }

  /** Rejects as the store of files does. */
  async keep(found: FoundFile | LeftFile): Promise<MadeFile> {
    const made = "why" in found ? { name: this.#nameOf(found), why: found.why } : await this.#take(found);
    this.#made.push(made);
    return made;
  }

  async #take(found: FoundFile): Promise<MadeFile> {
    const { mime, data } = asItIs(found);
    const name = this.#nameOf(found, mime);
    const why = this.#refusal({ mime, bytes: data.length });
    return why === null ? await this.#put(name, mime, data) : { name, why };
  }

  #nameOf({ name }: { readonly name: string }, mime = ""): string {
    const taken = this.#made.map((file) => file.name);
    return fileName(redacted(name), mime, taken);
  }

  async #put(name: string, mime: string, data: Buffer): Promise<MadeFile> {
    const { media, limits, newId } = this.#deps;
    const id = newId("file");
    try {
      const bytes = await media.put(this.#keyOf(id), once(data), limits.fileBytes);
      return { id, name, mime, bytes };
    } catch (error) {
      if (!(error instanceof MediaRefused)) throw error;
      const too = `it is larger than ${inMib(limits.fileBytes)}`;
      return { name, why: error.why === "too-large" ? too : UNKEPT[error.why] };
    }
  }

  #keyOf(id: string): MediaKey {
    return { conversation: this.#event.conversation, id: madeIdOf(this.#event, { id }) };
  }

  #refusal(file: { readonly mime: string; readonly bytes: number }): string | null {
    const { limits } = this.#deps;
    const outgoing = this.#outgoing;
    if (outgoing === undefined) return "no files can be sent here";
    const sent = this.#made.filter(isSent);
    if (sent.length >= FILES_SENT_MAX) return `one answer takes no more than ${FILES_SENT_MAX} files`;
    if (file.bytes === 0) return "it is empty";
    const bytesMax = Math.min(outgoing.bytesMax, limits.fileBytes);
    if (file.bytes > bytesMax) return `it is larger than ${inMib(bytesMax)}`;
    const all = sent.reduce((sum, { bytes }) => sum + bytes, file.bytes);
    if (all > limits.eventBytes) return `all files together are larger than ${inMib(limits.eventBytes)}`;
    return outgoing.refusal?.(file) ?? null;
  }
}

/** What goes out with an answer, and what is told not to. Of a run that failed, or that somebody ended, nothing is. */
export function filesFor(
  { outcome }: Pick<Answer, "outcome">,
  steps: readonly Step[],
): { readonly files: readonly SentFile[]; readonly unsent: readonly UnsentFile[] } {
  const made = UNWANTED.has(outcome) ? [] : filesMadeIn(steps);
  return { files: made.filter(isSent), unsent: made.filter((file): file is UnsentFile => !isSent(file)) };
}

const UNWANTED: ReadonlySet<RunOutcome> = new Set(["stopped", "refused", "failed"]);

/** The bytes say what a picture is; of a text no secret of ours goes out. */
function asItIs({ mime, data }: FoundFile): { readonly mime: string; readonly data: Buffer } {
  const known = pictureType(data) ?? (isPdf(data) ? "application/pdf" : null);
  if (known !== null) return { mime: known, data };
  const said = fileType(mime);
  // What only calls itself an image is one that no platform shows.
  const type = SHOWN.test(said) ? "application/octet-stream" : said;
  const text = textOf(data);
  if (text === null) return { mime: type, data };
  const clean = redacted(text);
  return { mime: type, data: clean === text ? data : Buffer.from(clean) };
}

const SHOWN = /^(?:image\/(?:png|jpeg|gif|webp)|application\/pdf)$/;

function textOf(data: Buffer): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    return null;
  }
}

async function* once(data: Buffer): AsyncGenerator<Uint8Array> {
  yield data;
}
