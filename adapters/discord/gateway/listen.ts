import type { Mailbox, Socket } from "../../../src/ports/adapter.ts";
import type { Clock, Random } from "../../../src/ports/clock.ts";
import type { Secret } from "../../../src/shared/secret.ts";
import { iso } from "../../../src/shared/time.ts";
import type { ChangePolicy } from "../../shared/change-options.ts";
import type { ReactionsOption } from "../../shared/reactions.ts";
import type { DiscordRest } from "../api.ts";
import { Changes } from "../changes.ts";
import type { ReadingOptions } from "../event.ts";
import { accountOf } from "./account.ts";
import { Hearing } from "./hearing.ts";
import { Identifies } from "./identifies.ts";
import { Pauses } from "./pauses.ts";
import { Places } from "./places.ts";
import { readSession } from "./session.ts";
import { REASONS, Shard } from "./shard.ts";
import { States } from "./states.ts";
import { troubleOf, waitOf } from "./trouble.ts";

export interface GatewayOptions {
  readonly botToken: Secret;
  /** Without the version. */
  readonly apiUrl: string;
  readonly rest: DiscordRest;
  /** Empty: that of the bot. */
  readonly applicationId: string;
  readonly replies: "reply" | "thread";
  readonly changes: ChangePolicy;
  readonly reading: ReadingOptions;
  /** Undefined: reactions are not heard. */
  readonly reactions: ReactionsOption | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/** Discord's Gateway: how what is merely written reaches a bot. All shards are held together. */
export function createGateway(options: GatewayOptions): Socket {
  const { rest, clock } = options;
  const places = new Places(rest, clock);
  const changes = new Changes(options.changes);
  return {
    name: "gateway",
    account: accountOf(options.botToken),
    reasons: REASONS,
    listen: (mailbox, signal) => listen({ ...options, places, changes }, mailbox, signal),
  };
}

type Options = Omit<GatewayOptions, "changes"> & { readonly places: Places; readonly changes: Changes };

async function listen(options: Options, mailbox: Mailbox, signal: AbortSignal): Promise<void> {
  const { rest, clock, random } = options;
  const identifies = new Identifies(rest, clock, (untilMs) =>
    mailbox.report({
      status: "failed",
      details: `has begun as many sessions as Discord takes in a day; the next one can begin at ${iso(untilMs)}`,
    }),
  );
  const pauses = new Pauses(clock, random);
  mailbox.report({ status: "connecting", details: "looks for its session" });
  // Sessions are of so many shards, and end with that number; so it stays until Discord wants more.
  let shards = readSession(await mailbox.recall("session.0"))?.shards ?? null;
  while (!signal.aborted) {
    await pauses.wait(signal);
    let leastMs = 0;
    shards ??= await recommended(identifies, signal, (error) => {
      mailbox.report(troubleOf(error));
      leastMs = waitOf(error);
    });
    if (shards !== null) await run(options, { shards, identifies, mailbox }, signal);
    shards = null;
    identifies.outdated();
    pauses.failed(leastMs);
  }
}

/** Null: Discord did not say, and `failed` was told why. */
async function recommended(
  identifies: Identifies,
  signal: AbortSignal,
  failed: (error: unknown) => void,
): Promise<number | null> {
  try {
    return (await identifies.door(signal)).shards;
  } catch (error) {
    if (!signal.aborted) failed(error);
    return null;
  }
}

/** All shards, until aborted or until there are too few of them. */
async function run(
  { botToken: token, apiUrl, clock, random, ...options }: Options,
  { shards, identifies, mailbox }: { shards: number; identifies: Identifies; mailbox: Mailbox },
  signal: AbortSignal,
): Promise<void> {
  const together = new AbortController();
  const ending = AbortSignal.any([signal, together.signal]);
  const states = new States(shards, mailbox);
  const runOne = async (shard: number): Promise<void> => {
    const hearing = new Hearing(
      {
        ...{ ...options, shard, clock, notes: mailbox },
        take: (inbound) => mailbox.take(inbound),
        readBack: (messages) => mailbox.readBack(messages),
      },
      ending,
    );
    await hearing.recall();
    const told = states.of(shard, () => together.abort());
    const one = new Shard(
      {
        ...{ shard, shards, token, apiUrl, clock, random, identifies, told, notes: mailbox },
        inbox: hearing,
        hearsReactions: options.reactions !== undefined,
      },
      ending,
    );
    await one.run();
    // What is on its way to the store still counts, if it does not take long.
    await Promise.race([hearing.drained(), clock.sleep(SETTLE_MS)]);
    await Promise.all([one.flush(), hearing.flush()]);
  };
  try {
    await Promise.all(Array.from({ length: shards }, (_, shard) => runOne(shard)));
  } finally {
    together.abort();
  }
}

/** Of the time that whoever leaves has. */
const SETTLE_MS = 500;
