import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type WebSocket, WebSocketServer } from "ws";
import { fakeServer } from "../fakes/server.ts";
import type { Drive } from "./drive.ts";

const BOT = "900";
/** Apart from what it has come to, nothing tells when an event is durable: it is asked so often. */
const ASKED_EVERY_MS = 1;

/** Discord as far as its Gateway needs it: who says what is durable by a heartbeat, which is asked for, and nothing is kept. */
export async function socketDiscord() {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const limits = { total: 1_000, remaining: 1_000, reset_after: 0, max_concurrency: 1 };
  const api = await fakeServer(({ path }) => ({
    body: path.endsWith("/gateway/bot") ? { url, shards: 1, session_start_limit: limits } : { id: "1" },
  }));
  const waiting: { readonly seq: number; readonly isDurable: () => void }[] = [];
  let current: WebSocket | null = null;
  let seq = 0;
  const send = (payload: string) => current?.send(payload);
  const dispatch = (type: string, data: string) => send(`{"op":0,"s":${++seq},"t":"${type}","d":${data}}`);
  const isUp = new Promise<void>((resolve) => {
    server.on("connection", (socket) => {
      current = socket;
      socket.on("message", (data: Buffer) => {
        const { op, d } = JSON.parse(String(data)) as { op: number; d: unknown };
        if (op === 2) {
          dispatch("READY", JSON.stringify(ready(url)));
          resolve();
        }
        if (op !== 1) return;
        send('{"op":11}');
        while (waiting[0] !== undefined && waiting[0].seq <= Number(d)) waiting.shift()?.isDurable();
      });
      socket.send('{"op":10,"d":{"heartbeat_interval":41250}}');
    });
  });
  return {
    apiUrl: `${api.url}/api`,
    connected: isUp,
    async drive(
      messages: readonly string[],
      inFlight: number,
    ): Promise<Pick<Drive, "seconds" | "latencies">> {
      const latencies = new Float64Array(messages.length);
      let next = 0;
      let isDone = false;
      const asking = (async () => {
        for (; !isDone; await sleep(ASKED_EVERY_MS)) if (waiting.length > 0) send('{"op":1,"d":null}');
      })();
      const lane = async () => {
        for (let at = next++; at < messages.length; at = next++) {
          const sentAt = performance.now();
          await new Promise<void>((isDurable) => {
            dispatch("MESSAGE_CREATE", messages[at] ?? "");
            waiting.push({ seq, isDurable });
          });
          latencies[at] = performance.now() - sentAt;
        }
      };
      const startedAt = performance.now();
      await Promise.all(Array.from({ length: inFlight }, lane));
      const seconds = (performance.now() - startedAt) / 1000;
      isDone = true;
      await asking;
      return { seconds, latencies: latencies.sort() };
    },
    async close() {
      for (const client of server.clients) client.terminate();
      server.close();
      await api.close();
    },
  };
}

function ready(url: string): object {
  const user = { id: BOT, username: "bot", bot: true };
  return {
    ...{ v: 10, session_id: "bench", resume_gateway_url: url, user, shard: [0, 1] },
    ...{ application: { id: BOT, flags: 0 }, guilds: [{ id: "10", unavailable: true }] },
  };
}

/** Somebody names the bot in a channel. */
export function discordMention(index: number, nowMs: number): string {
  return JSON.stringify({
    ...{
      id: String(1_100_000_000_000_000_000n + BigInt(process.pid) * 100_000_000n + BigInt(index)),
      type: 0,
    },
    ...{ channel_id: String(20_000_000 + index), guild_id: "10", channel_type: 0 },
    author: { id: String(30_000_000 + index), username: "ann", global_name: "Ann", bot: false },
    member: { nick: null, roles: [] },
    content: `<@${BOT}> benchmark message ${index}: what is the state?`,
    ...{ timestamp: new Date(nowMs).toISOString(), edited_timestamp: null, tts: false, pinned: false },
    ...{ mentions: [{ id: BOT, username: "bot" }], mention_roles: [], attachments: [], embeds: [] },
  });
}
