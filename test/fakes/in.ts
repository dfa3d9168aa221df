import { Webhook } from "standardwebhooks";
import { type FakeServer, fakeServer } from "./server.ts";

export interface SaidThere {
  readonly webhook: string;
  readonly id: string;
  readonly event_id: string;
  readonly conversation: string;
  readonly text: string;
  readonly may_repeat: boolean;
}

export interface FakeProgram extends FakeServer {
  /** What it has taken, each webhook-id once. */
  readonly said: SaidThere[];
  /** How often it was called with what it knew already. */
  readonly copies: () => number;
}

/** Whoever hears the answers of an inbound webhook: checks them by the library of Standard Webhooks, which reads the real clock or not at all. */
export async function fakeProgram(secret: string): Promise<FakeProgram> {
  const said = new Map<string, SaidThere>();
  let copies = 0;
  const server = await fakeServer(({ method, headers, body }) => {
    const id = String(headers["webhook-id"]);
    const sentAt = new Date(Number(headers["webhook-timestamp"]) * 1000);
    const expected = new Webhook(secret).sign(id, sentAt, body);
    const isSigned = String(headers["webhook-signature"]).split(" ").includes(expected);
    if (method !== "POST" || !isSigned) return { status: 401, body: { error: "signature" } };
    if (said.has(id)) copies++;
    else said.set(id, (JSON.parse(body) as { data: SaidThere }).data);
    return { status: 204, body: "" };
  });
  return {
    ...server,
    get said() {
      return [...said.values()];
    },
    copies: () => copies,
  };
}
