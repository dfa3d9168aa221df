// Opens a store, closes it when told to, and is over as soon as nothing keeps it.
import { Secret } from "../../../src/shared/secret.ts";
import { openRedisStore } from "../../../src/store/redis/index.ts";
import { systemClock } from "../../../src/system/clock.ts";

const store = await openRedisStore({
  connection: {
    url: new Secret(process.argv[2] ?? ""),
    cluster: false,
    sentinel: null,
    tls: null,
    waitReplicas: 0,
  },
  prefix: "closing",
  acceptLoss: false,
  owner: "one",
  clock: systemClock,
  random: Math.random,
  limits: { waitingPerLaneMax: 10, waitingMax: 10 },
  log: () => {},
});
process.once("SIGUSR2", () => {
  const claim = store.queue.claim({ jobsMax: 1, leaseMs: 1_000 });
  void Promise.allSettled([claim, store[Symbol.asyncDispose]()]).then(() => console.log("closed"));
});
console.log("open");
