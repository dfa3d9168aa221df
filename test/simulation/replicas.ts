import { GatewayError } from "../../src/domain/errors.ts";
import { WAY_MS_MAX } from "./chat.ts";
import type { Dice } from "./dice.ts";
import type { Gateway } from "./gateway.ts";
import { type Fate, Life } from "./life.ts";
import type { Receiver } from "./senders.ts";
import type { VirtualTime } from "./time.ts";
import type { Witness } from "./witness.ts";

/** What comes after a death: a process of the same name, which takes back at once what it held, another one, or none. */
export type Return = "same name" | "new name" | "never";

/** What happens to processes. Lives are numbered in the order in which they begin, whichever replica they are of. */
export interface Fortunes {
  readonly replicas: number;
  /** The step at which each life ends; those after live on. */
  readonly deaths: readonly number[];
  /** The step at which each life is frozen, and for how long. */
  readonly freezes: readonly ({ readonly step: number; readonly forMs: number } | null)[];
  /** As likely as its weight. The last replica always comes back. */
  readonly returns: Readonly<Partial<Record<Return, number>>>;
  /** When a rolling restart begins, from the start: each replica is told to drain once the one before it is back. */
  readonly drainsAtMs: readonly number[];
}

export interface ReplicasOptions {
  readonly fortunes: Fortunes;
  readonly dice: Dice;
  readonly time: VirtualTime;
  readonly witness: Witness;
  readonly start: (
    life: Life,
    place: { readonly replica: number; readonly owner: string },
  ) => Promise<Gateway>;
}

interface Process extends Receiver {
  readonly replica: Replica;
  isDraining: boolean;
}

interface Replica {
  readonly number: number;
  /** The name under which its process stores. */
  owner: string;
  process: Process | null;
  hasStarted: boolean;
  isGone: boolean;
  /** The next one drains as soon as this one is back. */
  isRolling: boolean;
}

const DRAIN_MS_MAX = 30_000;
/** The dispatcher promises to come round every ten seconds; a store that is silent may hold up a claim as long. */
const BEAT_MS_MAX = 11_000;
const SILENCE_MS_MAX = 10_500;

/** The processes of one gateway: one, or several that share a store. */
export class Replicas {
  readonly #options: ReplicasOptions;
  readonly #replicas: readonly Replica[];
  #lives = 0;
  #mayDie = true;
  #isEnding = false;

  constructor(options: ReplicasOptions) {
    this.#options = options;
    this.#replicas = Array.from({ length: options.fortunes.replicas }, (_, number) => ({
      number,
      owner: `replica-${number}`,
      process: null,
      hasStarted: false,
      isGone: false,
      isRolling: false,
    }));
  }

  startAll(): void {
    for (const replica of this.#replicas) void this.#start(replica);
    for (const atMs of this.#options.fortunes.drainsAtMs) this.#options.time.after(atMs, () => this.#roll(0));
  }

  /** Each has been up, or has died before it was. */
  get haveStarted(): boolean {
    return this.#replicas.every(({ hasStarted }) => hasStarted);
  }

  /** Those that take requests. A frozen one does too: nobody knows. */
  get up(): readonly Receiver[] {
    return this.#processes().filter(({ gateway }) => gateway !== null);
  }

  get areComplete(): boolean {
    return this.up.length === this.#replicas.length;
  }

  /** One that can be asked; null while there is none. */
  get awake(): Receiver | null {
    const isAwake = ({ gateway, isDraining, life }: Process) =>
      gateway !== null && !isDraining && !life.isFrozen;
    return this.#processes().find(isAwake) ?? null;
  }

  checkBeats(): void {
    const { time, witness, fortunes } = this.#options;
    const maxMs = BEAT_MS_MAX + (fortunes.replicas > 1 ? SILENCE_MS_MAX : 0);
    for (const { gateway, isDraining, life } of this.#processes()) {
      if (gateway === null || isDraining || life.isFrozen) continue;
      const silentMs = time.nowMs() - Math.max(gateway.lastBeatMs, life.thawedAtMs);
      if (silentMs > maxMs) witness.violate(`dispatcher ${life.number} was silent for ${silentMs} ms`);
    }
  }

  /** All drain, and none comes back. Resolves when all are gone. */
  async end(): Promise<void> {
    this.#mayDie = false;
    this.#isEnding = true;
    await Promise.all(
      this.#processes().map(async (process) => {
        if (process.gateway === null) process.life.end();
        else await this.#drain(process);
      }),
    );
  }

  abandon(): void {
    this.#isEnding = true;
    for (const { life } of this.#processes()) life.kill();
  }

  #processes(): readonly Process[] {
    return this.#replicas.flatMap(({ process }) => process ?? []);
  }

  async #start(replica: Replica): Promise<void> {
    if (this.#isEnding) return;
    const { witness, time, start } = this.#options;
    const number = this.#lives++;
    const process: Process = {
      replica,
      life: new Life({
        number,
        time,
        fateAt: (step) => this.#fateOf(number, step),
        onStep: (what) => witness.note(`${number} ${what}`),
        onFreeze: (forMs) => this.#frozen(number, forMs),
        onDeath: () => this.#crash(process),
      }),
      gateway: null,
      isDraining: false,
      open: new Set(),
    };
    replica.process = process;
    witness.note(`process ${number} starts as ${replica.owner}`);
    try {
      process.gateway = await start(process.life, { replica: replica.number, owner: replica.owner });
    } catch (error) {
      return this.#startFailed(process, error);
    }
    replica.hasStarted = true;
    if (replica.isRolling) this.#roll(replica.number + 1);
    replica.isRolling = false;
  }

  /** Whoever cannot reach its store ends, and is started again. */
  #startFailed(process: Process, error: unknown): void {
    const { witness } = this.#options;
    const { number } = process.life;
    if (error instanceof GatewayError && error.code === "STORE_UNAVAILABLE") {
      witness.note(`process ${number} finds no store`);
      process.life.end();
      this.#bury(process, "same name");
    } else witness.violate(`process ${number} does not start: ${String(error)}`);
  }

  #fateOf(life: number, step: number): Fate {
    const { deaths, freezes } = this.#options.fortunes;
    if (!this.#mayDie) return "goes on";
    if (step === deaths[life]) return "dies";
    const freeze = freezes[life];
    return freeze?.step === step ? { frozenMs: freeze.forMs } : "goes on";
  }

  #frozen(life: number, forMs: number): void {
    this.#options.witness.note(`process ${life} is frozen for ${forMs} ms`);
    this.#options.witness.freezes++;
  }

  #crash(process: Process): void {
    const { witness, dice, fortunes } = this.#options;
    const { replica, life } = process;
    witness.note(`process ${life.number} crashes`);
    witness.crashes++;
    replica.hasStarted = true;
    const isLast = this.#replicas.every((other) => other === replica || other.isGone);
    this.#bury(process, isLast ? "same name" : dice.weighted(fortunes.returns));
  }

  #roll(number: number): void {
    const replica = this.#replicas[number];
    if (replica === undefined) return;
    const { process } = replica;
    if (process?.isDraining) return;
    if (process?.gateway) {
      replica.isRolling = true;
      void this.#drain(process);
    } else this.#roll(number + 1); // It begins anew anyway.
  }

  async #drain(process: Process): Promise<void> {
    const { witness, time } = this.#options;
    const { gateway, life } = process;
    const { number } = life;
    process.isDraining = true;
    await new Promise<void>((resolve) => life.reach(resolve));
    witness.drains++;
    witness.note(`process ${number} drains`);
    const begunMs = time.nowMs();
    await gateway?.stop();
    if (!life.isAlive) return;
    const tookMs = time.nowMs() - begunMs;
    if (tookMs > DRAIN_MS_MAX && life.thawedAtMs < begunMs)
      witness.violate(`process ${number} took ${tookMs} ms to drain`);
    // Settlements that could not be stored are repeated until the store is closed, and a moment longer.
    if (life.clock.sleeping > 0 && witness.storeFaults === 0)
      witness.violate(`process ${number} left ${life.clock.sleeping} sleeps behind`);
    life.end();
    this.#bury(process, "same name");
  }

  #bury(process: Process, returns: Return): void {
    const { witness, time, dice } = this.#options;
    const { replica, life, open } = process;
    witness.processEnded(life.number);
    replica.process = null;
    for (const breakOff of open) breakOff();
    if (this.#isEnding || witness.violations.length > 0) return;
    if (returns === "never") {
      replica.isGone = true;
      witness.note(`process ${life.number} never comes back`);
      if (replica.isRolling) this.#roll(replica.number + 1);
      return;
    }
    if (returns === "new name") replica.owner = `replica-${replica.number}-${life.number}`;
    // Later than anything that the dead process still had on its way.
    time.after(dice.between(2 * WAY_MS_MAX, 15_000), () => void this.#start(replica));
  }
}
