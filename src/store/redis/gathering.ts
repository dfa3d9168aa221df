import type { Argument } from "./link.ts";

/** Few enough that Redis works on the first of many while the others are still being read. */
const CALLS_MAX = 16;

interface Waiting {
  readonly args: readonly Argument[];
  readonly resolve: (answers: readonly unknown[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes one call of those that are made in one turn of the event loop. A call costs Redis and its client about as much
 * as what it carries, and both spend most of it on webhooks.
 *
 * The script takes the time and then any number of items, and gives a list of as many answers.
 */
export class Gathering {
  readonly #send: (args: readonly Argument[]) => Promise<unknown>;
  #waiting: Waiting[] = [];

  constructor(send: (args: readonly Argument[]) => Promise<unknown>) {
    this.#send = send;
  }

  /** `args` are the time and one item. Resolves with a list of one answer. */
  run(args: readonly Argument[]): Promise<readonly unknown[]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ args, resolve, reject });
      if (this.#waiting.length === CALLS_MAX) this.flush();
      else if (this.#waiting.length === 1) setImmediate(() => this.flush());
    });
  }

  /** Sends what was gathered now, before whatever else is to be sent. */
  flush(): void {
    const sent = this.#waiting;
    const [first] = sent;
    if (first === undefined) return;
    this.#waiting = [];
    const args =
      sent.length === 1 ? first.args : [first.args[0] ?? "", ...sent.flatMap((one) => one.args.slice(1))];
    this.#send(args).then(
      (answers) => {
        for (const [index, { resolve }] of sent.entries()) resolve([(answers as unknown[])[index]]);
      },
      (error: unknown) => {
        for (const { reject } of sent) reject(error);
      },
    );
  }
}
