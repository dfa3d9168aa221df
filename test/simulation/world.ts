import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GatewaySpec } from "../../src/config/schema.ts";
import type { StoreStats } from "../../src/ports/store.ts";
import { Chat, type OnTheWay, type Recovery, WAY_MS_MAX } from "./chat.ts";
import type { Dice } from "./dice.ts";
import type { Faults } from "./faults.ts";
import { type Gateway, type SimulatedPlatform, startGateway } from "./gateway.ts";
import { Life } from "./life.ts";
import { type Receiver, Senders } from "./senders.ts";
import { quiet, VirtualTime } from "./time.ts";
import { verdict } from "./verdict.ts";
import { Witness } from "./witness.ts";
import type { Workload } from "./workload.ts";

/** Everything that happens to one simulated gateway. */
export interface Plan {
  readonly dice: Dice;
  readonly workload: Workload;
  readonly spec: GatewaySpec;
  readonly recovery: Readonly<Record<SimulatedPlatform, Recovery>>;
  readonly onTheWay: OnTheWay;
  readonly faultsFor: (startMs: number) => Faults;
  /** The step at which each life ends; those after live on. */
  readonly deaths: readonly number[];
  /** When a process is told to drain, from the start. */
  readonly drainsAtMs: readonly number[];
}

export interface Outcome {
  readonly violations: readonly string[];
  readonly trace: readonly string[];
  /** Processes that died of `deaths`. */
  readonly crashes: number;
  readonly marked: number;
  readonly diskFaults: number;
  readonly events: Readonly<Record<string, number>>;
}

const START_MS = 1_700_000_000_000;
const DRAIN_MS_MAX = 30_000;
/** The dispatcher promises to come round every ten seconds. */
const BEAT_MS_MAX = 11_000;
const SETTLE_MS_MAX = 3 * 3_600_000;
const LOOK_EVERY_MS = 1_000;

export async function simulate(plan: Plan): Promise<Outcome> {
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "parley-simulation-"));
  try {
    return await new World(plan, join(folder, "parley.db")).run();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Process extends Receiver {
  isDraining: boolean;
}

class World {
  readonly #plan: Plan;
  readonly #file: string;
  readonly #time = new VirtualTime(START_MS);
  readonly #witness = new Witness(this.#time);
  readonly #faults: Faults;
  readonly #chats: Readonly<Record<SimulatedPlatform, Chat>>;
  readonly #providerDice: Dice;
  readonly #restartDice: Dice;
  readonly #productDice: Dice;
  readonly #senders: Senders;
  #lives = 0;
  #process: Process | null = null;
  #mayDie = true;
  #isEnding = false;

  constructor(plan: Plan, file: string) {
    this.#plan = plan;
    this.#file = file;
    this.#faults = plan.faultsFor(START_MS);
    this.#chats = { slack: this.#chat("slack"), telegram: this.#chat("telegram") };
    this.#providerDice = plan.dice.fork();
    this.#restartDice = plan.dice.fork();
    this.#senders = new Senders({
      dice: plan.dice.fork(),
      faults: this.#faults,
      time: this.#time,
      witness: this.#witness,
      receiver: () => this.#process,
    });
    this.#productDice = plan.dice.fork();
  }

  async run(): Promise<Outcome> {
    await this.#start();
    this.#scheduleAll();
    await this.#until(
      () => this.#senders.undelivered === 0 && this.#sinceStart() >= this.#plan.workload.lengthMs,
    );
    this.#faults.end();
    await this.#settle();
    await this.#end();
    const events = this.#isFine() ? verdict(this.#file, this.#witness, this.#plan.spec) : {};
    const { violations, trace, crashes, diskFaults, said } = this.#witness;
    const marked = said.filter(({ isMarked }) => isMarked).length;
    return { violations, trace, crashes, diskFaults, marked, events };
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

  #scheduleAll(): void {
    const { workload, drainsAtMs } = this.#plan;
    this.#senders.schedule(workload);
    for (const atMs of drainsAtMs) this.#time.after(atMs, () => void this.#drain());
  }

  // Processes

  async #start(): Promise<void> {
    const number = this.#lives++;
    const process: Process = {
      life: new Life({
        number,
        time: this.#time,
        diesAt: (step) => this.#mayDie && step === this.#plan.deaths[number],
        onStep: (what) => this.#witness.note(`${number} ${what}`),
        onDeath: () => this.#crash(process),
      }),
      gateway: null,
      isDraining: false,
      open: new Set(),
    };
    this.#process = process;
    this.#witness.note(`process ${number} starts`);
    const starting = startGateway(
      {
        file: this.#file,
        spec: this.#plan.spec,
        chats: this.#chats,
        isPaused: () => this.#isPaused(),
        random: this.#productDice.random,
        dice: this.#providerDice,
        faults: this.#faults,
        witness: this.#witness,
      },
      process.life,
    );
    try {
      process.gateway = await starting;
    } catch (error) {
      this.#witness.violate(`process ${number} does not start: ${String(error)}`);
    }
  }

  #crash(process: Process): void {
    this.#witness.note(`process ${process.life.number} crashes`);
    this.#witness.crashes++;
    this.#witness.processEnded(process.life.number);
    this.#bury(process);
  }

  async #drain(): Promise<void> {
    const process = this.#process;
    if (process === null || process.gateway === null || process.isDraining) return;
    process.isDraining = true;
    this.#witness.drains++;
    const { number } = process.life;
    this.#witness.note(`process ${number} drains`);
    const begunMs = this.#time.nowMs();
    await process.gateway.stop();
    if (!process.life.isAlive) return;
    const tookMs = this.#time.nowMs() - begunMs;
    if (tookMs > DRAIN_MS_MAX) this.#witness.violate(`process ${number} took ${tookMs} ms to drain`);
    // Settlements that could not be stored are repeated until the store is closed, and a moment longer.
    if (process.life.clock.sleeping > 0 && this.#witness.diskFaults === 0)
      this.#witness.violate(`process ${number} left ${process.life.clock.sleeping} sleeps behind`);
    process.life.end();
    this.#witness.processEnded(number);
    this.#bury(process);
  }

  #bury(process: Process): void {
    this.#process = null;
    for (const breakOff of process.open) breakOff();
    if (this.#isEnding || !this.#isFine()) return;
    // Later than anything that the dead process still had on its way.
    this.#time.after(this.#restartDice.between(2 * WAY_MS_MAX, 15_000), () => void this.#start());
  }

  #isPaused(): boolean {
    const sinceMs = this.#sinceStart();
    return this.#plan.workload.pauses.some(({ fromMs, untilMs }) => fromMs <= sinceMs && sinceMs < untilMs);
  }

  // Time

  #sinceStart(): number {
    return this.#time.nowMs() - START_MS;
  }

  #isFine(): boolean {
    return this.#witness.violations.length === 0;
  }

  /** Lets one thing happen after the other, each with all that follows from it at once. */
  async #until(isOver: () => boolean): Promise<void> {
    for (;;) {
      await quiet();
      this.#checkBeat();
      if (isOver() || !this.#isFine()) return;
      if (!this.#time.jump()) return this.#witness.violate("nothing more will happen");
    }
  }

  #checkBeat(): void {
    const process = this.#process;
    if (!process?.gateway || process.isDraining) return;
    const silentMs = this.#time.nowMs() - process.gateway.lastBeatMs;
    if (silentMs > BEAT_MS_MAX) this.#witness.violate(`the dispatcher was silent for ${silentMs} ms`);
  }

  async #settle(): Promise<void> {
    const giveUpMs = this.#time.nowMs() + SETTLE_MS_MAX;
    while (this.#isFine()) {
      const process = this.#process;
      if (process?.gateway && !process.isDraining) {
        const { queued, running, retrying } = await this.#statsOf(process, process.gateway);
        if (queued + running + retrying === 0) return;
        if (this.#time.nowMs() > giveUpMs)
          this.#witness.violate(
            `does not settle: ${queued} queued, ${running} running, ${retrying} retrying`,
          );
      }
      const untilMs = this.#time.nowMs() + LOOK_EVERY_MS;
      this.#time.after(LOOK_EVERY_MS, () => {});
      await this.#until(() => this.#time.nowMs() >= untilMs);
    }
  }

  /** Of a process that dies meanwhile nobody knows. */
  #statsOf(
    { open }: Process,
    gateway: Gateway,
  ): Promise<Pick<StoreStats, "queued" | "running" | "retrying">> {
    return new Promise((resolve, reject) => {
      const giveUp = () => resolve({ queued: Number.NaN, running: 0, retrying: 0 });
      open.add(giveUp);
      gateway
        .stats()
        .finally(() => open.delete(giveUp))
        .then(resolve, reject);
    });
  }

  /** The last process drains; what it leaves in the file is judged. */
  async #end(): Promise<void> {
    if (!this.#isFine()) return this.#abandon();
    this.#mayDie = false;
    this.#isEnding = true;
    let isStopped = false;
    void this.#drain().then(() => {
      isStopped = true;
    });
    await this.#until(() => isStopped);
    if (!this.#isFine()) this.#abandon();
  }

  #abandon(): void {
    this.#isEnding = true;
    this.#process?.life.kill();
  }
}
