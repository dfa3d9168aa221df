import { onTestFinished } from "vitest";
import { createSlackAdapter } from "../../../adapters/slack/adapter.ts";
import { createSlackSocket } from "../../../adapters/slack/socket.ts";
import type { Ack, Inbound, Mailbox, SocketState } from "../../../src/ports/adapter.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { systemClock } from "../../../src/system/clock.ts";
import type { FakeSlack } from "../../fakes/slack.ts";

export const APP_TOKEN = "xapp-1-A1-12-abc";
export const OK: Ack = { status: 200 };

/** A holder of Slack's socket, and what it takes and tells. */
export function listening(
  fake: FakeSlack,
  {
    token = APP_TOKEN,
    take = async () => OK,
    clock = systemClock,
    reconnected = () => {},
  }: Partial<{
    readonly token: string;
    readonly take: (inbound: Inbound) => Promise<Ack | null>;
    readonly clock: Clock;
    readonly reconnected: (reason: string) => void;
  }> = {},
) {
  const taken: Inbound[] = [];
  const states: SocketState[] = [];
  const reconnects: string[] = [];
  const over = new AbortController();
  const mailbox: Mailbox = {
    take(inbound) {
      taken.push(inbound);
      return take(inbound);
    },
    recall: async () => null,
    note: async () => true,
    report: (state) => states.push(state),
    connected: () => {},
    reconnects(reason) {
      reconnects.push(reason);
      reconnected(reason);
    },
    readBack: () => {},
  };
  const { socket } = createSlackAdapter({
    signingSecrets: [],
    botToken: new Secret("xoxb-1"),
    apiUrl: fake.apiUrl,
    clock: systemClock,
    timeoutMs: 5_000,
    socketOf: (parsing) =>
      createSlackSocket(
        {
          appToken: new Secret(token),
          apiUrl: fake.apiUrl,
          timeoutMs: 5_000,
          ...{ clock, random: () => 0 },
        },
        parsing,
      ),
  });
  if (socket === undefined) throw new Error("Expected a socket");
  const ended = socket.listen(mailbox, over.signal);
  const leave = async () => {
    over.abort("left");
    await ended;
  };
  onTestFinished(leave);
  return { socket, taken, states, reconnects, leave };
}

export const MENTION = {
  token: "x",
  team_id: "T1",
  api_app_id: "A1",
  type: "event_callback",
  event_id: "Ev1",
  event: {
    type: "app_mention",
    user: "U1",
    text: "<@UBOT> hello",
    ts: "1717000000.000100",
    channel: "C1",
    event_ts: "1717000000.000100",
  },
  authorizations: [{ team_id: "T1", user_id: "UBOT", is_bot: true, is_enterprise_install: false }],
};
export const COMMAND = {
  ...{ team_id: "T1", channel_id: "C1", user_id: "U1", user_name: "ann", command: "/parley", text: "hi" },
  ...{ api_app_id: "A1", trigger_id: "1.2.abc", response_url: "https://hooks.slack.com/commands/T1/1/x" },
};
