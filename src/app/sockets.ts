import { backoffMs } from "../domain/backoff.ts";
import { ACCEPT_TIMEOUT_MS, SOCKET_HOLD_MS, SOCKET_MARGIN_MS } from "../domain/bounds.ts";
import { acknowledgedFor } from "../ingress/acknowledged.ts";
import { Deadline } from "../ingress/deadline.ts";
import type { SocketReport } from "../ingress/health.ts";
import { LATE, type Reception } from "../ingress/reception.ts";
import { noteAll, writeLine } from "../ingress/record.ts";
import type { Noted } from "../ingress/recorder.ts";
import type { Ack, Adapter, Inbound, Mailbox, Socket, SocketState } from "../ports/adapter.ts";
import type { Clock, NewId, Random } from "../ports/clock.ts";
import type { Held } from "../ports/holds.ts";
import type { Store } from "../ports/store.ts";
import { messageOf } from "../shared/fault.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { type Elected, standForElection } from "./elected.ts";
import type { Front } from "./front.ts";

export interface SocketsOptions {
  /** Of the platforms that are on. */
  readonly adapters: readonly Adapter[];
  readonly front: Pick<Front, "take">;
  readonly store: Pick<Store, "holds" | "notes" | "bus">;
  /** Keeps in mind what became of what came in. */
  readonly note: (noted: Noted) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly newId: NewId;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** The platforms' sockets, as far as this process holds them. */
export interface Sockets {
  /** Stands for each from now on. */
  start(): void;
  /** By `platform.socket`. */
  reports(): Readonly<Record<string, SocketReport>>;
  /** Leaves them and lets other processes have them, at once. Never rejects. */
  stop(): Promise<void>;
}

/** Of a socket that ended by itself. */
const AGAIN = { baseMs: 1_000, capMs: 60_000, exponential: true };
/** What lasted so long was well, and its end is the first of a row. */
const WELL_MS = 60_000;

export function createSockets(options: SocketsOptions): Sockets {
  const seats = options.adapters.flatMap((adapter) =>
    adapter.socket === undefined ? [] : [new Seat(adapter, adapter.socket, options)],
  );
  return {
    start() {
      for (const seat of seats) seat.stand();
    },
    reports: () => Object.fromEntries(seats.map((seat) => [seat.component, seat.report()])),
    async stop() {
      await Promise.all(seats.map((seat) => seat.stop()));
    },
  };
}

/** One socket: who holds it, and how it is. */
class Seat {
  readonly component: string;
  readonly #adapter: Adapter;
  readonly #socket: Socket;
  readonly #options: SocketsOptions;
  readonly #take: Mailbox["take"];
  /** Shards that were told of in this term. */
  readonly #shards = new Set<number>();
  #elected: Elected | null = null;
  /** Null: another process holds it, as far as we know. */
  #state: SocketState | null = null;

  constructor(adapter: Adapter, socket: Socket, options: SocketsOptions) {
    this.component = `${adapter.platform}.${socket.name}`;
    this.#adapter = adapter;
    this.#socket = socket;
    this.#options = options;
    this.#take = takeFor(adapter, options);
    options.metrics.socketHolder.set({ platform: adapter.platform }, 0);
  }

  stand(): void {
    const { store, clock, random, log } = this.#options;
    this.#elected ??= standForElection({
      name: this.#holdName,
      ttlMs: SOCKET_HOLD_MS,
      marginMs: SOCKET_MARGIN_MS,
      ...{ holds: store.holds, bus: store.bus, clock, random, log },
      lead: (held, signal) => this.#lead(held, signal),
    });
  }

  report(): SocketReport {
    return this.#state ?? { status: "standby", details: "another process holds it, or none yet" };
  }

  async stop(): Promise<void> {
    await this.#elected?.stop();
  }

  get #holdName(): string {
    return `${this.component}:${this.#socket.account}`;
  }

  async #lead(held: Held, signal: AbortSignal): Promise<void> {
    const { clock, random, metrics } = this.#options;
    const holder = metrics.socketHolder.labels({ platform: this.#adapter.platform });
    holder.set(1);
    this.#report({ status: "connecting", details: "elected to hold it" });
    const mailbox = this.#mailbox(held);
    for (let turn = 1; !signal.aborted; turn++) {
      const sinceMs = clock.nowMs();
      await this.#listen(mailbox, signal);
      if (clock.nowMs() - sinceMs >= WELL_MS) turn = 1;
      await clock.sleep(backoffMs(turn, AGAIN, random), signal).catch(() => {});
    }
    for (const shard of this.#shards) this.#connected(shard, false);
    this.#shards.clear();
    this.#state = null;
    holder.set(0);
  }

  /** A socket that ends by itself is a fault, of the platform's or of ours: it is begun again. */
  async #listen(mailbox: Mailbox, signal: AbortSignal): Promise<void> {
    try {
      await this.#socket.listen(mailbox, signal);
      if (!signal.aborted) this.#report({ status: "failed", details: "it ended by itself" });
    } catch (error) {
      this.#options.log.error({ platform: this.#adapter.platform, err: error }, "socket.broken");
      this.#report({ status: "failed", details: messageOf(error) });
    }
  }

  #mailbox(held: Held): Mailbox {
    const { store, metrics } = this.#options;
    const { platform } = this.#adapter;
    const nameOf = (name: string) => `${this.#holdName}/${name}`;
    const reasons = new Set(this.#socket.reasons);
    return {
      take: this.#take,
      recall: (name) => store.notes.get(nameOf(name)),
      note: (name, value) => store.notes.put(nameOf(name), value, held),
      report: (state) => this.#report(state),
      connected: (shard, isUp) => this.#connected(shard, isUp),
      readBack: (messages) => metrics.socketReadBack.inc({ platform }, messages),
      reconnects: (reason) =>
        metrics.socketReconnects.inc({ platform, reason: reasons.has(reason) ? reason : "other" }),
    };
  }

  #connected(shard: number, isUp: boolean): void {
    this.#shards.add(shard);
    const { platform } = this.#adapter;
    this.#options.metrics.socketUp.set({ platform, shard: String(shard) }, isUp ? 1 : 0);
  }

  #report(state: SocketState): void {
    const before = this.#state;
    this.#state = state;
    const { status, details } = state;
    if (before?.status === status && before.details === details) return;
    const level = status === "failed" ? "warn" : "info";
    this.#options.log[level]({ platform: this.#adapter.platform, status, details }, "socket.state");
  }
}

/** A fault of ours: like what a webhook is answered with 500, it comes again. */
const FAILED: Reception = { ...LATE, reason: "failed" };

/** As a webhook is taken: within the same time, with the same counts, lines and notes. */
function takeFor({ platform, socket }: Adapter, options: SocketsOptions): Mailbox["take"] {
  const { front, note, newId, log, metrics } = options;
  const deadline = new Deadline<Reception>(ACCEPT_TIMEOUT_MS, LATE);
  const acknowledged = acknowledgedFor(platform, socket?.ackWithinMs, metrics);
  return async (inbound: Inbound): Promise<Ack | null> => {
    const startedAt = performance.now();
    const requestId = newId("req");
    const taken = front.take(inbound, platform, requestId).catch((error: unknown) => {
      log.error({ request_id: requestId, platform, err: error }, "socket.failed");
      return FAILED;
    });
    const reception = await deadline.within(taken);
    const durationMs = performance.now() - startedAt;
    acknowledged(durationMs, reception);
    metrics.webhooks.inc({ platform, outcome: reception.outcome });
    const received = { platform, requestId, incoming: null, durationMs };
    noteAll(note, received, reception);
    writeLine(log, "socket.received", received, reception);
    return reception.outcome === "unavailable" ? null : reception.ack;
  };
}
