import { describe, expect, it } from "vitest";
import { Dice } from "../../simulation/dice.ts";
import { failingDisk } from "../commits.ts";
import type { Mood } from "./moody-store.ts";
import { quiet } from "./mortal-clock.ts";
import { type Process, World } from "./world.ts";

/** More with `PARLEY_SEEDS=1000`. */
const SEEDS = Number(process.env.PARLEY_SEEDS ?? 12);
const STEPS = 300;
const LANES = 4;
const MOODS = { well: 40, away: 20, deaf: 10, hung: 20, refusing: 10 };

/** A delivery as whoever sent it knows it. */
interface Delivery {
  readonly id: string;
  readonly lane: string;
  /** Counts deliveries; of an event that is sent again, the last. */
  sentAt: number;
  /** When the acknowledgement came; null: none yet. */
  ackedAt: number | null;
  /** It failed, or its process died: the sender sends it again. */
  failed: boolean;
  /** Sent more than once: it may have found its place with any of them. */
  repeated: boolean;
}

describe("any sequence of outages, crashes and failing disks", () => {
  it.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
    "forwards what was acknowledged, once and in order (seed %i)",
    { timeout: 30_000 },
    async (seed) => {
      const dice = new Dice(seed);
      const world = await World.open();
      const disk = failingDisk();
      world.shared.latencyMs = dice.pick([0, 1, 30]);
      const deliveries: Delivery[] = [];
      let now = 0;
      let gateway: Process = await world.start({ open: disk.open });

      for (let step = 0; step < STEPS; step++) {
        const action = dice.weighted({
          send: 50,
          burst: 8,
          again: 8,
          time: 20,
          mood: 8,
          disk: 3,
          crash: 2,
          stop: 1,
        });
        if (action === "send") send(fresh());
        else if (action === "burst") for (let i = dice.between(2, 80); i > 0; i--) send(fresh());
        else if (action === "again") sendAgain();
        else if (action === "time") await world.elapse(dice.between(1, 900));
        else if (action === "mood") await changeMood();
        else if (action === "disk") disk.trouble[dice.chance(0.5) ? "commitsLost" : "commitsDoubted"] = 1;
        else await restart(action);
        if (dice.chance(0.5)) await quiet();
      }
      world.shared.mood = "well";
      await world.elapse(30_000);
      for (const delivery of deliveries) if (delivery.ackedAt === null) send(delivery);
      await world.elapse(30_000);

      expect(gateway.spool.waiting).toBe(0);
      expect(deliveries.filter(({ ackedAt }) => ackedAt === null)).toEqual([]);
      const stored = await world.ids();
      expect([...stored].sort()).toEqual(deliveries.map(({ id }) => id).sort());
      const places = new Map(stored.map((id, place) => [id, place]));
      expect(outOfOrder(places)).toEqual([]);
      await gateway.stop();

      /** Not between two offers of one moment: the second would overtake the first, and only the store could mend that. */
      async function changeMood(): Promise<void> {
        await world.elapse(world.shared.latencyMs + 1);
        world.shared.mood = dice.weighted<Mood>(MOODS);
        await quiet();
      }

      function fresh(): Delivery {
        const lane = `c${dice.between(1, LANES)}`;
        const delivery = {
          ...{ id: `e${deliveries.length}`, lane, sentAt: 0, ackedAt: null },
          ...{ failed: false, repeated: false },
        };
        deliveries.push(delivery);
        return delivery;
      }

      function send(delivery: Delivery): void {
        delivery.repeated ||= delivery.sentAt > 0;
        delivery.sentAt = ++now;
        gateway.accept(delivery.id, { conversation: delivery.lane }).then(
          () => {
            delivery.ackedAt ??= ++now;
          },
          () => {
            delivery.failed = true;
          },
        );
      }

      /** What failed, or what is a duplicate. */
      function sendAgain(): void {
        const failed = deliveries.find(({ failed, ackedAt }) => failed && ackedAt === null);
        const any = deliveries.length > 0 && dice.chance(0.5) ? dice.pick(deliveries) : undefined;
        const delivery = failed ?? any;
        if (delivery !== undefined) send(delivery);
      }

      async function restart(how: "crash" | "stop"): Promise<void> {
        if (how === "crash") gateway.crash();
        else await gateway.stop();
        disk.trouble.commitsLost = 0;
        disk.trouble.commitsDoubted = 0;
        for (const delivery of deliveries) delivery.failed ||= delivery.ackedAt === null;
        gateway = await world.start({ open: disk.open });
      }

      /** Pairs of one lane: what was sent later, or only after the other's acknowledgement, comes later. */
      function outOfOrder(places: ReadonlyMap<string, number>): string[] {
        const placeOf = ({ id }: Delivery) => places.get(id) ?? -1;
        return deliveries.flatMap((earlier) =>
          deliveries
            .filter((later) => later.lane === earlier.lane && later !== earlier)
            .filter((later) => {
              if (later.repeated || later.failed) return false;
              const isAfter = earlier.repeated
                ? earlier.ackedAt !== null && earlier.ackedAt < later.sentAt
                : !earlier.failed && earlier.sentAt < later.sentAt;
              return isAfter && placeOf(earlier) > placeOf(later);
            })
            .map((later) => `${later.id} came before ${earlier.id}`),
        );
      }
    },
  );
});
