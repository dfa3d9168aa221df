import { WebSocket } from "ws";
import { LARGEST_BODY_BYTES_MAX } from "../../src/domain/bounds.ts";
import { isLoopbackHost } from "../../src/domain/loopback.ts";
import type { Clock } from "../../src/ports/clock.ts";

/** From the first packet to Slack's `hello`. */
export const HELLO_MS = 10_000;
/** Slack pings every few seconds; a connection that hears none for so long is dead, whatever TCP says. */
const SILENCE_MS = 45_000;
/** For Slack's side of the goodbye. */
const CLOSE_MS = 250;

/** Where connections of Socket Mode lead; nothing that an answer of an API says leads elsewhere. */
const HOST = /(?:^|\.)slack(?:-gov)?\.com$/;

/** Null: it may be connected to. Else why not, without the URL, which holds a ticket. */
export function wrongUrl(text: string, apiUrl: string | null): string | null {
  const url = URL.parse(text);
  if (url === null) return "expected the URL of a WebSocket, got something else";
  if (url.protocol === "wss:" && HOST.test(url.hostname)) return null;
  const api = apiUrl === null ? null : URL.parse(apiUrl);
  const isOfApi = api !== null && (url.hostname === api.hostname || isLoopbackHost(url.hostname));
  if (isOfApi && (url.protocol === "wss:" || url.protocol === "ws:")) return null;
  return `expected a wss:// URL of Slack${api === null ? "" : " or of SLACK_API_URL"}, got another`;
}

/** One WebSocket, from the moment that it is opened. */
export interface Connection {
  /** Resolves with the word for its end; never rejects. */
  readonly closed: Promise<string>;
  send(text: string): void;
  /** Reads no more for now, or goes on. */
  pause(): void;
  resume(): void;
  /** Says goodbye, and cuts it where that is not answered. */
  leave(): Promise<void>;
}

export interface Hearing {
  readonly heard: (bytes: Buffer) => void;
  readonly clock: Clock;
}

/** Does not wait until it is open: `heard` tells of that. */
export function connect(url: string, { heard, clock }: Hearing): Connection {
  const socket = new WebSocket(url, {
    handshakeTimeout: HELLO_MS,
    maxPayload: LARGEST_BODY_BYTES_MAX,
    perMessageDeflate: false,
    followRedirects: false,
  });
  const closed = Promise.withResolvers<string>();
  let word = "";
  const end = (why: string) => {
    word ||= why;
    socket.terminate();
  };
  let callOff = clock.timer(SILENCE_MS, () => end("ping_timeout"));
  socket.on("ping", () => {
    callOff();
    callOff = clock.timer(SILENCE_MS, () => end("ping_timeout"));
  });
  socket.on("message", (data: Buffer) => heard(data));
  // Its end follows.
  socket.on("error", (error) => {
    word ||= codeOf(error);
  });
  socket.on("close", () => {
    callOff();
    closed.resolve(word || "closed");
  });
  // Before it is open there is nothing to read from, and ws throws.
  const resume = () => {
    if (socket.readyState === WebSocket.OPEN) socket.resume();
  };
  return {
    closed: closed.promise,
    send(text) {
      // A connection that is gone takes no acknowledgement; what it was for comes again, and is known.
      if (socket.readyState === WebSocket.OPEN) socket.send(text, () => {});
    },
    pause() {
      if (socket.readyState === WebSocket.OPEN) socket.pause();
    },
    resume,
    async leave() {
      word ||= "left";
      resume();
      socket.close(1000);
      const cut = clock.timer(CLOSE_MS, () => socket.terminate());
      await closed.promise;
      cut();
    },
  };
}

/** Texts of errors may hold anything; their codes do not. */
function codeOf(error: Error & { code?: unknown }): string {
  const status = /^Unexpected server response: (\d{3})$/.exec(error.message)?.[1];
  if (status !== undefined) return `HTTP ${status}`;
  return typeof error.code === "string" ? error.code : "connection failed";
}
