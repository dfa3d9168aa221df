import { MODULES } from "../../adapters/index.ts";
import { type GatewaySpec, gatewayFileOf } from "../../src/config/schema.ts";
import type { BusyMode } from "../../src/domain/busy.ts";
import type { Memory, OnTheWay } from "./chat.ts";
import { Dice } from "./dice.ts";
import { faultsFrom, NO_FAULTS, type Weather } from "./faults.ts";
import type { SimulatedPlatform } from "./gateway.ts";
import { fullFrom, onlyForAll } from "./network-faults.ts";
import type { Fortunes } from "./replicas.ts";
import { SHARED_USERS, type Workload, workloadFrom } from "./workload.ts";
import type { Plan, Spooling } from "./world.ts";

const LENGTH_MS = 120_000;
const BUSY = ["queue", "queue", "collect", "interrupt", "steer"] as const;
const ALONE = { replicas: 1, freezes: [], returns: { "same name": 1 }, spool: "none" } as const;

/** A whole day in the life of a gateway, all of it chosen by the seed. `scale` 1 is a handful of conversations. */
export function planFrom(seed: number, scale = 1): Plan {
  const dice = new Dice(seed);
  const size = {
    conversations: dice.between(2 * scale, 8 * scale),
    messagesMax: dice.between(2, 8),
    lengthMs: LENGTH_MS,
  };
  const weather = dice.pick<Weather>(["calm", "usual", "usual", "stormy"]);
  const faultDice = dice.fork();
  return {
    workload: workloadFrom(dice.fork(), size),
    spec: specFrom(dice, size.conversations),
    recovery: {
      // As they are; what a day of messages is made of comes from the other two.
      discord: "refuses-copies",
      whatsapp: "nothing",
      slack: dice.pick(["lookup", "lookup", "refuses-copies", "nothing"]),
      telegram: dice.pick(["nothing", "nothing", "refuses-copies", "lookup"]),
    },
    onTheWay: "either",
    faultsFor: (startMs) => faultsFrom(faultDice, weather, startMs, LENGTH_MS),
    ...ALONE,
    deaths: deathsFrom(dice, scale),
    drainsAtMs: Array.from({ length: dice.pick([0, 0, 1, 2]) }, () => dice.between(0, LENGTH_MS)),
    dice: dice.fork(),
  };
}

/** The same, with two or three processes that share a Redis, which may be frozen, cut off, and follow each other. */
export function sharedPlanFrom(seed: number, scale = 1): Plan {
  const plan = planFrom(seed, scale);
  const dice = plan.dice.fork();
  const fullDice = dice.fork();
  const shared: Plan = {
    ...plan,
    replicas: dice.between(2, 3),
    deaths: [...plan.deaths, ...deathsFrom(dice, scale)],
    freezes: Array.from({ length: 6 }, () =>
      dice.chance(0.4)
        ? { step: dice.between(0, 200 * scale), forMs: dice.between(100, dice.pick([5_000, 90_000])) }
        : null,
    ),
    returns: { "same name": 6, "new name": 3, never: 1 },
  };
  switch (dice.pick<Spooling>(["none", "none", "orderly", "rough"])) {
    case "none":
      return shared;
    case "rough":
      // A folder that is never opened again keeps what waits in it.
      return { ...shared, spool: "rough", returns: { "same name": 1 } };
    case "orderly":
      return {
        ...shared,
        spool: "orderly",
        deaths: [],
        freezes: [],
        drainsAtMs: [],
        faultsFor: (startMs) => onlyForAll(plan.faultsFor(startMs), fullFrom(fullDice, startMs, LENGTH_MS)),
      };
  }
}

/** Deaths soon after a start find the work of the death before; late ones find everything in full swing. */
function deathsFrom(dice: Dice, scale: number): readonly number[] {
  return Array.from({ length: dice.pick([0, 1, 2, 3, 5]) }, () =>
    dice.chance(0.3) ? dice.between(0, 20) : dice.between(0, 300 * scale),
  );
}

function specFrom(dice: Dice, conversations: number): GatewaySpec {
  return specOf({
    limits: {
      user: { messages: dice.pick([3, 5, 10]), per_seconds: 20 },
      conversation: "off",
      tenant: "off",
      global: "off",
    },
    queue: { concurrency: dice.pick([1, 2, 5, 100]) },
    notices: { window_seconds: 90 },
    routes: [
      { match: { platform: ["slack"] }, agent: "assistant", busy: dice.pick(BUSY) },
      { agent: "assistant", busy: dice.pick(BUSY) },
    ],
    platforms: {
      slack: {
        access: {
          users: [...SHARED_USERS, ...Array.from({ length: conversations }, (_, index) => `U${index}`)],
        },
      },
    },
  });
}

function specOf(spec: Record<string, unknown>): GatewaySpec {
  return gatewayFileOf(MODULES).parse({ spec }).spec;
}

/** Small enough to die at every single step of it: two conversations, one with tools, one with a reply in three parts. */
export function smallPlan({ recovery, onTheWay, ...fortunes }: SmallPlan): Plan {
  return {
    dice: new Dice(1),
    workload: SMALL_WORKLOAD,
    spec: specOf({}),
    recovery: { slack: recovery, discord: recovery, telegram: recovery, whatsapp: recovery },
    faultsFor: () => NO_FAULTS,
    onTheWay,
    ...ALONE,
    deaths: [],
    drainsAtMs: [],
    ...fortunes,
  };
}

/** One person says three things while the first is worked on: what becomes of the others is up to the mode. */
export function busyPlan(mode: BusyMode, platform: SimulatedPlatform, fortunes: SmallPlan): Plan {
  const sample = {
    slack: { kind: "dm", user: "U1", channel: "D1" },
    discord: { kind: "slash", user: "5000", channel: "20" },
    telegram: { kind: "message", user: "5000" },
    whatsapp: { kind: "message", user: "5000", channel: "PN1" },
  }[platform];
  const texts = ["m0 use=look,pay slow", "m1 use=pay", "m2 parts=2 slow"];
  const messages = texts.map((text, index) => ({
    ...NOTHING_SPECIAL,
    ...{ platform, atMs: index * BETWEEN_MS, sample: { ...sample, text, id: `1000${index}` } },
  }));
  return {
    ...smallPlan(fortunes),
    workload: { messages, forgeries: [], pauses: [], lengthMs: 3 * BETWEEN_MS },
    spec: specOf({ routes: [{ agent: "assistant", busy: mode }] }),
  };
}

/** Shorter than a run. */
const BETWEEN_MS = 2_500;

export interface SmallPlan extends Partial<Fortunes> {
  readonly recovery: Memory;
  readonly onTheWay: OnTheWay;
}

const NOTHING_SPECIAL = { isFollowUp: false, isOld: false, copies: [] };
const SMALL_WORKLOAD: Workload = {
  messages: [
    {
      ...NOTHING_SPECIAL,
      platform: "slack",
      atMs: 0,
      sample: { kind: "dm", text: "m0 use=look,pay+look", id: "10000", user: "U1", channel: "D1" },
    },
    {
      ...NOTHING_SPECIAL,
      platform: "slack",
      atMs: 10,
      sample: { kind: "dm", text: "m1", id: "10001", user: "U1", channel: "D1" },
      copies: [{ afterMs: 100, isTwin: true }],
    },
    {
      ...NOTHING_SPECIAL,
      platform: "telegram",
      atMs: 20,
      sample: { kind: "message", text: "m2 parts=3 slow", id: "10002", user: "5000" },
    },
  ],
  forgeries: [],
  pauses: [],
  lengthMs: 1_000,
};
