import type { GatewaySpec } from "../../src/config/schema.ts";
import type { StoreStats } from "../../src/ports/journal.ts";
import { Chat, type Memory, type OnTheWay } from "./chat.ts";
import type { Dice } from "./dice.ts";
import type { Faults } from "./faults.ts";
import { type Gateway, type SimulatedPlatform, startGateway } from "./gateway.ts";
import type { Life } from "./life.ts";
import { type Fortunes, Replicas } from "./replicas.ts";
import { Senders } from "./senders.ts";
import type { OpenStorage, Storage } from "./storage.ts";
import { VirtualTime } from "./time.ts";
import { verdict } from "./verdict.ts";
import { Witness } from "./witness.ts";
import type { Workload } from "./workload.ts";

/** Everything that happens to one simulated gateway. */
export interface Plan extends Fortunes {
  readonly dice: Dice;
  readonly workload: Workload;
  readonly spec: GatewaySpec;
  readonly recovery: Readonly<Record<SimulatedPlatform, Memory>>;
  readonly onTheWay: OnTheWay;
  readonly faultsFor: (startMs: number) => Faults;
  readonly spool: Spooling;
}

/**
 * Whether processes keep what a shared store cannot take. `orderly`: nothing happens that may cost the order of
 * messages between replicas; see docs/spool.md for what does.
 */
export type Spooling = "none" | "orderly" | "rough";

export interface Outcome {
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  /** Processes that died of `deaths`. */
  readonly crashes: number;
  readonly freezes: number;
  readonly marked: number;
  /** Lines to those who wait for a model that is away. */
  readonly waits: number;
  /** Messages with an answer that was not whole yet. */
  readonly previews: number;
  /** Runs that waited for a decision, and calls that were approved. */
  readonly parkings: number;
  readonly grants: number;
  /** Messages that became part of the run of another, and claims of such a run after they had. */
  readonly joined: number;
  readonly takenUp: number;
  readonly storeFaults: number;
  /** Events that a process had to do with after another had taken them over. */
  readonly outrun: number;
  readonly events: Readonly<Record<string, number>>;
}

const START_MS = 1_700_000_000_000;
const SETTLE_MS_MAX = 3 * 3_600_000;
const LOOK_EVERY_MS = 1_000;

export async function simulate(plan: Plan, openStorage: OpenStorage): Promise<Outcome> {
  const time = new VirtualTime(START_MS);
  const witness = new Witness(time);
  const faults = plan.faultsFor(START_MS);
  const hasSpool = plan.spool !== "none";
  await using storage = await openStorage({ time, witness, faults, hasSpool, dice: plan.dice.fork() });
  return await new World({ plan, time, witness, faults, storage }).run();
}

interface WorldOptions {
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly witness: Witness;
  readonly faults: Faults;
  readonly storage: Storage;
}

class World {
  readonly #plan: Plan;
  readonly #time: VirtualTime;
  readonly #witness: Witness;
  readonly #faults: Faults;
  readonly #storage: Storage;
  readonly #chats: Readonly<Record<SimulatedPlatform, Chat>>;
  readonly #providerDice: Dice;
  readonly #productDice: Dice;
  readonly #senders: Senders;
  readonly #replicas: Replicas;

  constructor({ plan, time, witness, faults, storage }: WorldOptions) {
    this.#plan = plan;
    this.#time = time;
    this.#witness = witness;
    this.#faults = faults;
    this.#storage = storage;
    const [slack, telegram] = [this.#chat("slack"), this.#chat("telegram")];
    this.#providerDice = plan.dice.fork();
    this.#replicas = new Replicas({
      fortunes: plan,
      dice: plan.dice.fork(),
      time,
      witness,
      start: (life, place) => this.#startGateway(life, place),
    });
    this.#senders = new Senders({
      dice: plan.dice.fork(),
      faults,
      time,
      witness,
      receivers: () => this.#replicas.up,
    });
    this.#productDice = plan.dice.fork();
    // Last, so that a seed of before still gives the same day.
    this.#chats = { slack, telegram, discord: this.#chat("discord"), whatsapp: this.#chat("whatsapp") };
  }

  async run(): Promise<Outcome> {
    this.#replicas.startAll();
    await this.#until(() => this.#replicas.haveStarted);
    this.#senders.schedule(this.#plan.workload);
    await this.#until(
      () => this.#senders.undelivered === 0 && this.#sinceStart() >= this.#plan.workload.lengthMs,
    );
    this.#faults.end();
    await this.#settle();
    await this.#end();
    const left = Object.values(this.#chats).flatMap(({ previewsLeft }) => previewsLeft);
    const events = this.#isFine()
      ? verdict(await this.#storage.ledger(), this.#witness, this.#plan, left)
      : {};
    const {
      violations,
      trace,
      crashes,
      freezes,
      storeFaults,
      outrun,
      said,
      waits,
      previews,
      parkings,
      grants,
      joins,
    } = this.#witness;
    const marked = said.filter(({ isMarked }) => isMarked).length;
    return {
      violations,
      trace,
      crashes,
      freezes,
      storeFaults,
      outrun: outrun.size,
      marked,
      waits: waits.size,
      previews,
      parkings,
      grants,
      joined: joins.size,
      takenUp: joins.takenUp,
      events,
    };
  }

  #chat(platform: SimulatedPlatform): Chat {
    const { recovery, dice, onTheWay } = this.#plan;
    return new Chat({
      onTheWay,
      recovery: recovery[platform],
      dice: dice.fork(),
      faults: this.#faults,
      time: this.#time,
      witness: this.#witness,
    });
  }

  #startGateway(life: Life, place: { replica: number; owner: string }): Promise<Gateway> {
    return startGateway(
      {
        openStore: (options) => this.#storage.open({ ...options, ...place, life }),
        spec: this.#plan.spec,
        chats: this.#chats,
        isPaused: () => this.#isPaused(),
        random: this.#productDice.random,
        dice: this.#providerDice,
        faults: this.#faults,
        witness: this.#witness,
      },
      life,
    );
  }

  #isPaused(): boolean {
    const sinceMs = this.#sinceStart();
    return this.#plan.workload.pauses.some(({ fromMs, untilMs }) => fromMs <= sinceMs && sinceMs < untilMs);
  }

  #sinceStart(): number {
    return this.#time.nowMs() - START_MS;
  }

  #isFine(): boolean {
    return this.#witness.violations.length === 0;
  }

  /** Lets one thing happen after the other, each with all that follows from it at once. */
  async #until(isOver: () => boolean): Promise<void> {
    for (;;) {
      await this.#storage.quiet();
      this.#replicas.checkBeats();
      if (isOver() || !this.#isFine()) return;
      if (!this.#time.jump()) return this.#witness.violate("nothing more will happen");
    }
  }

  async #settle(): Promise<void> {
    const giveUpMs = this.#time.nowMs() + SETTLE_MS_MAX;
    while (this.#isFine()) {
      const stats = await this.#stats();
      if (stats !== null) {
        const { queued, running, retrying, parked } = stats;
        if (queued + running + retrying + parked === 0) return;
        if (this.#time.nowMs() > giveUpMs)
          this.#witness.violate(
            `does not settle: ${queued} queued, ${running} running, ${retrying} retrying, ${parked} parked`,
          );
      }
      const untilMs = this.#time.nowMs() + LOOK_EVERY_MS;
      this.#time.after(LOOK_EVERY_MS, () => {});
      await this.#until(() => this.#time.nowMs() >= untilMs);
    }
  }

  /** Null: nobody is there to ask, dies meanwhile, or cannot tell. */
  async #stats(): Promise<StoreStats | null> {
    const process = this.#replicas.awake;
    // What waits in the spool of one that is away, nobody knows.
    const isKnown = this.#plan.spool === "none" || this.#replicas.areComplete;
    if (!process?.gateway || !isKnown) return null;
    let stats: StoreStats | "none" | undefined;
    const giveUp = () => {
      stats ??= "none";
    };
    process.open.add(giveUp);
    process.gateway
      .stats()
      .then((found) => {
        stats ??= found;
      }, giveUp)
      .finally(() => process.open.delete(giveUp));
    await this.#until(() => stats !== undefined);
    return stats === undefined || stats === "none" ? null : stats;
  }

  /** All processes drain; what they leave is judged. */
  async #end(): Promise<void> {
    if (!this.#isFine()) return this.#replicas.abandon();
    let hasEnded = false;
    void this.#replicas.end().then(() => {
      hasEnded = true;
    });
    await this.#until(() => hasEnded);
    if (!this.#isFine()) this.#replicas.abandon();
  }
}
