import type { Dice } from "./dice.ts";
import { type NetworkFaults, NO_NETWORK_FAULTS, networkFaultsFrom } from "./network-faults.ts";

/**
 * - `slow`: said, and confirmed only much later
 * - `busy`, `broken`, `unreachable`: certainly not said (429 with a delay, 500, no connection)
 * - `rejected`: not said, and never will be
 * - `lost`: said, but the confirmation never comes; `vanished`: not said, and nobody can know
 */
export type SendFate = "ok" | "slow" | "busy" | "broken" | "unreachable" | "rejected" | "lost" | "vanished";
/** `hangs`: no answer before the run is out of time. */
export type ModelFate = "ok" | "overloaded" | "cut" | "rejected" | "hangs";
export type ToolFate = "ok" | "fails" | "hangs";
/** Of a commit: no room; a write that failed; one that failed although it reached the disk. */
export type DiskFate = "ok" | "full" | "failed" | "landed";
/** Of an acknowledgement on its way back to the platform. */
export type AckFate = "ok" | "lost";

export interface Faults {
  readonly network: NetworkFaults;
  send(): SendFate;
  model(): ModelFate;
  tool(): ToolFate;
  disk(nowMs: number): DiskFate;
  ack(): AckFate;
  /** From now on nothing fails. */
  end(): void;
}

export type Weather = "calm" | "usual" | "stormy";

export const NO_FAULTS: Faults = {
  network: NO_NETWORK_FAULTS,
  send: () => "ok",
  model: () => "ok",
  tool: () => "ok",
  disk: () => "ok",
  ack: () => "ok",
  end: () => {},
};

/** Disks fail for a while, not now and then; seldom for so long that leases run out. */
const DISK_FAILS_MS_MAX = 6_000;
const DISK_FAILS_LONG_MS = 45_000;

export function faultsFrom(dice: Dice, weather: Weather, startMs: number, lengthMs: number): Faults {
  if (weather === "calm") return NO_FAULTS;
  const rate = weather === "stormy" ? 3 : 1;
  const throws = {
    send: dice.fork(),
    model: dice.fork(),
    tool: dice.fork(),
    disk: dice.fork(),
    ack: dice.fork(),
    network: dice.fork(),
  };
  const badDisk = Array.from({ length: throws.disk.between(0, rate) }, () => {
    const fromMs = startMs + throws.disk.between(0, lengthMs);
    const longMs = throws.disk.chance(0.15) ? DISK_FAILS_LONG_MS : DISK_FAILS_MS_MAX;
    return {
      fromMs,
      untilMs: fromMs + throws.disk.between(200, longMs),
      isTotal: longMs > DISK_FAILS_MS_MAX,
    };
  });
  let isOver = false;
  return {
    network: networkFaultsFrom(throws.network, rate, { startMs, lengthMs }, () => isOver),
    send: () =>
      isOver
        ? "ok"
        : throws.send.weighted<SendFate>({
            ok: 100,
            slow: 5 * rate,
            busy: 4 * rate,
            broken: 3 * rate,
            unreachable: 3 * rate,
            rejected: rate,
            lost: 4 * rate,
            vanished: 3 * rate,
          }),
    model: () =>
      isOver
        ? "ok"
        : throws.model.weighted<ModelFate>({
            ok: 100,
            overloaded: 5 * rate,
            cut: 3 * rate,
            rejected: rate,
            hangs: rate,
          }),
    tool: () =>
      isOver ? "ok" : throws.tool.weighted<ToolFate>({ ok: 100, fails: 5 * rate, hangs: 2 * rate }),
    disk: (nowMs) => {
      const bad = badDisk.find(({ fromMs, untilMs }) => fromMs <= nowMs && nowMs < untilMs);
      if (isOver || bad === undefined) return "ok";
      return throws.disk.weighted<DiskFate>({ ok: bad.isTotal ? 0 : 30, full: 30, failed: 20, landed: 20 });
    },
    ack: () => (isOver ? "ok" : throws.ack.weighted<AckFate>({ ok: 100, lost: 5 * rate })),
    end: () => {
      isOver = true;
    },
  };
}
