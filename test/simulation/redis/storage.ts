import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Store } from "../../../src/ports/store.ts";
import { openStoreOn, type SharedStore } from "../../../src/store/redis/store.ts";
import { openSpool, type Spool } from "../../../src/store/spool/index.ts";
import { openInlineStore } from "../../../src/store/sqlite/inline.ts";
import { aTemporaryFolder } from "../folder.ts";
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
  return async ({ time, dice, faults, witness, hasSpool }) => {
    const prefix = `day-${process.pid}-${++days}`;
    const network = new Network({
      ...{ wire, prefix, time, witness, dice: dice.fork() },
      faults: faults.network,
      referee: new Referee(witness, time),
    });
    const linkDice = dice.fork();
    const folder = aTemporaryFolder();
    /** The one that each replica had last. */
    const spools = new Map<number, Spool>();

    async function open(options: OpenOptions): Promise<OpenedStore> {
      const { life } = options;
      const note = (line: string) => witness.note(`${life.number} ${line.replaceAll(folder, "")}`);
      const spool = hasSpool ? await openSpoolOf(join(folder, options.owner), options, note) : null;
      const store = await openBehind(spool, { ...options, owner: spool?.owner ?? options.owner }, note);
      return {
        store: steppedStore(store, life, witness),
        async stats() {
          const stats = await store.journal.stats();
          const spooled = [...spools.values()].reduce((sum, { waiting }) => sum + waiting, 0);
          return { ...stats, queued: stats.queued + spooled };
        },
      };
    }

    async function openBehind(
      spool: Spool | null,
      options: OpenOptions,
      note: (line: string) => void,
    ): Promise<Store> {
      try {
        const shared = await openShared(options, note);
        if (spool === null) return shared;
        spools.set(options.replica, spool);
        return spool.attach(shared, { offerOf: options.offerOf, watermarks: shared.watermarks });
      } catch (error) {
        await spool?.[Symbol.asyncDispose]();
        throw error;
      }
    }

    async function openShared(options: OpenOptions, log: (line: string) => void): Promise<SharedStore> {
      const { life, owner, replica, limits, random } = options;
      const link = new SimulatedLink({ life, owner, replica, network, time, dice: linkDice, witness });
      try {
        await link.open();
        return await openStoreOn({
          ...{ link, prefix, owner, random, limits, log, clock: life.clock },
          durability: "power",
          time: "clock",
        });
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
        rmSync(folder, { recursive: true });
      },
    };
  };
}

/** Its file is as durable as its process makes it: what is committed is there after a death. */
async function openSpoolOf(
  folder: string,
  { life, random, limits }: OpenOptions,
  log: (line: string) => void,
): Promise<Spool> {
  mkdirSync(folder, { recursive: true });
  return await openSpool({
    ...{ folder, random, limits, log, clock: life.clock },
    onDeath: ({ message }) => log(message),
    async openFile(options) {
      const store = await openInlineStore({
        ...options,
        durability: "process",
        onCommit: () => life.step("spool commit"),
      });
      life.whenDying(() => store.crash());
      return store;
    },
  });
}
