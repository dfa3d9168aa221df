// The gateway as it is shipped, for the benchmarks: real secrets of no worth, durability, log, metrics and limits on.
// BENCH_ACCEPT_ONLY=1 claims nothing, so that only the front half of the path is measured.

import type { AddressInfo } from "node:net";
import { MODULES } from "../../adapters/index.ts";
import { createApp } from "../../src/app.ts";
import { loadConfig } from "../../src/config/load.ts";
import { systemClock } from "../../src/system/clock.ts";
import { createLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";

const loaded = loadConfig({ modules: MODULES, env: process.env, cwd: process.cwd() });
if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
const { config } = loaded;
const log = await createLogger({ level: config.environment.logLevel, pretty: false });
const metrics = createMetrics({ processMetrics: true });
const app = await createApp({
  config,
  load: async () => ({ ok: true, config }),
  clock: systemClock,
  random: Math.random,
  log,
  metrics,
  version: "bench",
  onStoreDeath: (error) => {
    throw error;
  },
});
app.server.listen(0, "127.0.0.1", () => {
  if (process.env.BENCH_ACCEPT_ONLY !== "1") app.startWork();
  process.stdout.write(`listening ${(app.server.address() as AddressInfo).port}\n`);
});
process.on("SIGTERM", () => {
  app.server.close();
  app.server.closeAllConnections();
  void app.stop().then(() => process.exit(0));
});
