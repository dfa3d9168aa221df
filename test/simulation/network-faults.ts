import type { Dice } from "./dice.ts";
import type { Faults } from "./faults.ts";

/** Of a command to Redis: the connection breaks before it is carried out, or before its answer is here. */
export type CommandFate = "ok" | "refused" | "unheard";
/**
 * - `refuses`: no connection, and everybody knows at once
 * - `silent`: connections stay, and answers come when it is over
 */
export interface Outage {
  readonly replica: number | "all";
  readonly how: "refuses" | "silent";
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Between several processes and the Redis that they share. */
export interface NetworkFaults {
  readonly outages: readonly Outage[];
  outage(replica: number, nowMs: number): Outage | null;
  command(): CommandFate;
  /** Of a word on its way to one process. */
  word(): "ok" | "lost";
  /** Redis has no room for more. */
  isFull(nowMs: number): boolean;
}

export const NO_NETWORK_FAULTS: NetworkFaults = {
  outages: [],
  outage: () => null,
  command: () => "ok",
  word: () => "ok",
  isFull: () => false,
};

const AWAY_MS_MAX = 15_000;
const AWAY_LONG_MS = 50_000;

/** Redis is away or cut off for a while as disks are, or out of memory. */
export function networkFaultsFrom(
  dice: Dice,
  rate: number,
  { startMs, lengthMs }: { readonly startMs: number; readonly lengthMs: number },
  isOver: () => boolean,
): NetworkFaults {
  const span = () => {
    const fromMs = startMs + dice.between(0, lengthMs);
    return {
      fromMs,
      untilMs: fromMs + dice.between(200, dice.chance(0.15) ? AWAY_LONG_MS : AWAY_MS_MAX),
    };
  };
  const outages: readonly Outage[] = Array.from({ length: dice.between(0, 2 + rate) }, () => ({
    replica: dice.pick([0, 1, 2, "all"] as const),
    how: dice.pick(["refuses", "silent"] as const),
    ...span(),
  }));
  const full = Array.from({ length: dice.chance(0.1 * rate) ? 1 : 0 }, span);
  return {
    ...during(outages),
    command: () =>
      isOver() ? "ok" : dice.weighted<CommandFate>({ ok: 500, refused: rate, unheard: 2 * rate }),
    word: () => (!isOver() && dice.chance(0.05 * rate) ? "lost" : "ok"),
    isFull: (nowMs) => full.some((one) => covers(one, nowMs)),
  };
}

export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

function covers({ fromMs, untilMs }: Span, nowMs: number): boolean {
  return fromMs <= nowMs && nowMs < untilMs;
}

/** One that has begun goes on to its end, though nothing new fails. */
function during(outages: readonly Outage[]): Pick<NetworkFaults, "outages" | "outage"> {
  return {
    outages,
    outage(replica, nowMs) {
      const hits = outages.filter(
        (outage) => (outage.replica === "all" || outage.replica === replica) && covers(outage, nowMs),
      );
      return hits.find(({ how }) => how === "refuses") ?? hits[0] ?? null;
    },
  };
}

/** Redis is away for all or for nobody, and out of memory for a while, of which nobody can say anything. */
export function onlyForAll(faults: Faults, full: Span): Faults {
  const { network } = faults;
  const outages = network.outages.filter(({ replica }) => replica === "all");
  const isFull = (nowMs: number) => covers(full, nowMs);
  return { ...faults, network: { ...network, ...during(outages), command: () => "ok", isFull } };
}

/** Long enough for several offers to be refused. */
export function fullFrom(dice: Dice, startMs: number, lengthMs: number): Span {
  const fromMs = startMs + dice.between(0, lengthMs);
  return { fromMs, untilMs: fromMs + dice.between(500, 30_000) };
}
