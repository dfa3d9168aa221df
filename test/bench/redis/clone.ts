import type { Redis } from "ioredis";

/**
 * Stands for the number of a conversation in what is to be copied. As wide as the numbers that take its place, so that
 * the copies are as large.
 */
export const MARK = "@@@@@@@";
/** The event to be copied gets this seq, whose digits are nowhere else in it. */
export const MARKED_SEQ = 8_888_888;
const NUMBER_BASE = 1_000_000;

/** The place of the mark in copy number `index`. */
export function numberOf(index: number): string {
  return String(NUMBER_BASE + index);
}

export type Command = readonly string[];

/** Of all keys of an installation, what would make those again. */
export async function commandsFor(
  client: Redis,
  prefix: string,
  isWanted: (key: string) => boolean = () => true,
): Promise<Command[]> {
  const keys = await client.keys(`{${prefix}}:*`);
  const commands = await Promise.all(
    keys.filter((key) => isWanted(key)).map((key) => commandsOf(client, key)),
  );
  return commands.flat();
}

async function commandsOf(client: Redis, key: string): Promise<Command[]> {
  const ttlMs = await client.pttl(key);
  const expiry: Command[] = ttlMs > 0 ? [["PEXPIRE", key, String(ttlMs)]] : [];
  switch (await client.type(key)) {
    case "string":
      return [["SET", key, (await client.get(key)) ?? ""], ...expiry];
    case "hash":
      return [["HSET", key, ...Object.entries(await client.hgetall(key)).flat()], ...expiry];
    case "list":
      return [["RPUSH", key, ...(await client.lrange(key, 0, -1))], ...expiry];
    case "zset": {
      const members = await client.zrange(key, 0, "-1");
      const scores = await client.zmscore(key, ...members);
      return members.map((member, i) => ["ZADD", key, String(scores[i]), member]);
    }
    default:
      throw new Error(`Expected a key of a kind that is known, got ${key}`);
  }
}

const AT_ONCE = 500;
/** ARGV: the commands as JSON, first and last copy, the mark, the seq, and what both numbers begin with. */
const COPY = `
local commands = cjson.decode(ARGV[1])
local mark, seq, number_base = ARGV[4], ARGV[5], tonumber(ARGV[6])
for i = tonumber(ARGV[2]), tonumber(ARGV[3]) do
  local number, copied_seq = string.format('%d', number_base + i), string.format('%d', i + 1)
  for _, command in ipairs(commands) do
    local copy = {}
    for n, part in ipairs(command) do copy[n] = part:gsub(mark, number):gsub(seq, copied_seq) end
    redis.call(unpack(copy))
  end
end
return 1
`;

/** Carries out the marked ones of these commands for each copy from 0 on, and the others not at all. */
export async function copyOften(client: Redis, commands: readonly Command[], copies: number): Promise<void> {
  const isMarked = (part: string) => part.includes(MARK) || part.includes(String(MARKED_SEQ));
  const marked = JSON.stringify(commands.filter((command) => command.some(isMarked)));
  for (let from = 0; from < copies; from += AT_ONCE) {
    const last = Math.min(from + AT_ONCE, copies) - 1;
    await client.eval(COPY, 0, marked, from, last, MARK, MARKED_SEQ, NUMBER_BASE);
  }
}
