import { once } from "node:events";
import type { ConnectionOptions } from "node:tls";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import type { LiveFrame } from "../../src/admin/live/words.ts";

export interface LiveClient {
  readonly socket: WebSocket;
  /** What came and was not read yet. */
  readonly frames: LiveFrame[];
  /** The next one. */
  next(): Promise<LiveFrame>;
  say(message: object | string): void;
  /** Code and reason, once it is over. */
  readonly closed: Promise<readonly [number, string]>;
}

export interface LiveOptions {
  readonly token?: string;
  readonly headers?: Record<string, string>;
  readonly protocols?: string[];
  /** For wss. */
  readonly tls?: Pick<ConnectionOptions, "ca" | "servername">;
}

/** A client of `/ws`; rejects with the status where it is not let in. */
export async function openLive(
  url: string,
  { token, headers = {}, protocols = [], tls = {} }: LiveOptions = {},
): Promise<LiveClient> {
  const socket = new WebSocket(url.replace(/^http/, "ws"), protocols, {
    ...tls,
    headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
  });
  onTestFinished(() => socket.terminate());
  const frames: LiveFrame[] = [];
  let wake = () => {};
  socket.on("message", (data: Buffer) => {
    frames.push(JSON.parse(data.toString("utf8")) as LiveFrame);
    wake();
  });
  const closed = once(socket, "close").then(([code, reason]) => [code as number, String(reason)] as const);
  closed.catch(() => {});
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("unexpected-response", (_, response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () => reject(new Refusal(response.statusCode ?? 0, text, response.headers)));
    });
    socket.once("error", reject);
  });
  return {
    socket,
    frames,
    closed,
    async next() {
      while (frames.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return frames.shift() as LiveFrame;
    },
    say: (message) => socket.send(typeof message === "string" ? message : JSON.stringify(message)),
  };
}

export class Refusal extends Error {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;

  constructor(status: number, body: string, headers: NodeJS.Dict<string | string[]>) {
    super(`${status} ${body}`);
    this.status = status;
    this.headers = headers;
  }
}
