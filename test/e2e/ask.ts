import { request } from "node:http";

export interface Asked {
  readonly status: number;
  readonly id: string | undefined;
  readonly reply: string | undefined;
  readonly retryAfter: string | undefined;
}

export interface Question {
  readonly message: string;
  readonly conversation: string;
  readonly id?: string;
  /** Seconds to wait for the reply; not at all when absent. */
  readonly wait?: number;
}

/** One message to `/webhooks/test` over a connection of its own, so that any of several processes may get it. */
export function ask(url: string, { wait, ...question }: Question): Promise<Asked> {
  const target = `${url}/webhooks/test${wait === undefined ? "" : `?wait=${wait}`}`;
  const headers = { "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    const outgoing = request(target, { method: "POST", agent: false, headers }, (incoming) => {
      let text = "";
      incoming.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
      });
      incoming.on("error", reject);
      incoming.on("end", () => {
        const { id, reply } = JSON.parse(text) as { id?: string; reply?: string };
        resolve({
          status: incoming.statusCode ?? 0,
          id,
          reply,
          retryAfter: incoming.headers["retry-after"],
        });
      });
    });
    outgoing.on("error", reject);
    outgoing.end(JSON.stringify(question));
  });
}
