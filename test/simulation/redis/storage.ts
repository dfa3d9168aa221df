import { openStoreOn } from "../../../src/store/redis/store.ts";
import type { OpenedStore, OpenOptions, OpenStorage } from "../storage.ts";
import { steppedStore } from "../store.ts";
import { quiet } from "../time.ts";
import { keysUnder, readLedger } from "./ledger.ts";
import { SimulatedLink } from "./link.ts";
import { Network } from "./network.ts";
import { Referee } from "./referee.ts";
import type { Wire } from "./wire.ts";

let days = 0;

/** One Redis, of as many processes as there are. Each day has keys of its own, which go with it. */
export function onRedis(wire: Wire): OpenStorage {
  return async ({ time, dice, faults, witness }) => {
    const prefix = `day-${process.pid}-${++days}`;
    const network = new Network({
      ...{ wire, prefix, time, witness, dice: dice.fork() },
      faults: faults.network,
      referee: new Referee(witness, time),
    });
    const linkDice = dice.fork();

    async function open({ life, owner, replica, limits, random }: OpenOptions): Promise<OpenedStore> {
      const link = new SimulatedLink({ life, owner, replica, network, time, dice: linkDice, witness });
      const log = (line: string) => witness.note(`${life.number} ${line}`);
      try {
        await link.open();
        const store = await openStoreOn({
          ...{ link, prefix, owner, random, limits, log, clock: life.clock },
          durability: "power",
          time: "clock",
        });
        return { store: steppedStore(store, life, witness), stats: () => store.journal.stats() };
      } catch (error) {
        await link.close();
        throw error;
      }
    }

    return {
      open,
      async quiet() {
        for (;;) {
          await quiet();
          if (!wire.isBusy) return;
          await wire.idle();
        }
      },
      ledger: () => readLedger(wire.client, prefix),
      async [Symbol.asyncDispose]() {
        await wire.idle();
        const keys = await keysUnder(wire.client, `{${prefix}}:`);
        if (keys.length > 0) await wire.client.unlink(keys);
      },
    };
  };
}
