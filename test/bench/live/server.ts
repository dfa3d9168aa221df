// The HTTP server of a gateway with its live events, and changes that are published there as its two halves do, on order of
// whoever started it: `node test/bench/live/server.ts`, then a line of JSON on stdin for each order.
import { randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { createInterface } from "node:readline";
import { Callers } from "../../../src/admin/callers.ts";
import { LiveServer } from "../../../src/admin/live/server.ts";
import { LifeFeed } from "../../../src/feed/life-feed.ts";
import { Guesses } from "../../../src/ingress/guesses.ts";
import { createServers } from "../../../src/ingress/server.ts";
import type { Vault } from "../../../src/ports/vault.ts";
import { Secret } from "../../../src/shared/secret.ts";
import { createBus } from "../../../src/store/bus.ts";
import { createTokens } from "../../../src/store/tokens.ts";
import { systemClock as clock } from "../../../src/system/clock.ts";
import { createNewId } from "../../../src/system/ids.ts";
import { silentLogger } from "../../../src/telemetry/log.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { type Said, steadyMs, type Telling } from "./orders.ts";

const log = silentLogger();
const metrics = createMetrics();
const bus = createBus();
const feed = new LifeFeed({ bus, clock });
const newId = createNewId(clock);
const stopping = new AbortController();
const tokens = createTokens({ vault: vaultInMemory(), bus, clock, newId, randomBytes });
const token = new Secret(process.env.PARLEY_ADMIN_TOKEN ?? "");
const callers = new Callers({ token, tokens, clock });
const guesses = new Guesses({ clock, log, metrics });
const live = new LiveServer({
  ...{ feed, callers, clock, log, metrics, stopping: stopping.signal, isOn: true, origins: { names: [] } },
  wrongToken: (guess) => guesses.refuse("admin", guess),
});
const ready = async () => ({ status: "ready" as const, version: "bench", timestamp: "", components: {} });
const { server } = createServers({
  ...{ live, guesses, clock, log, metrics, pages: [], sources: [], takesWebhooks: false },
  hosts: { bind: "127.0.0.1", names: [], isLocalOnly: true },
  watch: { isApart: false, tokens: [], needsToken: false },
  health: {
    alive: () => ({ status: "healthy", version: "bench", uptime_seconds: 1 }),
    ...{ ready, webhooks: ready },
    heartbeat: () => ({ status: "alive", last_beat: "", running: 0 }),
  },
  newRequestId: () => newId("req"),
  note: () => {},
  isDeveloper: () => false,
});

const say = (said: Said) => process.stdout.write(`${JSON.stringify(said)}\n`);

/** What no reader got, because the bus was slower than it came. */
async function missed(): Promise<number> {
  const { values } = await metrics.liveDropped.get();
  return values.find(({ labels }) => labels.cause === "bus")?.value ?? 0;
}

const PACE_MS = 2;

/** One after the other at an even pace; of what is late, the time at which it was due is told. */
async function tell({ perSecond, seconds, conversations, tenants }: Telling): Promise<void> {
  const count = perSecond * seconds;
  const startedAtMs = steadyMs();
  const cpu = process.cpuUsage();
  const missedBefore = await missed();
  for (let told = 0; told < count; ) {
    const due = Math.min(count, Math.floor(((steadyMs() - startedAtMs) * perSecond) / 1000));
    for (; told < due; told++) {
      const at = told % conversations;
      const tenant = `T${at % tenants}`;
      const dueMs = startedAtMs + ((told + 1) * 1000) / perSecond;
      feed.publish({
        ...{ at: new Date().toISOString(), state: "done", id: `slack:${tenant}:C${at}:${told}` },
        ...{ platform: "slack", tenant, conversation: `slack:${tenant}:C${at}`, attempt: 1 },
        detail: String(dueMs),
      });
    }
    await clock.sleep(PACE_MS);
  }
  const { user, system } = process.cpuUsage(cpu);
  say({
    ...{ cpuMicros: user + system, rssBytes: process.memoryUsage.rss() },
    missed: (await missed()) - missedBefore,
  });
}

async function makeTokens(count: number): Promise<void> {
  const made: string[] = [];
  for (let n = 0; n < count; n++) {
    const one = await tokens.create({ tenant: `slack:T${n}`, name: "-", by: "bench", expiresAtMs: null });
    made.push(one?.secret.reveal() ?? "");
  }
  say({ tokens: made });
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const order = JSON.parse(line) as Telling | { readonly tokensOf: number };
  void ("tokensOf" in order ? makeTokens(order.tokensOf) : tell(order));
});
server.listen(0, "127.0.0.1", () => say({ port: (server.address() as AddressInfo).port }));

/** As far as tokens need it. */
function vaultInMemory(): Vault {
  const kept = new Map<string, string>();
  return {
    get: async (name) => kept.get(name) ?? null,
    async put(name, value) {
      kept.set(name, value);
      return true;
    },
    remove: async (name) => kept.delete(name),
    list: async () => [],
  };
}
