import { Redis } from "ioredis";
import type { Argument } from "../../../src/store/redis/link.ts";
import { loadScripts, type Script, type ScriptName } from "../../../src/store/redis/scripts.ts";

/** What a script published. */
export interface Word {
  readonly channel: string;
  readonly message: string;
}

/** `words` are in the order in which they were said. */
export type Done = (answer: unknown, words: readonly Word[]) => void;

export type ChangeScript = (name: ScriptName, source: string) => string;

interface Command {
  readonly script: ScriptName;
  readonly key: string;
  readonly args: readonly Argument[];
  readonly done: Done;
}

/** Behind each script, so that all that it has said is known to be here. */
const MARK = "simulation:mark";

/**
 * The way of all simulated processes to one real Redis: first in, first out, one script at a time with all its words,
 * so that nothing depends on how fast the network, Redis or this process is.
 */
export class Wire implements AsyncDisposable {
  readonly client: Redis;
  readonly #listener: Redis;
  readonly #digests = new Map<ScriptName, string>();
  readonly #queue: Command[] = [];
  #words: Word[] = [];
  #marks = 0;
  #onMark: () => void = () => {};
  #isBusy = false;
  #onIdle: (() => void)[] = [];

  private constructor(url: string) {
    this.client = new Redis(url);
    this.#listener = new Redis(url);
    this.#listener.on("pmessage", (_pattern: string, channel: string, message: string) => {
      if (channel !== MARK) this.#words.push({ channel, message });
      else if (message === String(this.#marks)) this.#onMark();
    });
  }

  /** With the scripts as they are, or as `change` makes them. */
  static async open(url: string, change: ChangeScript = (_name, source) => source): Promise<Wire> {
    const wire = new Wire(url);
    await wire.#listener.psubscribe("*");
    for (const [name, { source }] of Object.entries(loadScripts()) as [ScriptName, Script][])
      wire.#digests.set(name, String(await wire.client.script("LOAD", change(name, source))));
    return wire;
  }

  /** `done` gets what Redis answers, an Error for what it refuses. */
  carryOut(script: ScriptName, key: string, args: readonly Argument[], done: Done): void {
    this.#queue.push({ script, key, args, done });
    if (!this.#isBusy) void this.#work();
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  idle(): Promise<void> {
    return this.#isBusy ? new Promise((resolve) => this.#onIdle.push(resolve)) : Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.idle();
    this.client.disconnect();
    this.#listener.disconnect();
  }

  async #work(): Promise<void> {
    this.#isBusy = true;
    for (let command = this.#queue.shift(); command !== undefined; command = this.#queue.shift()) {
      const { script, key, args, done } = command;
      const answer = await this.#ask(this.#digests.get(script) ?? script, key, args);
      const words = this.#words;
      this.#words = [];
      done(answer, words);
    }
    this.#isBusy = false;
    const waiting = this.#onIdle;
    this.#onIdle = [];
    for (const resolve of waiting) resolve();
  }

  async #ask(digest: string, key: string, args: readonly Argument[]): Promise<unknown> {
    const marked = new Promise<void>((resolve) => {
      this.#onMark = resolve;
    });
    const answer = this.client.evalsha(digest, 1, key, ...args).catch((error: unknown) => error);
    const published = this.client.publish(MARK, String(++this.#marks));
    await Promise.all([marked, published]);
    return await answer;
  }
}
