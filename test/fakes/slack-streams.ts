import type { SlackMessage } from "./slack.ts";

export type Args = Readonly<Record<string, unknown>>;
export type Method = (args: Args) => object;

export class SlackRefusal extends Error {}

export class SlackRateLimited extends Error {
  readonly seconds: number;

  constructor(seconds: number) {
    super("ratelimited");
    this.seconds = seconds;
  }
}

const MARKDOWN_CHARS_MAX = 12_000;
const MINUTE_MS = 60_000;
const PER_MINUTE = { start: 20, append: 100, stop: 20 } as const;

/** The three methods of a stream: what it takes in which state, and how often. */
export function slackStreams(chat: {
  say: (said: Omit<SlackMessage, "ts">) => SlackMessage;
  find: (args: Args) => SlackMessage;
  nowMs: () => number;
}): Readonly<Record<string, Method>> {
  const calls = new Map<string, number[]>();

  function limited(of: keyof typeof PER_MINUTE): void {
    const nowMs = chat.nowMs();
    const recent = (calls.get(of) ?? []).filter((atMs) => atMs > nowMs - MINUTE_MS);
    const oldest = recent[0] ?? nowMs;
    if (recent.length >= PER_MINUTE[of])
      throw new SlackRateLimited(Math.ceil((oldest + MINUTE_MS - nowMs) / 1000));
    calls.set(of, [...recent, nowMs]);
  }

  function markdownOf(args: Args): string {
    const text = word(args, "markdown_text") ?? "";
    if (text.length > MARKDOWN_CHARS_MAX) throw new SlackRefusal("msg_too_long");
    return text;
  }

  function streamOf(args: Args): SlackMessage {
    const found = chat.find(args);
    if (!found.isStreaming) throw new SlackRefusal("message_not_in_streaming_state");
    return found;
  }

  return {
    "chat.startStream": (args) => {
      const channel = need(args, "channel", "channel_not_found");
      const threadTs = need(args, "thread_ts", "invalid_thread_ts");
      if (!channel.startsWith("D")) {
        need(args, "recipient_team_id", "missing_recipient_team_id");
        need(args, "recipient_user_id", "missing_recipient_user_id");
      }
      limited("start");
      const text = markdownOf(args);
      const said = { channel, threadTs, text, blocks: [], via: "chat.startStream" as const };
      const message = chat.say({ ...said, visibleTo: null, metadata: null, isStreaming: true });
      return { channel, ts: message.ts };
    },
    "chat.appendStream": (args) => {
      const stream = streamOf(args);
      const text = need(args, "markdown_text", "no_text");
      limited("append");
      if (stream.text.length + markdownOf(args).length > MARKDOWN_CHARS_MAX)
        throw new SlackRefusal("msg_too_long");
      stream.text += text;
      return { channel: stream.channel, ts: stream.ts };
    },
    "chat.stopStream": (args) => {
      const stream = streamOf(args);
      limited("stop");
      if (stream.text.length + markdownOf(args).length > MARKDOWN_CHARS_MAX)
        throw new SlackRefusal("msg_too_long");
      stream.text += markdownOf(args);
      stream.isStreaming = false;
      stream.metadata = args.metadata ?? null;
      return {
        channel: stream.channel,
        ts: stream.ts,
        message: { text: stream.text, user: "UBOT", bot_id: "B1", ts: stream.ts },
      };
    },
  };
}

export function word(args: Args, key: string): string | undefined {
  const value = args[key];
  return value === undefined || value === null ? undefined : String(value as string | number | boolean);
}

export function need(args: Args, key: string, error: string): string {
  const value = word(args, key);
  if (value === undefined || value === "") throw new SlackRefusal(error);
  return value;
}
