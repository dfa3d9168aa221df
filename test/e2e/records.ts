import type { FakeServer } from "../fakes/server.ts";
import type { ChatPlatform, Platforms } from "./platforms.ts";

/** One message that people can read, by the platform's own records. */
export interface Said {
  /** A channel, a chat or a person. */
  readonly place: string;
  readonly text: string;
  /** Whether it says of itself that it may be a repeat. */
  readonly isMarked: boolean;
}

const NOTICE = "This may be a repeat";
/** A notice that had no room above its message stands alone before it. */
const NOTICE_CHARS_MAX = 100;

/** Everything that was said on a platform, oldest first. */
export function recordsOf(platforms: Platforms, platform: ChatPlatform): readonly Said[] {
  const announced = new Set<string>();
  return RECORDS[platform](platforms).map(([place, text]) => {
    const isMarked = announced.delete(place) || text.includes(NOTICE);
    if (text.includes(NOTICE) && text.length < NOTICE_CHARS_MAX) announced.add(place);
    return { place, text, isMarked };
  });
}

type Record = readonly [place: string, text: string];

const RECORDS: Readonly<{ [P in ChatPlatform]: (platforms: Platforms) => readonly Record[] }> = {
  slack: ({ slack }) => slack.messages.map(({ channel, text }) => [channel, text]),
  discord: ({ discord }) => discord.messages.map(({ channelId, content }) => [channelId, content]),
  telegram: ({ telegram }) => telegram.messages.map(({ chatId, text }) => [String(chatId), text]),
  whatsapp: ({ whatsapp }) =>
    whatsapp.messages.map(({ body }) => {
      const { to, text } = body as { to: string; text: { body: string } };
      return [to.replace(/^\+/, ""), text.body];
    }),
};

/** Resolves once this was said. */
export async function said(platforms: Platforms, platform: ChatPlatform, text: string): Promise<void> {
  const fake: FakeServer = platforms[platform];
  await fake.until(() => recordsOf(platforms, platform).some((record) => record.text.includes(text)));
}
