import { type Conversation, tokensIn } from "./load.ts";
import { CHAT_PLATFORMS, type ChatPlatform, type Platforms } from "./platforms.ts";
import { recordsOf, type Said } from "./records.ts";

/** What is wrong with what people can read, and what is only noted. */
export interface Judgement {
  /** Acknowledged and not answered, or not in full. */
  readonly lost: readonly string[];
  /** Said more than once, unmarked. */
  readonly duplicated: readonly string[];
  readonly reordered: readonly string[];
  /** Messages that say of themselves that they may be a repeat, and those of them that are one. */
  readonly marked: number;
  readonly repeats: number;
}

export interface SaidOn extends Said {
  readonly platform: ChatPlatform;
}

/** Everything that was said on all platforms, oldest first on each. */
export function allRecords(platforms: Platforms): readonly SaidOn[] {
  return CHAT_PLATFORMS.flatMap((platform) =>
    recordsOf(platforms, platform).map((record) => ({ ...record, platform })),
  );
}

/** Takes the word of the platforms alone, and that of the senders for what was acknowledged. */
export function judgeReplies(said: readonly SaidOn[], conversations: readonly Conversation[]): Judgement {
  const byPlace = Map.groupBy(said, ({ platform, place }) => `${platform} ${place}`);
  const lost: string[] = [];
  const duplicated: string[] = [];
  const reordered: string[] = [];
  let repeats = 0;
  for (const { platform, place, asked } of conversations) {
    const name = `${platform} ${place}`;
    const records = byPlace.get(name) ?? [];
    const tokens = (isMarked: boolean) =>
      records.filter((record) => record.isMarked === isMarked).flatMap(({ text }) => tokensIn(text));
    const plain = tokens(false);
    const firsts = [...new Set(records.flatMap(({ text }) => tokensIn(text)))];
    const label = (token: string) => `${name} ${token}`;
    repeats += tokens(true).filter((token) => token.startsWith("ask-") && plain.includes(token)).length;
    for (const { topic, expected, isAcknowledged } of asked) {
      const missing = expected.filter((token) => !firsts.includes(token));
      if (isAcknowledged && missing.length > 0)
        lost.push(label(`${topic}: ${missing.length} of ${expected.length} parts are missing`));
    }
    duplicated.push(...plain.filter((token, at) => plain.indexOf(token) !== at).map(label));
    const inOrder = asked.flatMap(({ expected }) => expected).filter((token) => firsts.includes(token));
    const isInOrder = firsts.join() === inOrder.join();
    if (!isInOrder) reordered.push(label(firsts.filter((token) => token.startsWith("ask-")).join()));
  }
  const marked = said.filter(({ isMarked }) => isMarked).length;
  return { lost, duplicated, reordered, marked, repeats };
}
