import { CHAT_PLATFORMS, type ChatPlatform, type Platforms, statusFault, tooMany } from "../e2e/platforms.ts";
import type { FakeServer, Fault } from "../fakes/server.ts";
import type { Dice } from "../simulation/dice.ts";

export const PLATFORM_FAULTS = ["429", "500", "reset", "reset after", "time-out after"] as const;
export type PlatformFault = (typeof PLATFORM_FAULTS)[number];

/**
 * Of a thousand answers, so many meet this. Few enough that no breaker opens: what happens then is for other tests,
 * and takes a minute each time.
 */
const PER_THOUSAND: Readonly<Record<PlatformFault, number>> = {
  "429": 20,
  "500": 20,
  reset: 10,
  "reset after": 10,
  "time-out after": 4,
};
const TOO_MANY_SECONDS = 1;
/** What an answer holds, in every encoding. */
const ANSWER = /ask-\d+-\d+/;

/** Makes every platform fail now and then when an answer comes to it. */
export function troublePlatforms(
  platforms: Platforms,
  dice: Dice,
  happened: (fault: PlatformFault) => void,
): void {
  for (const platform of CHAT_PLATFORMS) {
    const fake: FakeServer = platforms[platform];
    const chance = dice.fork();
    for (const kind of PLATFORM_FAULTS) {
      fake.faults.push({
        ...faultOf(kind, platform),
        times: Number.POSITIVE_INFINITY,
        match({ body }) {
          if (!ANSWER.test(body) || !chance.chance(PER_THOUSAND[kind] / 1000)) return false;
          happened(kind);
          return true;
        },
      });
    }
  }
}

export function calmPlatforms(platforms: Platforms): void {
  for (const platform of CHAT_PLATFORMS) platforms[platform].faults.length = 0;
}

function faultOf(kind: PlatformFault, platform: ChatPlatform): Fault {
  switch (kind) {
    case "429":
      return statusFault(tooMany(platform, TOO_MANY_SECONDS));
    case "500":
      return { kind: "status", status: 500 };
    case "reset":
      return { kind: "reset" };
    case "reset after":
      return { kind: "reset-after" };
    case "time-out after":
      return { kind: "hang-after" };
  }
}

/** When each platform first heard of the answer to a message, by its topic. */
export function saidAtMs(platforms: Platforms): Map<string, number> {
  const firsts = new Map<string, number>();
  for (const platform of CHAT_PLATFORMS) {
    const fake: FakeServer = platforms[platform];
    for (const { body, at, fault } of fake.calls) {
      const topic = ANSWER.exec(body)?.[0];
      const hadEffect = fault === null || fault === "reset-after" || fault === "hang-after";
      if (topic !== undefined && hadEffect) firsts.set(topic, Math.min(at, firsts.get(topic) ?? at));
    }
  }
  return firsts;
}
