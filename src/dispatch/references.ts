import { type FileViews, NO_FILES } from "../domain/attachment.ts";
import type { ContextItem } from "../domain/context.ts";
import type { TriggerEvent } from "../domain/event.ts";
import type { Named } from "../domain/mention.ts";
import type { Progress } from "../domain/run.ts";
import type { Adapter } from "../ports/adapter.ts";
import { type FilesDeps, RunFiles } from "./files.ts";
import { mentionable } from "./mentionable.ts";
import { Naming, type NamingDeps } from "./naming.ts";

/**
 * What the messages of a run refer to, and the model is shown beside their words: their files, and the names of those whom
 * they name by id.
 */
export class References {
  readonly #files: RunFiles | null;
  readonly #naming: Naming;
  readonly #adapter: Adapter;

  /** `files` absent: they are named to the model, and not read. */
  constructor(
    adapter: Adapter,
    { files = [], names = [] }: Pick<Progress, "files" | "names">,
    deps: NamingDeps & { readonly files?: FilesDeps },
  ) {
    this.#adapter = adapter;
    this.#files = deps.files === undefined ? null : new RunFiles(adapter, files, deps.files);
    this.#naming = new Naming(adapter, names, deps);
  }

  /** Gives whether there is something that has to be kept before the run goes on. Never fails for the platform's sake. */
  async takeAll(
    events: readonly TriggerEvent[],
    earlier: readonly ContextItem[],
    signal: AbortSignal,
  ): Promise<boolean> {
    const [isNews = false] = await Promise.all([
      this.#files?.takeAll(events, earlier, signal),
      this.#naming.takeAll(events, earlier, signal),
    ]);
    return isNews;
  }

  /** As the run keeps it. */
  get recorded(): Pick<Progress, "files" | "names"> {
    return { ...this.#files?.recorded, ...this.#naming.recorded };
  }

  /** What the model sees of the files; nothing where none is read. */
  get views(): { readonly files?: FileViews } {
    return this.#files === null ? {} : { files: this.#files.views };
  }

  /** By reacting to something one does not say how one is called. */
  async known(event: TriggerEvent, signal: AbortSignal): Promise<TriggerEvent> {
    if (event.sender.name !== event.sender.id) return event;
    await this.#naming.takeAll([event], [], signal);
    return this.#naming.ofEvent(event);
  }

  named<T extends TriggerEvent>(events: readonly T[]): readonly T[] {
    return events.map((event) => this.#naming.ofEvent(event));
  }

  namedItems(items: readonly ContextItem[]): readonly ContextItem[] {
    return this.#naming.ofItems(items);
  }

  /** Whom the answer may name: nobody where the platform, or who set it up, does not let it, and in private. */
  mentionable(events: readonly TriggerEvent[], earlier: readonly ContextItem[]): readonly Named[] {
    return this.mayName(events) ? mentionable(events, earlier, this.#naming.recorded.names ?? []) : [];
  }

  mayName(events: readonly TriggerEvent[]): boolean {
    return this.#adapter.mentions === true && events.every(({ isDirect }) => !isDirect);
  }

  /** What the texts among the files say, for memory. */
  async texts(events: readonly TriggerEvent[], earlier: readonly ContextItem[]): Promise<FileViews> {
    return (await this.#files?.texts(events, earlier)) ?? NO_FILES;
  }
}
