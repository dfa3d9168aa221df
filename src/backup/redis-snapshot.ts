import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { connect, type Socket } from "node:net";
import { finished } from "node:stream/promises";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { ArchiveError, describe } from "./manifest.ts";

export interface RedisSource {
  readonly url: URL;
  /** Null: without TLS. */
  readonly tls: ConnectionOptions | null;
}

/** Redis forks, writes, and only then begins to send; it sends a newline now and then meanwhile. */
const SILENCE_MS = 60_000;
const HEADER_BYTES_MAX = 4_096;

/**
 * Asks Redis for its whole state as a replica does, and writes it to a file: one moment, of all its databases, without a stop
 * for those who use it. Throws ArchiveError.
 */
export async function takeSnapshot(source: RedisSource, to: string): Promise<void> {
  const socket = open(source);
  const place = `${source.url.hostname}:${source.url.port || "6379"}`;
  try {
    socket.setTimeout(SILENCE_MS, () => socket.destroy(new Error(`silence for ${SILENCE_MS / 1000} s`)));
    // One at a time: Redis takes no SYNC while it still has an answer to give.
    const ask = [...login(source.url), command("SYNC")];
    await writeSnapshot(socket, to, ask);
  } catch (error) {
    throw new ArchiveError(`Expected a snapshot from Redis at ${place}, got ${describe(error)}`, {
      cause: error,
    });
  } finally {
    socket.destroy();
  }
}

function open({ url, tls }: RedisSource): Socket {
  // An address of version 6 stands in brackets.
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port || 6379);
  return tls === null ? connect(port, host) : connectTls({ ...tls, host, port });
}

function login({ username, password }: URL): string[] {
  if (password === "") return [];
  const user = username === "" ? [] : [decodeURIComponent(username)];
  return [command("AUTH", ...user, decodeURIComponent(password))];
}

function command(...words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`;
}

/** A line for each command before the last, then the length, then as many bytes. */
async function writeSnapshot(socket: Socket, to: string, asked: readonly string[]): Promise<void> {
  const file = createWriteStream(to, { mode: 0o600, flags: "wx", flush: true });
  const [first = "", ...next] = asked;
  socket.write(first);
  let head = "";
  let left: number | null = null;
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      let rest = chunk;
      while (left === null && rest.length > 0) {
        const end = rest.indexOf(0x0a);
        head += rest.toString("latin1", 0, end === -1 ? rest.length : end);
        rest = end === -1 ? Buffer.alloc(0) : rest.subarray(end + 1);
        if (head.length > HEADER_BYTES_MAX) throw new Error("something else than an answer");
        if (end === -1) break;
        const line = head.trim();
        head = "";
        if (line.startsWith("-")) throw new Error(line.slice(1));
        if (line === "") continue;
        const following = next.shift();
        if (following === undefined) left = lengthIn(line);
        else socket.write(following);
      }
      if (left === null) continue;
      const part = rest.subarray(0, left);
      left -= part.length;
      if (!file.write(part)) await once(file, "drain");
      if (left === 0) break;
    }
    if (left !== 0) throw new Error("an end before all of it had come");
  } finally {
    file.end();
    await finished(file);
  }
}

function lengthIn(line: string): number {
  const length = /^\$(\d{1,15})$/.exec(line)?.[1];
  if (length === undefined) throw new Error("another answer than a length");
  return Number(length);
}
