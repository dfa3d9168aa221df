/** Gateway opcodes: https://discord.com/developers/docs/topics/opcodes-and-status-codes */
export const OP = {
  dispatch: 0,
  heartbeat: 1,
  identify: 2,
  resume: 6,
  reconnect: 7,
  invalidSession: 9,
  hello: 10,
  heartbeatAck: 11,
} as const;

const GUILDS = 1 << 0;
const GUILD_MESSAGES = 1 << 9;
const DIRECT_MESSAGES = 1 << 12;
/** Has to be switched on in the Developer Portal. */
const MESSAGE_CONTENT = 1 << 15;

/** GUILD_MESSAGE_REACTIONS and DIRECT_MESSAGE_REACTIONS. */
const REACTIONS = (1 << 10) | (1 << 13);

/** Threads and the channels that they hang on (GUILDS), and what is said. Message Content alone is privileged. */
export function intentsOf(readsContent: boolean, hearsReactions: boolean): number {
  const least = GUILDS | GUILD_MESSAGES | DIRECT_MESSAGES;
  return least | (readsContent ? MESSAGE_CONTENT : 0) | (hearsReactions ? REACTIONS : 0);
}

/** Leaves a session open, so that whoever comes next resumes it: 1000 and 1001 would end it. */
export const LEAVE = 4_900;

export const CLOSE = {
  authenticationFailed: 4_004,
  shardingRequired: 4_011,
  disallowedIntents: 4_014,
} as const;

/**
 * What a connection that Discord has closed leaves.
 *
 * | code | |
 * |-|-|
 * | 4004, 4010 to 4014 | `refused`: the same again is refused again |
 * | 4003, 4005, 4007, 4009 | `lost`: the session cannot be resumed |
 * | any other, none | `resumable` |
 */
export function leftBy(code: number): "refused" | "lost" | "resumable" {
  if (code === CLOSE.authenticationFailed || (code >= 4_010 && code <= 4_014)) return "refused";
  return [4_003, 4_005, 4_007, 4_009].includes(code) ? "lost" : "resumable";
}

/** Discord's word for it, and what to do. */
export function wordOf(code: number): string {
  return WORDS[code] ?? `closed with ${code}`;
}

const WORDS: Readonly<Record<number, string>> = {
  4004: "4004 authentication failed: look at DISCORD_BOT_TOKEN",
  4010: "4010 invalid shard",
  4011: "4011 sharding required",
  4012: "4012 invalid API version: this version of Parley is too old",
  4013: "4013 invalid intents",
  4014: "4014 disallowed intents: switch on Message Content Intent on the page Bot of the Developer Portal",
};
