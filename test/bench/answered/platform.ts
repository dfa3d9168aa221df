import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** The APIs of Slack and Telegram, as cheap as they can be: they share a core with the load. */
export interface EchoPlatform {
  readonly env: Readonly<Record<string, string>>;
  /** Resolves when the message with this number has been answered. */
  answered(number: number): Promise<void>;
  /** Calls so far, those that said nothing among them. */
  calls(): number;
  close(): Promise<void>;
}

const SAYS = /\/(?:chat\.postMessage|sendMessage)$/;
const ME = { id: 123456, is_bot: true, first_name: "Bench", username: "bench_bot" };

/** The text of the message with this number; whoever answers repeats it. */
export function textOf(number: number): string {
  return `benchmark message-${number}- what is the state of the deployment?`;
}

export async function startEchoPlatform(): Promise<EchoPlatform> {
  const early = new Set<number>();
  const waiting = new Map<number, () => void>();
  let calls = 0;
  const said = (body: string) => {
    const number = Number(/message-(\d+)-/.exec(body)?.[1]);
    const resolve = waiting.get(number);
    if (resolve === undefined) early.add(number);
    else resolve();
    waiting.delete(number);
  };
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? "";
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const answer = Buffer.from(JSON.stringify(answerTo(path, ++calls)));
      outgoing.writeHead(200, { "content-type": "application/json", "content-length": answer.length });
      outgoing.end(answer);
      if (SAYS.test(path)) said(Buffer.concat(chunks).toString());
    });
  });
  // Whoever calls decides when a connection has been idle for too long, as with the real ones.
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    env: { SLACK_API_URL: `${url}/api/`, TELEGRAM_API_ROOT: url },
    answered: (number) =>
      early.delete(number) ? Promise.resolve() : new Promise((resolve) => waiting.set(number, resolve)),
    calls: () => calls,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function answerTo(path: string, count: number): object {
  if (path.startsWith("/api/")) return slackAnswer(path.slice("/api/".length), count);
  if (path.endsWith("/sendMessage"))
    return {
      ok: true,
      result: {
        message_id: count,
        from: ME,
        chat: { id: 1, type: "private" },
        date: 1_789_999_999,
        text: "",
      },
    };
  return { ok: true, result: path.endsWith("/getMe") ? ME : true };
}

function slackAnswer(method: string, count: number): object {
  if (method === "auth.test")
    return { ok: true, url: "https://bench.slack.com/", team_id: "T1", user_id: "UBOT", bot_id: "B1" };
  if (method !== "chat.postMessage") return { ok: true };
  const ts = `1789999999.${String(count).padStart(6, "0")}`;
  return {
    ok: true,
    channel: "C1",
    ts,
    message: { type: "message", bot_id: "B1", user: "UBOT", text: "", ts },
  };
}
