import { GatewayError } from "../../domain/errors.ts";
import type { Kind, Operations, Reply, Request, Status } from "./protocol.ts";

interface Waiter {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** How a batch reaches the engine. `send` is called with the next batch only after `onReply` for the last. */
interface Transport {
  send(requests: readonly Request[]): void;
}

export interface BatcherOptions {
  readonly transport: Transport;
  /** When to gather no longer: once all that this tick brings has been added. */
  readonly schedule: (flush: () => void) => void;
  readonly onStatus: (status: Status) => void;
}

/**
 * Group commit. One batch is on its way at a time; what comes meanwhile makes up the next one. So a flush to disk
 * is shared by all who wait for it, and under load batches grow instead of queues.
 */
export class Batcher {
  readonly #options: BatcherOptions;
  #requests: Request[] = [];
  #waiters: Waiter[] = [];
  #inFlight: readonly Waiter[] | null = null;
  #isScheduled = false;
  #ended: GatewayError | null = null;
  #onIdle: (() => void) | null = null;

  constructor(options: BatcherOptions) {
    this.#options = options;
  }

  /** Resolves after the commit. Rejects with STORE_WRITE_FAILED, STORE_MOVED or STORE_DAMAGED, or with what the batcher was ended with. */
  call<K extends Kind>(
    kind: K,
    nowMs: number,
    args: Operations[K]["args"],
  ): Promise<Operations[K]["result"]> {
    if (this.#ended !== null) return Promise.reject(this.#ended);
    const result = new Promise<unknown>((resolve, reject) => {
      this.#requests.push([kind, nowMs, args] as unknown as Request);
      this.#waiters.push({ resolve, reject });
    });
    this.#scheduleFlush();
    return result as Promise<Operations[K]["result"]>;
  }

  onReply({ results, failures, status }: Reply): void {
    const waiters = this.#inFlight ?? [];
    this.#inFlight = null;
    this.#options.onStatus(status);
    for (const { index, code, message } of failures) {
      waiters[index]?.reject(new GatewayError(code, message));
    }
    // Settling a promise a second time does nothing, so the failed ones need no exception here.
    for (let i = 0; i < waiters.length; i++) waiters[i]?.resolve(results[i]);
    if (this.#requests.length > 0) this.#scheduleFlush();
    else this.#onIdle?.();
  }

  /** Takes no more. Resolves when what was taken has been answered. */
  async end(error: GatewayError): Promise<void> {
    this.#ended = error;
    if (this.#requests.length === 0 && this.#inFlight === null) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** The engine is gone: nobody will answer. */
  fail(error: GatewayError): void {
    this.#ended ??= error;
    const waiters = [...(this.#inFlight ?? []), ...this.#waiters];
    this.forsake();
    for (const waiter of waiters) waiter.reject(error);
    this.#onIdle?.();
  }

  /** Leaves everyone without an answer, as the death of the process would. */
  forsake(): void {
    this.#inFlight = null;
    this.#requests = [];
    this.#waiters = [];
  }

  #scheduleFlush(): void {
    if (this.#isScheduled || this.#inFlight !== null) return;
    this.#isScheduled = true;
    this.#options.schedule(() => {
      this.#isScheduled = false;
      if (this.#inFlight === null && this.#requests.length > 0) this.#flush();
    });
  }

  #flush(): void {
    const requests = this.#requests;
    this.#inFlight = this.#waiters;
    this.#requests = [];
    this.#waiters = [];
    this.#options.transport.send(requests);
  }
}
