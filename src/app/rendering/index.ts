import { Worker } from "node:worker_threads";
import type { LinkHosts } from "../../domain/link-hosts.ts";
import type { ReplyPart } from "../../domain/reply.ts";
import type { Render } from "../../ports/adapter.ts";
import { besideModule } from "../../shared/beside.ts";
import { messageOf } from "../../shared/fault.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { RenderRequest, RenderResult } from "./messages.ts";

/** Above this an answer may hold the event loop for more than some ten milliseconds. */
const WORK_MAX = 500;
/** A line that may be an item, a row or a heading costs the parser as much as so many marks. */
const LINE_WORK = 4;
/** The thread's time for one answer. None that a test or a fuzzer found takes a tenth of it. */
const DEADLINE_MS = 30_000;
/** The thread and its memory go when nothing has needed them for so long. */
const IDLE_MS = 60_000;
/** Ample for the largest answer; what needs more is hostile. */
const THREAD_MEMORY = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 32 };

const THREAD = new URL(besideModule(import.meta.url, "thread"));

export interface RenderingOptions {
  readonly log: Logger;
  /** To which hosts answers may link, as adapters have it. Absent: to any. */
  readonly linkHosts?: () => LinkHosts;
  readonly deadlineMs?: number;
  readonly idleMs?: number;
  /** The thread's entry, where another one is to play it. */
  readonly thread?: URL;
}

/**
 * Renders answers. What is short is rendered at once. What could take long (a hostile answer of 64 KB takes the better
 * part of a second) is rendered by a thread, started when first needed, so that webhooks are acknowledged meanwhile.
 * What the thread cannot do in time is said as a block of code, whose rendering is linear.
 */
export class Rendering {
  readonly #options: RenderingOptions;
  /** One at a time, so that a deadline is that of one answer alone. */
  readonly #waiting: Task[] = [];
  #inHand: Task | null = null;
  #thread: Worker | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RenderingOptions) {
    this.#options = options;
  }

  /** Never rejects. */
  readonly render: Render = (adapter, markdown, to, buttons, named) => {
    const { platform, renderer } = adapter;
    if (renderer === undefined || workOf(markdown) <= WORK_MAX)
      return adapter.render(markdown, to, buttons, named);
    const linkHosts = this.#options.linkHosts?.();
    return this.#aside({ platform, renderer, markdown, to, buttons, named, linkHosts }).then(
      (parts) => parts ?? adapter.render(fenced(markdown), to, buttons),
    );
  };

  close(): void {
    this.#end("closed");
  }

  #aside(request: RenderRequest): Promise<readonly ReplyPart[] | null> {
    return new Promise((resolve) => {
      this.#waiting.push({ request, resolve });
      if (this.#inHand === null) this.#next();
    });
  }

  #next(): void {
    clearTimeout(this.#timer);
    const { deadlineMs = DEADLINE_MS, idleMs = IDLE_MS } = this.#options;
    this.#inHand = this.#waiting.shift() ?? null;
    if (this.#inHand === null) {
      this.#timer = setTimeout(() => this.#end("idle"), idleMs).unref();
      return;
    }
    const watch = () => {
      this.#timer = setTimeout(() => this.#end(`no answer within ${deadlineMs} ms`), deadlineMs);
    };
    if (this.#thread !== null) watch();
    // One that cannot start says so with its end.
    else this.#thread = this.#start().once("online", watch);
    this.#thread.postMessage(this.#inHand.request);
  }

  #start(): Worker {
    const thread = new Worker(this.#options.thread ?? THREAD, { env: {}, resourceLimits: THREAD_MEMORY });
    const onEnd = (cause: string) => {
      if (this.#thread === thread) this.#end(cause);
    };
    thread.on("message", ({ parts, cause }: RenderResult) => {
      if (this.#thread === thread) this.#finish(parts, cause);
    });
    thread.on("error", (error) => onEnd(messageOf(error)));
    thread.on("exit", (code) => onEnd(`exit code ${code}`));
    return thread;
  }

  #finish(parts: readonly ReplyPart[] | null, cause: string | undefined): void {
    const task = this.#inHand;
    if (task === null) return;
    const { platform, markdown } = task.request;
    if (parts === null)
      this.#options.log.error({ platform, chars: markdown.length, cause }, "rendering.failed");
    this.#next();
    task.resolve(parts);
  }

  /** Whatever it had in hand is done without it; the next starts another. */
  #end(cause: string): void {
    const thread = this.#thread;
    this.#thread = null;
    void thread?.terminate();
    if (this.#inHand !== null) this.#finish(null, cause);
    else clearTimeout(this.#timer);
  }
}

interface Task {
  readonly request: RenderRequest;
  readonly resolve: (parts: readonly ReplyPart[] | null) => void;
}

/** An estimate from above in one pass: what the parser's time goes with. Stops where it is too much anyway. */
function workOf(markdown: string): number {
  let work = markdown.length / 64;
  for (let i = 0; i < markdown.length && work <= WORK_MAX; i++) {
    const c = markdown.charCodeAt(i);
    if (c === 10) work += LINE_WORK;
    // Marks: ! # & ( * : < @ [ ] _ ` | ~ and other punctuation that opens something
    else if (c < 127 && MARKS.has(c)) work++;
  }
  return work;
}

const MARKS: ReadonlySet<number> = new Set(Buffer.from("!#&(*:<@[\\]^_`|~"));

/** As a block of code, in a fence that nothing inside can close. */
function fenced(text: string): string {
  const longest = [...text.matchAll(/~{3,}/g)].reduce((max, [run]) => Math.max(max, run.length), 2);
  const fence = "~".repeat(longest + 1);
  return `${fence}\n${text}\n${fence}`;
}
