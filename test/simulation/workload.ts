import type { Dice } from "./dice.ts";
import type { SimulatedPlatform } from "./gateway.ts";
import { type Script, TOOLS, type ToolName, writeScript } from "./script.ts";

/** What a person writes, and how often its platform delivers it. Times are from the start. */
export interface Message {
  readonly platform: SimulatedPlatform;
  readonly atMs: number;
  readonly sample: Sample;
  /** Said in a thread without naming the bot. */
  readonly isFollowUp: boolean;
  /** Held back by the platform for more than a day before it was delivered. */
  readonly isOld: boolean;
  readonly copies: readonly Copy[];
}
export interface Sample {
  readonly kind: string;
  readonly text: string;
  readonly id: string;
  readonly user: string;
  readonly channel?: string;
  readonly thread?: string;
}
/** The same delivery again, or (Slack only) the same message under another delivery id. */
export interface Copy {
  readonly afterMs: number;
  readonly isTwin: boolean;
}

export interface Forgery {
  readonly platform: SimulatedPlatform;
  readonly atMs: number;
  readonly sample: Sample;
  readonly how: "wrong secret" | "changed byte" | "no signature" | "stale";
}

export interface Workload {
  readonly messages: readonly Message[];
  readonly forgeries: readonly Forgery[];
  readonly pauses: readonly { readonly fromMs: number; readonly untilMs: number }[];
  readonly lengthMs: number;
}

/** Take part in several conversations. */
export const SHARED_USERS = ["U1"];
/** May not use the bot. */
export const STRANGER = "UX";

interface Place {
  readonly platform: SimulatedPlatform;
  /** Kinds of sample said here; the first one names the bot, or needs not. */
  readonly kinds: readonly [string, ...string[]];
  readonly users: readonly string[];
  readonly channel?: string;
  readonly thread?: string;
}

export function workloadFrom(
  dice: Dice,
  size: { conversations: number; messagesMax: number; lengthMs: number },
): Workload {
  const { lengthMs } = size;
  const messages: Message[] = [];
  const forgeries: Forgery[] = [];
  for (let index = 0; index < size.conversations; index++) {
    const place = placeOf(dice, index);
    const isBurst = dice.chance(0.3);
    let atMs = dice.between(0, lengthMs / 2);
    for (let left = dice.between(1, size.messagesMax); left > 0; left--) {
      const number = messages.length + forgeries.length;
      const message = messageAt(dice, place, atMs, number);
      messages.push(message);
      if (dice.chance(0.1)) forgeries.push(forgeryOf(dice, message, number + 1));
      atMs += isBurst ? dice.between(0, 50) : dice.between(0, 20_000);
    }
  }
  return { messages, forgeries, pauses: pausesFrom(dice, lengthMs), lengthMs };
}

function placeOf(dice: Dice, index: number): Place {
  switch (dice.pick(["direct", "thread", "private", "topic"] as const)) {
    case "direct":
      return {
        platform: "slack",
        kinds: ["dm"],
        users: [dice.chance(0.05) ? STRANGER : `U${index}`],
        channel: `D${index}`,
      };
    case "thread":
      return {
        platform: "slack",
        kinds: ["mention", "thread"],
        users: [...SHARED_USERS, `U${index}`],
        channel: `C${index % 3}`,
        thread: `1700000000.${100_000 + index}`,
      };
    case "private":
      return { platform: "telegram", kinds: ["message"], users: [String(5_000 + index)] };
    case "topic":
      return {
        platform: "telegram",
        kinds: ["topic"],
        users: ["5001", String(5_000 + index)],
        channel: "-1009",
        thread: String(index + 3),
      };
  }
}

function messageAt(dice: Dice, place: Place, atMs: number, number: number): Message {
  const kind = dice.chance(0.7) ? place.kinds[0] : dice.pick(place.kinds);
  const { platform, channel, thread } = place;
  return {
    platform,
    atMs,
    sample: {
      kind,
      text: textFrom(dice, number),
      id: String(10_000 + number),
      user: dice.pick(place.users),
      ...(channel !== undefined && { channel }),
      ...(thread !== undefined && { thread }),
    },
    isFollowUp: kind === "thread",
    isOld: platform === "telegram" && dice.chance(0.03),
    copies: copiesFrom(dice, platform),
  };
}

function textFrom(dice: Dice, number: number): string {
  const command = dice.random();
  if (command < 0.06) return "!stop";
  if (command < 0.12) return "!reset";
  if (command < 0.14) return "!status";
  if (command < 0.3) return "!approve";
  if (command < 0.34) return "!deny not now";
  return writeScript(`m${number}`, scriptFrom(dice));
}

function scriptFrom(dice: Dice): Script {
  const names = (): ToolName[] =>
    Array.from({ length: dice.between(1, 2) }, () => dice.pick<ToolName>(TOOLS));
  return {
    rounds: dice.chance(0.4) ? Array.from({ length: dice.between(1, 2) }, names) : [],
    parts: dice.chance(0.3) ? dice.between(2, 4) : 1,
    isSlow: dice.chance(0.5),
  };
}

function copiesFrom(dice: Dice, platform: SimulatedPlatform): readonly Copy[] {
  const copies: Copy[] = [];
  if (dice.chance(0.15)) copies.push({ afterMs: dice.between(0, 60_000), isTwin: false });
  if (platform === "slack" && dice.chance(0.15))
    copies.push({ afterMs: dice.between(0, 3_000), isTwin: true });
  return copies;
}

function forgeryOf(dice: Dice, { platform, sample, atMs }: Message, number: number): Forgery {
  const how = dice.pick(["wrong secret", "changed byte", "no signature", "stale"] as const);
  // Telegram signs neither the body nor the time.
  const signsBody = platform === "slack";
  return {
    platform,
    atMs: atMs + dice.between(0, 5_000),
    sample: { ...sample, text: "forged", id: String(10_000 + number) },
    how: signsBody || how === "no signature" ? how : "wrong secret",
  };
}

function pausesFrom(dice: Dice, lengthMs: number): Workload["pauses"] {
  if (!dice.chance(0.25)) return [];
  const fromMs = dice.between(0, lengthMs);
  return [{ fromMs, untilMs: fromMs + dice.between(1_000, 30_000) }];
}
