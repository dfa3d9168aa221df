import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MODULES } from "../../adapters/index.ts";
import { openStore, redisConnection, type StoreContext } from "../../src/app/store.ts";
import { loadConfig } from "../../src/config/load.ts";
import { inspectRedis } from "../../src/store/redis/index.ts";
import { systemClock } from "../../src/system/clock.ts";
import { createNewId } from "../../src/system/ids.ts";
import { silentLogger } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { AGENT, folderWith, problemsOf } from "../config/helpers.ts";
import { anEvent } from "../support/event.ts";
import { freePort } from "../support/ports.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { anOffer } from "../support/store.ts";

const TLS = resolve(import.meta.dirname, "../fixtures/tls");

let cwd: string;
beforeEach(() => {
  cwd = folderWith({ "config/agents/a.yaml": AGENT });
});

/** What these lines under `spec.store` and this environment make. */
function context(store: string, env: Readonly<Record<string, string>>): StoreContext {
  writeFileSync(join(cwd, "config/gateway.yaml"), `spec: { store: { ${store} } }\n`);
  const loaded = loadConfig({ modules: MODULES, env, cwd });
  if (!loaded.ok) throw new Error(problemsOf(loaded).join("\n"));
  return {
    config: loaded.config,
    clock: systemClock,
    random: Math.random,
    newId: createNewId(systemClock),
    log: silentLogger(),
    metrics: createMetrics(),
    offerOf: (event) => anOffer(event),
    onDeath: () => {},
  };
}

describe("the store that is opened", () => {
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  it("is a SQLite file, where nothing is shared", async () => {
    const { store, report, spool } = await openStore(context("durability: process", {}));
    await using _ = store;
    expect(report()).toBe("SQLite, what was acknowledged survives a crash of Parley");
    expect(spool).toBeNull();
    expect(existsSync(join(cwd, "data/parley.db"))).toBe(true);
  });

  it("is Redis with a spool before it, and says how safe it is", async () => {
    const { store, report, spool } = await openStore(context("", { REDIS_URL: redis.url }));
    await using _ = store;
    expect(report()).toMatch(/^Redis \d.*survives a power cut$/);
    expect(store.durability).toBe("power");
    expect(spool?.waiting()).toBe(0);
    expect(existsSync(join(cwd, "data/parley.db"))).toBe(false);
    expect(await store.inbox.accept(anOffer(anEvent()))).toEqual({ kind: "accepted" });
  });

  it("has no spool where the operator wants none, or where it cannot be written", async () => {
    const env = { REDIS_URL: redis.url };
    for (const [option, dataDir] of [
      ["off", "data"],
      ["auto", "config/gateway.yaml"],
    ]) {
      const opened = context(`spool: ${option}`, { ...env, PARLEY_DATA_DIR: String(dataDir) });
      const { store, spool } = await openStore(opened);
      await using _ = store;
      expect(spool).toBeNull();
      expect(await store.inbox.accept(anOffer(anEvent({ id: `slack:${option}` })))).toEqual({
        kind: "accepted",
      });
    }
  });

  it("does not open without a spool that the operator insists on", async () => {
    const env = { REDIS_URL: redis.url, PARLEY_DATA_DIR: "config/gateway.yaml" };
    await expect(openStore(context("spool: on", env))).rejects.toMatchObject({ code: "STORE_OPEN_FAILED" });
  });

  it("counts what goes into the spool and what comes out", async () => {
    await using own = await startRedis();
    const opened = context("", { REDIS_URL: own.url });
    const { store, spool } = await openStore(opened);
    await using _ = store;
    await own.kill();
    for (const id of ["slack:1", "slack:2"])
      expect(await store.inbox.accept(anOffer(anEvent({ id })))).toEqual({ kind: "accepted" });
    expect(spool?.waiting()).toBe(2);
    const text = await opened.metrics.scrape();
    expect(text).toContain("parley_spool_events 2\n");
    expect(text).toContain("parley_spooled_total 2\n");
    expect(text).toContain("parley_spool_forwarded_total 0\n");
  });
});

describe("a connection with TLS", () => {
  let redis: RedisServer;
  let port: number;
  beforeAll(async () => {
    port = await freePort();
    const option = (name: string, file: string) => [`--tls-${name}-file`, join(TLS, file)];
    redis = await startRedis({
      args: [
        ...["--tls-port", String(port), "--tls-auth-clients", "yes"],
        ...[
          option("cert", "server.pem"),
          option("key", "server-key.pem"),
          option("ca-cert", "ca.pem"),
        ].flat(),
      ],
    });
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  const OURS = `cert_file: ${TLS}/client.pem, key_file: ${TLS}/client-key.pem`;
  const inspected = (tls: string) => {
    const { config } = context(`redis: { tls: { ${tls} } }`, { REDIS_URL: `rediss://127.0.0.1:${port}` });
    return inspectRedis(redisConnection(config), Math.random);
  };

  it("stands with the authority of the server, our certificate, and the name in the server's", async () => {
    const found = await inspected(`ca_file: ${TLS}/ca.pem, ${OURS}, servername: server.test`);
    expect(found.nodes).toMatchObject([{ evictionPolicy: "noeviction", role: "master" }]);
  });

  it("stands without the authority when nothing is verified", async () => {
    expect((await inspected(`verify: false, ${OURS}`)).nodes).toHaveLength(1);
  });

  it.each([
    ["an authority that nobody knows", `${OURS}, servername: server.test`],
    ["another name than the server's", `ca_file: ${TLS}/ca.pem, ${OURS}, servername: other.test`],
    ["no certificate of ours", `ca_file: ${TLS}/ca.pem, servername: server.test`],
  ])("is refused for %s", async (_, tls) => {
    await expect(inspected(tls)).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
  });
});
