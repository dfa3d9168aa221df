import { EventEmitter } from "node:events";
import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import type { StoreThread, ThreadData } from "../../src/store/sqlite/index.ts";
import type { FromThread, ToThread } from "../../src/store/sqlite/serve.ts";

/** Plays the thread of one store after the other with the same one, until that dies: starting it takes a fifth of a second. */
export class KeptThread {
  readonly #entry: URL;
  #worker: Worker | null = null;

  constructor(entry: URL) {
    this.#entry = entry;
  }

  /** For a store's option `thread`. */
  readonly start = (data: ThreadData): StoreThread => {
    this.#worker ??= this.#begin();
    const { port1, port2 } = new MessageChannel();
    this.#worker.postMessage({ port: port2, data }, [port2]);
    return new Part(port1, this.#worker);
  };

  async end(): Promise<void> {
    await this.#worker?.terminate();
  }

  #begin(): Worker {
    const worker = new Worker(this.#entry, { env: {} });
    worker.setMaxListeners(0);
    worker.once("exit", () => {
      if (this.#worker === worker) this.#worker = null;
    });
    return worker;
  }
}

/** What one store sees of the thread: it ends when its port is closed, or with the thread. */
class Part extends EventEmitter {
  readonly #port: MessagePort;

  constructor(port: MessagePort, worker: Worker) {
    super();
    this.#port = port;
    const onDeath = (code: number) => this.#end(code);
    worker.once("exit", onDeath);
    let isOver = false;
    port.on("message", (message: FromThread) => {
      isOver = message.kind === "closed" || message.kind === "failed";
      this.emit("message", message);
    });
    // It closes when the thread dies, too, of which the next store must hear first.
    port.on("close", () => isOver && this.#end(0));
    this.once("exit", () => worker.off("exit", onDeath));
  }

  postMessage(message: ToThread): void {
    this.#port.postMessage(message);
  }

  #end(code: number): void {
    this.emit("exit", code);
  }
}
