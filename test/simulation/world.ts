import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SampleRequest } from "../../adapters/shared/sample.ts";
import type { GatewaySpec } from "../../src/config/schema.ts";
import type { Reception } from "../../src/ingress/reception.ts";
import type { StoreStats } from "../../src/ports/store.ts";
import { rawRequest } from "../contract/raw-request.ts";
import { Chat, type OnTheWay, type Recovery, WAY_MS_MAX } from "./chat.ts";
import type { Dice } from "./dice.ts";
import type { Faults } from "./faults.ts";
import { type Gateway, type SimulatedPlatform, startGateway } from "./gateway.ts";
import { Life } from "./life.ts";
import { forged, requestFor, signedAt, twinOf } from "./requests.ts";
import { quiet, VirtualTime } from "./time.ts";
import { verdict } from "./verdict.ts";
import { Witness } from "./witness.ts";
import type { Forgery, Message, Workload } from "./workload.ts";

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
/** The slowest platform gives up on a request after this. */
const PLATFORM_TIMEOUT_MS = 3_000;
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

interface Process {
  readonly life: Life;
  gateway: Gateway | null;
  isDraining: boolean;
  /** Requests that are open: they break when the process ends. */
  readonly open: Set<() => void>;
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
  readonly #senderDice: Dice;
  readonly #productDice: Dice;
  /** When the first delivery of a message, answered or not, was sent. */
  readonly #firstIssue = new Map<Message, number>();
  #lives = 0;
  #process: Process | null = null;
  #mayDie = true;
  #isEnding = false;
  #undelivered = 0;

  constructor(plan: Plan, file: string) {
    this.#plan = plan;
    this.#file = file;
    this.#faults = plan.faultsFor(START_MS);
    this.#chats = { slack: this.#chat("slack"), telegram: this.#chat("telegram") };
    this.#providerDice = plan.dice.fork();
    this.#restartDice = plan.dice.fork();
    this.#senderDice = plan.dice.fork();
    this.#productDice = plan.dice.fork();
  }

  async run(): Promise<Outcome> {
    await this.#start();
    this.#scheduleAll();
    await this.#until(() => this.#undelivered === 0 && this.#sinceStart() >= this.#plan.workload.lengthMs);
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
    for (const message of workload.messages) {
      this.#undelivered += 1 + message.copies.length;
      this.#time.after(message.atMs, () => this.#send(message));
    }
    for (const forgery of workload.forgeries) this.#time.after(forgery.atMs, () => void this.#forge(forgery));
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
    process.gateway = await startGateway(
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

  // Platforms that deliver

  #send(message: Message): void {
    const first = requestFor(message, this.#time.nowMs());
    void this.#deliver(message, first);
    for (const { afterMs, isTwin } of message.copies) {
      const copy = isTwin ? twinOf(first) : first;
      this.#time.after(afterMs, () => void this.#deliver(message, copy));
    }
  }

  /** Again and again until it is acknowledged. */
  async #deliver(message: Message, request: SampleRequest): Promise<void> {
    for (;;) {
      const status = await this.#post(message, request);
      if (status === 200) break;
      if (typeof status === "number" && status !== 503) {
        this.#witness.violate(`a genuine delivery of ${message.sample.id} was answered ${status}`);
        break;
      }
      await this.#pause(this.#senderDice.between(500, 20_000));
    }
    this.#undelivered--;
  }

  async #forge(forgery: Forgery): Promise<void> {
    const request = forged(forgery, this.#time.nowMs());
    const process = this.#process;
    if (!process?.gateway) return;
    const { ack } = await process.gateway.receive(this.#raw(request), forgery.platform);
    if (ack.status !== 401) this.#witness.violate(`${forgery.how} was answered ${ack.status}`);
  }

  #post(message: Message, request: SampleRequest): Promise<number | "no answer"> {
    const process = this.#process;
    const gateway = process?.gateway;
    if (!process || !gateway) return Promise.resolve("no answer");
    const issued = this.#firstIssue.get(message) ?? this.#witness.next();
    this.#firstIssue.set(message, issued);
    const signed = signedAt(request, message.platform, this.#time.nowMs());
    return new Promise((resolve) => {
      const answer = (status: number | "no answer") => {
        cancel();
        process.open.delete(breakOff);
        resolve(status);
      };
      const breakOff = () => answer("no answer");
      const cancel = this.#time.after(PLATFORM_TIMEOUT_MS, breakOff);
      process.open.add(breakOff);
      this.#receive(process.life, gateway, message, signed, issued).then(answer, (error: unknown) => {
        this.#witness.violate(`receive threw ${String(error)}`);
        answer(500);
      });
    });
  }

  async #receive(
    life: Life,
    gateway: Gateway,
    message: Message,
    request: SampleRequest,
    issued: number,
  ): Promise<number | "no answer"> {
    const wasKnown = this.#isKnown(message);
    const reception = await gateway.receive(this.#raw(request), message.platform);
    await life.pass("ack");
    this.#witness.note(`${message.sample.id}: ${reception.outcome} ${reception.reason ?? ""}`);
    if (reception.ack.status === 200) this.#acknowledged(message, reception, { issued, wasKnown });
    return this.#faults.ack() === "lost" ? "no answer" : reception.ack.status;
  }

  #acknowledged(
    { isFollowUp, sample }: Message,
    { outcome, eventId, conversation }: Reception,
    { issued, wasKnown }: { issued: number; wasKnown: boolean },
  ): void {
    if (outcome === "ignored") {
      if (!isFollowUp || wasKnown) this.#witness.violate(`${sample.id} was ignored`);
      return;
    }
    if (eventId === undefined || conversation === undefined)
      this.#witness.violate(`${sample.id} was acknowledged as ${outcome}`);
    else this.#witness.acked.push({ order: this.#witness.next(), issued, eventId, conversation });
  }

  #isKnown({ sample: { channel, thread } }: Message): boolean {
    return this.#witness.known.has(`slack:T1:${channel}:${thread}`);
  }

  #raw(request: SampleRequest) {
    return rawRequest(request, { nowMs: this.#time.nowMs() });
  }

  // Time

  #sinceStart(): number {
    return this.#time.nowMs() - START_MS;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#time.after(ms, resolve);
    });
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
