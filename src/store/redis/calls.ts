import type { Client } from "./connect.ts";
import type { Argument } from "./link.ts";
import { loadScripts, type Script, type ScriptName } from "./scripts.ts";

/** What has to be asked right after a call for its answer to count. */
type Covered = (name: ScriptName, answer: Promise<unknown>) => Promise<unknown>;

/** Until all that was on its way when Redis was found to have forgotten is answered. */
interface Pause {
  readonly drained: PromiseWithResolvers<void>;
  /** Resolves right after those that failed were sent once more. */
  readonly over: Promise<void>;
}

/**
 * Calls scripts by their digest, and carries them out in the order in which they were asked for.
 *
 * The first call of each on a connection brings its source, so whatever follows on that connection finds it. When Redis
 * forgets them while it is connected (SCRIPT FLUSH, a Cluster's failover), what failed is sent again before anything new is.
 */
export class ScriptCalls {
  readonly #client: Client;
  readonly #key: string;
  readonly #scripts: Readonly<Record<ScriptName, Script>> = loadScripts();
  readonly #told = new Set<ScriptName>();
  readonly #covered: Covered;
  #underway = 0;
  #pause: Pause | null = null;
  #held = 0;

  /** `key` is any key of the installation. */
  constructor(client: Client, { key, covered }: { readonly key: string; readonly covered: Covered }) {
    this.#client = client;
    this.#key = key;
    this.#covered = covered;
    client.on("close", () => this.#told.clear());
  }

  call(name: ScriptName, args: readonly Argument[]): Promise<unknown> {
    if (this.#pause === null) return this.#send(name, args);
    this.#held++;
    return this.#pause.over.then(() => {
      this.#held--;
      this.#endPause();
      return this.#send(name, args);
    });
  }

  async #send(name: ScriptName, args: readonly Argument[]): Promise<unknown> {
    const { source, digest } = this.#scripts[name];
    const bring = () => {
      this.#told.add(name);
      return this.#covered(name, this.#client.eval(source, 1, this.#key, ...args));
    };
    if (!this.#told.has(name)) return await this.#answer(bring());
    try {
      return await this.#answer(this.#covered(name, this.#client.evalsha(digest, 1, this.#key, ...args)));
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      await this.#forgotten();
      return await this.#answer(bring());
    }
  }

  async #answer(answer: Promise<unknown>): Promise<unknown> {
    this.#underway++;
    try {
      return await answer;
    } finally {
      this.#underway--;
      this.#drainSoon();
    }
  }

  #forgotten(): Promise<void> {
    this.#told.clear();
    if (this.#pause === null) {
      const drained = Promise.withResolvers<void>();
      this.#pause = { drained, over: drained.promise.then(() => this.#endPause()) };
    }
    this.#drainSoon();
    return this.#pause.drained.promise;
  }

  /** Once whoever waits for the last answer has had its turn, and said that it failed. */
  #drainSoon(): void {
    const pause = this.#pause;
    if (pause === null || this.#underway > 0) return;
    setImmediate(() => {
      if (this.#underway === 0) pause.drained.resolve();
    });
  }

  /** Not while something held is still to be sent: what is new would pass it. */
  #endPause(): void {
    if (this.#held === 0) this.#pause = null;
  }
}
