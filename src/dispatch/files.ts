import {
  type Attachment,
  type FileRecord,
  type FileView,
  type FileViews,
  mediaIdOf,
} from "../domain/attachment.ts";
import {
  FILE_TEXT_BYTES_MAX,
  FILE_TIMEOUT_MS,
  FILES_AT_ONCE,
  FILES_MAX,
  FILES_TIMEOUT_MS,
  PDF_PAGES_MAX,
} from "../domain/bounds.ts";
import type { ContextItem } from "../domain/context.ts";
import { DeliveryError } from "../domain/errors.ts";
import type { TriggerEvent } from "../domain/event.ts";
import type { Adapter } from "../ports/adapter.ts";
import type { Clock } from "../ports/clock.ts";
import { type FileFault, type FileReader, FileUnreadable } from "../ports/files.ts";
import { type Media, type MediaKey, MediaRefused } from "../ports/media.ts";
import { describe } from "../shared/fault.ts";
import { eventIds } from "../telemetry/event-ids.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { unread, VIEW_BYTES_MAX, viewOf } from "./file-view.ts";

/** How much of what comes in is kept. */
export interface FileLimits {
  readonly fileBytes: number;
  /** Of all files that one message brings. */
  readonly eventBytes: number;
}

export interface FilesDeps {
  readonly media: Media;
  readonly limits: FileLimits;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<Metrics, "mediaFetches" | "mediaFetchSeconds">;
}

/** Waits before the second and the third try. */
const AGAIN_MS = [500, 2_000] as const;
/** A platform that asks to wait for longer is not waited for. */
const ASKED_MS_MAX = 5_000;
/** What one run holds in memory of all the files that it shows. */
const SHOWN_BYTES_MAX = 8 * 1024 * 1024;
const MIB = 1024 * 1024;

/**
 * The files of what one run answers. Each is fetched once, after the acknowledgement, and kept where whoever goes on with the
 * run finds it; what could not be read the model is told, and the run goes on.
 */
export class RunFiles {
  readonly #adapter: Adapter;
  readonly #deps: FilesDeps;
  readonly #records: FileRecord[];
  readonly #views = new Map<string, FileView>();
  #shownBytes = 0;
  #shownPages = 0;

  constructor(adapter: Adapter, records: readonly FileRecord[], deps: FilesDeps) {
    this.#adapter = adapter;
    this.#deps = deps;
    this.#records = [...records];
  }

  /** What became of each, in the order in which they were asked for. */
  get records(): readonly FileRecord[] {
    return this.#records;
  }

  /** The same, as the run keeps it; nothing where there was none. */
  get recorded(): { readonly files?: readonly FileRecord[] } {
    return this.#records.length === 0 ? {} : { files: this.#records };
  }

  /** Grows while the run takes in further messages. */
  get views(): FileViews {
    return this.#views;
  }

  /**
   * Fetches what was not fetched before, and makes ready what can be shown. Gives whether there is something to record.
   * Throws the signal's reason when aborted, and what the store of media throws when it cannot be reached.
   */
  async takeAll(
    events: readonly TriggerEvent[],
    earlier: readonly ContextItem[],
    signal: AbortSignal,
  ): Promise<boolean> {
    let isNews = false;
    // One message after the other: what they may bring is bounded for each.
    for (const [index, event] of events.entries())
      isNews = (await this.#take(event, index === 0 ? earlier : [], signal)) || isNews;
    return isNews;
  }

  /** What the texts among them say, for memory, as far as it was kept. Fetches nothing, and never fails: memory does without. */
  async texts(events: readonly TriggerEvent[], earlier: readonly ContextItem[]): Promise<FileViews> {
    const texts = new Map<string, FileView>();
    for (const [index, event] of events.entries()) {
      for (const file of filesOf(event, index === 0 ? earlier : [])) {
        const shown = this.#views.get(file.id);
        // What was shown need not be read again; but that there was no room to show it is nothing to remember.
        const view =
          shown === undefined || shown.kind === "unread"
            ? await this.#viewOf(event, file, FILE_TEXT_BYTES_MAX).catch(() => null)
            : shown;
        if (view?.kind === "text" || view?.kind === "unread") texts.set(file.id, view);
      }
    }
    return texts;
  }

  async #take(event: TriggerEvent, earlier: readonly ContextItem[], signal: AbortSignal): Promise<boolean> {
    const reader = this.#adapter.files;
    if (reader === undefined) return false;
    const files = filesOf(event, earlier);
    const fresh = files.filter((file) => this.#recordOf(event, file) === undefined);
    if (fresh.length > 0) await this.#fetchAll(fresh, event, reader, signal);
    for (const file of files) await this.#show(event, file);
    return fresh.length > 0;
  }

  #recordOf({ id }: TriggerEvent, file: Attachment): FileRecord | undefined {
    return this.#records.find((record) => record.event === id && record.file === file.id);
  }

  async #fetchAll(
    files: readonly Attachment[],
    event: TriggerEvent,
    reader: FileReader,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, limits } = this.#deps;
    const endsAtMs = clock.nowMs() + FILES_TIMEOUT_MS;
    const room = { bytes: limits.eventBytes };
    const waiting = [...files];
    const found = new Map<string, FileRecord>();
    const work = async () => {
      for (let file = waiting.shift(); file !== undefined; file = waiting.shift())
        found.set(file.id, await this.#fetch(file, event, { reader, signal, endsAtMs, room }));
    };
    await Promise.all(Array.from({ length: FILES_AT_ONCE }, work));
    signal.throwIfAborted();
    this.#records.push(...files.flatMap(({ id }) => found.get(id) ?? []));
  }

  async #fetch(file: Attachment, event: TriggerEvent, fetching: Fetching): Promise<FileRecord> {
    const { clock, log, metrics } = this.#deps;
    const startedAtMs = clock.nowMs();
    const named = { event: event.id, file: file.id };
    const { platform } = this.#adapter;
    const about = { ...eventIds(event), platform, file_kind: file.kind };
    try {
      const bytes = await this.#copy(file, event, fetching);
      if (bytes === null) return named;
      metrics.mediaFetches.inc({ platform, outcome: "fetched" });
      metrics.mediaFetchSeconds.observe({ platform }, (clock.nowMs() - startedAtMs) / 1000);
      log.info({ ...about, bytes, duration_ms: clock.nowMs() - startedAtMs }, "file.fetched");
      return { ...named, bytes };
    } catch (error) {
      fetching.signal.throwIfAborted();
      const { fault, why } = faultOf(error, this.#deps.limits);
      metrics.mediaFetches.inc({ platform, outcome: fault });
      log.warn({ ...about, outcome: fault, cause: describe(error) }, "file.unread");
      return { ...named, why };
    }
  }

  /** Its size, once it is kept; null: nothing is known of where it is. */
  async #copy(file: Attachment, event: TriggerEvent, fetching: Fetching): Promise<number | null> {
    const { media, limits } = this.#deps;
    const { room } = fetching;
    const key = keyOf(event, file);
    // By a process that died before it could say so.
    const kept = await media.find(key);
    if (kept !== null) return kept.sizeBytes;
    const bytesMax = Math.min(limits.fileBytes, room.bytes);
    if (file.sizeBytes !== null && file.sizeBytes > bytesMax)
      throw tooLarge(file.sizeBytes, bytesMax, limits);
    // The others come at the same time.
    const reserved = file.sizeBytes ?? bytesMax;
    room.bytes -= reserved;
    let size = 0;
    try {
      const copied = await this.#tryToCopy(key, bytesMax, { file, event, ...fetching });
      size = copied ?? 0;
      return copied;
    } finally {
      room.bytes = Math.max(0, room.bytes + reserved - size);
    }
  }

  async #tryToCopy(
    key: MediaKey,
    bytesMax: number,
    { file, event, reader, signal, endsAtMs }: Fetching & { file: Attachment; event: TriggerEvent },
  ): Promise<number | null> {
    const { media, clock } = this.#deps;
    for (let attempt = 0; ; attempt++) {
      const timeoutMs = Math.min(FILE_TIMEOUT_MS, endsAtMs - clock.nowMs());
      if (timeoutMs <= 0) throw new FileUnreadable("timed_out", "the platform did not give it in time");
      try {
        const bytes = await reader.open({ file, event, signal, timeoutMs });
        return bytes === null ? null : await media.put(key, bytes, bytesMax);
      } catch (error) {
        const waitMs = againInMs(error, attempt);
        if (waitMs === null || signal.aborted) throw error;
        await clock.sleep(waitMs, signal);
      }
    }
  }

  /** Makes ready what the model is shown of it. */
  async #show(event: TriggerEvent, file: Attachment): Promise<void> {
    if (this.#views.has(file.id)) return;
    const view = await this.#viewOf(event, file, VIEW_BYTES_MAX);
    if (view !== null) this.#views.set(file.id, this.#bounded(view));
  }

  async #viewOf(event: TriggerEvent, file: Attachment, bytesMax: number): Promise<FileView | null> {
    const record = this.#recordOf(event, file);
    if (record?.why !== undefined) return unread(record.why);
    if (record?.bytes === undefined) return null;
    const kept = await this.#deps.media.find(keyOf(event, file));
    if (kept === null) return unread("it is not kept any more");
    try {
      return viewOf(file, await beginningOf(kept.read(), bytesMax), kept.sizeBytes);
    } catch (error) {
      if (error instanceof MediaRefused) return unread(UNKEPT);
      throw error;
    }
  }

  #bounded(view: FileView): FileView {
    if (view.kind !== "image" && view.kind !== "pdf") return view;
    const pages = view.kind === "pdf" ? view.pages : 0;
    if (this.#shownBytes + view.bytes > SHOWN_BYTES_MAX)
      return unread(`there are too many ${view.kind === "pdf" ? "files" : "images"} at once`);
    if (this.#shownPages + pages > PDF_PAGES_MAX) return unread("there are too many pages at once");
    this.#shownBytes += view.bytes;
    this.#shownPages += pages;
    return view;
  }
}

interface Fetching {
  readonly reader: FileReader;
  readonly signal: AbortSignal;
  readonly endsAtMs: number;
  /** What may still come for this message. */
  readonly room: { bytes: number };
}

/** Those of the message first, then those of what it refers to, the newest first. */
function filesOf(event: TriggerEvent, earlier: readonly ContextItem[]): readonly Attachment[] {
  const others = [...earlier, ...(event.context ?? [])].reverse().flatMap(({ attachments }) => attachments);
  const byId = new Map([...event.attachments, ...others].map((file) => [file.id, file] as const));
  return [...byId.values()].filter(({ kind }) => !UNSHOWN.has(kind)).slice(0, FILES_MAX);
}

/** No model here hears or watches, so that nobody waits for these. */
const UNSHOWN: ReadonlySet<Attachment["kind"]> = new Set(["audio", "video", "location", "contact"]);

/** The same for whoever runs the event: what was kept before a crash is found again. */
function keyOf(event: TriggerEvent, file: Attachment): MediaKey {
  return { conversation: event.conversation, id: mediaIdOf(event, file) };
}

function againInMs(error: unknown, attempt: number): number | null {
  const waitMs = AGAIN_MS[attempt];
  if (waitMs === undefined || !(error instanceof DeliveryError)) return null;
  if (error.kind !== "retry" && error.kind !== "unknown") return null;
  const askedMs = error.retryAfterMs ?? 0;
  return askedMs > ASKED_MS_MAX ? null : Math.max(waitMs, askedMs);
}

const UNKEPT = "it cannot be kept at the moment";

/** What is not about the file is thrown again: the store of media cannot be reached. */
function faultOf(error: unknown, limits: FileLimits): { fault: FileFault; why: string } {
  if (error instanceof FileUnreadable) return { fault: error.fault, why: error.message };
  if (error instanceof MediaRefused)
    switch (error.why) {
      case "full":
        return { fault: "full", why: "there is no room to keep it" };
      case "failed":
        return { fault: "failed", why: UNKEPT };
      case "too-large":
        return { fault: "too_large", why: tooLarge(null, limits.fileBytes, limits).message };
    }
  if (error instanceof DeliveryError) return { fault: "failed", why: "the platform did not give it" };
  throw error;
}

function tooLarge(
  size: number | null,
  bytesMax: number,
  { fileBytes, eventBytes }: FileLimits,
): FileUnreadable {
  const isAlone = bytesMax >= fileBytes || (size !== null && size > fileBytes);
  const limit = isAlone ? inMib(fileBytes) : `the ${inMib(eventBytes)} that one message may bring`;
  return new FileUnreadable(
    "too_large",
    `it is larger than ${limit}${size === null ? "" : ` (${inMib(size)})`}`,
  );
}

/** To two places: `1.5 MiB`. */
export function inMib(bytes: number): string {
  return `${Math.round((bytes / MIB) * 100) / 100} MiB`;
}

async function beginningOf(stream: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= bytesMax) break;
  }
  return Buffer.concat(chunks).subarray(0, bytesMax);
}
