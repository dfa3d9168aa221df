import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { type WebSocket, WebSocketServer } from "ws";

/** One delivery of an envelope over one connection. */
export interface SocketDelivery {
  readonly envelopeId: string;
  /** Of the connection that it went over, counted from 1. */
  readonly connection: number;
  readonly retryAttempt: number;
}

export interface SocketAck {
  readonly envelopeId: string;
  readonly connection: number;
  /** Since the delivery. */
  readonly tookMs: number;
  readonly payload: unknown;
}

type EnvelopeType = "events_api" | "slash_commands" | "interactive";

export interface FakeSlackSockets {
  /** What apps.connections.open answers with: a URL that opens one connection, once. */
  ticket(): string;
  /** Of the connections that have had their hello and are still open, by number. */
  readonly open: readonly number[];
  /** How many have had their hello. */
  readonly opened: number;
  /** Over any one that is open, at once or as soon as there is one; sent again where it is not acknowledged. Gives its id. */
  send(type: EnvelopeType, payload: object, options?: { acceptsPayload?: boolean; over?: number }): string;
  readonly deliveries: readonly SocketDelivery[];
  readonly acks: readonly SocketAck[];
  /** Acknowledgements of what was never sent over that connection. */
  readonly strayAcks: readonly string[];
  /** Resolves with the acknowledgement of this envelope. */
  acked(envelopeId: string, timeoutMs?: number): Promise<SocketAck>;
  /** Resolves once so many are open at once. */
  waitOpen(count: number, timeoutMs?: number): Promise<void>;
  /** Says that it wants to close it; closes it `graceMs` later, as Slack does. */
  disconnect(reason: string, options?: { over?: number; graceMs?: number }): void;
  /** Resets all, or one. */
  cut(over?: number): void;
  /** From now on nothing is heard or said on it, though TCP stands: no pings, no messages, no answers. */
  freeze(over: number): void;
  /** No pings on any connection from now on. */
  stopPings(): void;
  /** Resolves when this connection is closed. */
  gone(connection: number): Promise<void>;
  /** So many connections get no hello, or are refused with `status` before they are one. */
  readonly faults: { noHello: number; refuseUpgrade: number; status: number };

  close(): Promise<void>;
}

interface Line {
  readonly n: number;
  readonly socket: WebSocket;
  readonly gone: Promise<unknown>;
  isFrozen: boolean;
  isLeaving: boolean;
}

interface Envelope {
  readonly id: string;
  readonly type: EnvelopeType;
  readonly payload: object;
  readonly acceptsPayload: boolean;
  attempt: number;
  line: number;
  sentAt: number;
  isAcked: boolean;
  timer?: NodeJS.Timeout;
}

export interface SocketTimes {
  /** An envelope that is not acknowledged by then is sent again. */
  readonly ackMs?: number;
  readonly pingMs?: number;
  /** Deliveries after the first. */
  readonly retries?: number;
}

/** The WebSocket side of Slack's Socket Mode, on a loopback port of its own. */
export async function fakeSlackSockets(times: SocketTimes = {}): Promise<FakeSlackSockets> {
  const { ackMs = 3_000, pingMs = 1_000, retries = 3 } = times;
  const tickets = new Set<string>();
  const lines = new Map<number, Line>();
  const envelopes = new Map<string, Envelope>();
  const waiting: Envelope[] = [];
  const deliveries: SocketDelivery[] = [];
  const acks: SocketAck[] = [];
  const strayAcks: string[] = [];
  const watchers = new Set<() => void>();
  const faults = { noHello: 0, refuseUpgrade: 0, status: 401 };

  let count = 0;
  let opened = 0;
  let turn = 0;
  let pings = true;

  const server = new WebSocketServer({
    host: "127.0.0.1",
    port: 0,
    verifyClient: ({ req }: { req: IncomingMessage }, decide: (takes: boolean, status?: number) => void) => {
      const ticket = new URL(req.url ?? "/", "ws://x").searchParams.get("ticket") ?? "";
      if (faults.refuseUpgrade > 0) {
        faults.refuseUpgrade--;

        decide(false, faults.status);
      } else decide(tickets.delete(ticket), 401);
    },
  });
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const told = () => {
    for (const watcher of watchers) watcher();
  };

  server.on("connection", (socket) => {
    const line: Line = {
      ...{ n: ++count, socket, isFrozen: false, isLeaving: false },
      gone: once(socket, "close"),
    };
    socket.on("error", () => {});
    const ping = setInterval(() => {
      if (pings && !line.isFrozen) socket.ping();
    }, pingMs);
    socket.on("message", (data: Buffer) => heard(line, data));
    socket.on("close", () => {
      clearInterval(ping);
      lines.delete(line.n);
      told();
    });
    if (faults.noHello > 0) {
      faults.noHello--;
      return;
    }
    lines.set(line.n, line);
    opened++;
    const hello = { type: "hello", num_connections: lines.size, connection_info: { app_id: "A1" } };
    socket.send(JSON.stringify({ ...hello, debug_info: { approximate_connection_time: 18_060 } }));
    for (const envelope of waiting.splice(0)) deliver(envelope);
    told();
  });

  function heard(line: Line, data: Buffer): void {
    if (line.isFrozen) return;
    const { envelope_id: id, payload } = JSON.parse(String(data)) as {
      envelope_id: string;
      payload?: unknown;
    };
    const envelope = envelopes.get(id);
    if (envelope === undefined) return void strayAcks.push(id);
    clearTimeout(envelope.timer);
    envelope.isAcked = true;
    const tookMs = performance.now() - envelope.sentAt;
    acks.push({ envelopeId: id, connection: line.n, tookMs, payload: payload ?? null });
    told();
  }

  function deliver(envelope: Envelope, over?: number): void {
    const open = [...lines.values()].filter(({ isLeaving }) => !isLeaving || over !== undefined);
    const line = over === undefined ? open[turn++ % Math.max(1, open.length)] : lines.get(over);
    if (line === undefined) return void waiting.push(envelope);
    envelope.line = line.n;
    envelope.sentAt = performance.now();
    deliveries.push({ envelopeId: envelope.id, connection: line.n, retryAttempt: envelope.attempt });
    const { id, type, payload, acceptsPayload, attempt } = envelope;
    if (!line.isFrozen)
      line.socket.send(
        JSON.stringify({
          ...{ envelope_id: id, type, payload, accepts_response_payload: acceptsPayload },
          ...{ retry_attempt: attempt, retry_reason: attempt === 0 ? "" : "timeout" },
        }),
      );
    envelope.timer = setTimeout(() => {
      if (envelope.isAcked || envelope.attempt >= retries) return;
      envelope.attempt++;
      deliver(envelope);
    }, ackMs);
    told();
  }

  function until<T>(found: () => T | undefined, what: () => string, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const value = found();
        if (value === undefined) return;
        stop();
        resolve(value);
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`Expected ${what()}`));
      }, timeoutMs);
      const stop = () => {
        clearTimeout(timer);
        watchers.delete(look);
      };
      watchers.add(look);
      look();
    });
  }

  const all = (over?: number) => [...lines.values()].filter(({ n }) => over === undefined || n === over);
  return {
    ticket() {
      const ticket = `t${Math.random()}`;
      tickets.add(ticket);
      return `ws://127.0.0.1:${port}/link/?ticket=${ticket}&app_id=A1`;
    },
    get open() {
      return [...lines.keys()];
    },
    get opened() {
      return opened;
    },
    send(type, payload, { acceptsPayload = type !== "events_api", over } = {}) {
      const id = `env-${envelopes.size + 1}`;
      const envelope = { id, type, payload, acceptsPayload, attempt: 0, line: 0, sentAt: 0, isAcked: false };
      envelopes.set(id, envelope);
      deliver(envelope, over);
      return id;
    },
    deliveries,
    acks,
    strayAcks,
    acked: (id, timeoutMs = 20_000) =>
      until(
        () => acks.find(({ envelopeId }) => envelopeId === id),
        () => `${id} to be acknowledged; deliveries: ${JSON.stringify(deliveries)}`,
        timeoutMs,
      ),
    async waitOpen(wanted, timeoutMs = 20_000) {
      await until(
        () => (lines.size >= wanted ? true : undefined),
        () => `${wanted} connections, got ${lines.size} of ${opened}`,
        timeoutMs,
      );
    },
    disconnect(reason, { over, graceMs = 10_000 } = {}) {
      for (const line of all(over)) {
        line.isLeaving = true;
        line.socket.send(JSON.stringify({ type: "disconnect", reason, debug_info: { host: "applink-1" } }));
        const timer = setTimeout(() => line.socket.close(1000), graceMs);
        line.socket.on("close", () => clearTimeout(timer));
      }
    },
    cut(over) {
      for (const { socket } of all(over)) socket.terminate();
    },
    freeze(over) {
      for (const line of all(over)) {
        line.isFrozen = true;
        line.socket.pause();
      }
    },
    stopPings() {
      pings = false;
    },
    async gone(connection) {
      await lines.get(connection)?.gone;
    },
    faults,

    async close() {
      for (const { timer } of envelopes.values()) clearTimeout(timer);
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
