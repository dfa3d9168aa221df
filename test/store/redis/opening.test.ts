import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { setImmediate as nextTick } from "node:timers/promises";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import type { RedisConnection } from "../../../src/store/redis/connect.ts";
import { anOffer } from "../../contract/store.ts";
import { anEvent } from "../../support/event.ts";
import { eventually } from "../../support/eventually.ts";
import { freePort } from "../../support/ports.ts";
import { startRedis } from "../../support/redis.ts";
import { startTcpProxy } from "../../support/tcp-proxy.ts";
import { openBench } from "./bench.ts";
import { type EarnestStore, openInEarnest } from "./setup.ts";

const UNAVAILABLE = { code: "STORE_UNAVAILABLE" };
const PASSWORD = "pass word/@:%";
const WRONG = "an entirely different one";
/** Longer than a test may take: what is refused is refused before. */
const LONG_MS = 60_000;

const withPassword = (url: string, password: string, user = "") =>
  url.replace("://", `://${user}:${encodeURIComponent(password)}@`);

/** Everything that a log could say of an error. */
async function wholeErrorOf(opening: Promise<unknown>): Promise<string> {
  const error = await opening.then(
    () => "none",
    (thrown: unknown) => thrown,
  );
  return inspect(error, { depth: Infinity, showHidden: true });
}

async function works(store: EarnestStore): Promise<boolean> {
  await store.inbox.accept(anOffer(anEvent({ id: "a" })));
  const [job] = await store.queue.claim({ jobsMax: 1, leaseMs: 1_000 });
  return job?.event.id === "a";
}

describe("opening a Redis", () => {
  it("says what was wrong when there was none in time", async () => {
    const url = `redis://127.0.0.1:${await freePort()}`;
    await expect(openInEarnest({ url }, { openMs: 300 })).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });

  it("waits for one that starts at the same time", async () => {
    await using redis = await startRedis();
    await redis.kill();
    const opening = openInEarnest({ url: redis.url });
    await redis.restart();
    await using store = await opening;
    expect(await works(store)).toBe(true);
  });
});

describe("a Redis that is there and takes nothing yet", () => {
  it("is waited for, and is opened as soon as it does", async () => {
    await using redis = await startRedis({ args: ["--min-replicas-to-write", "1"] });
    const opening = openInEarnest({ url: redis.url }, { openMs: LONG_MS });
    const refused = async () => expect(await redis.cli("INFO", "errorstats")).toContain("NOREPLICAS");
    await eventually(refused, LONG_MS);
    await redis.cli("CONFIG", "SET", "min-replicas-to-write", "0");
    await using store = await opening;
    expect(await works(store)).toBe(true);
  });

  it("is given up in time, with what it said", async () => {
    await using redis = await startRedis({ args: ["--min-replicas-to-write", "1"] });
    await expect(openInEarnest({ url: redis.url }, { openMs: 500 })).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringContaining("NOREPLICAS"),
    });
  });
});

describe("a connection that is lost while the store opens", () => {
  it.each(["INFO", "CONFIG", "EVAL", "SUBSCRIBE"])("is made anew (at %s)", async (name) => {
    await using redis = await startRedis();
    await using proxy = await startTcpProxy(redis.port);
    const lost = proxy.loseCommand(([command]) => command?.toUpperCase() === name);
    await using store = await openInEarnest({ url: proxy.url });
    await lost;
    expect(await works(store)).toBe(true);
  });

  it("again and again is given up in time", async () => {
    await using redis = await startRedis();
    await using proxy = await startTcpProxy(redis.port);
    // More often than it can be tried.
    const lost = Array.from({ length: 50 }, () =>
      proxy.loseCommand(([name]) => name?.toUpperCase() === "INFO"),
    );
    await expect(openInEarnest({ url: proxy.url }, { openMs: 3_000 })).rejects.toMatchObject(UNAVAILABLE);
    await lost[1];
  });
});

describe("a password", () => {
  const guarded = () => startRedis({ args: ["--requirepass", PASSWORD] });

  it("opens, whatever is in it", async () => {
    await using redis = await guarded();
    await using store = await openInEarnest({ url: withPassword(redis.url, PASSWORD) });
    expect(await works(store)).toBe(true);
  });

  it("that is wrong or missing is said at once, and never what it was", async () => {
    await using redis = await guarded();
    const lines: string[] = [];
    const open = (url: string) => openInEarnest({ url }, { openMs: LONG_MS, lines });
    const wrong = withPassword(redis.url, WRONG);
    await expect(open(wrong)).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringContaining("WRONGPASS"),
    });
    await expect(open(redis.url)).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringContaining("NOAUTH"),
    });
    const whole = (await wholeErrorOf(open(wrong))) + lines.join();
    expect(whole).toContain("WRONGPASS");
    expect(whole).not.toContain(WRONG);
    expect(whole).not.toContain(encodeURIComponent(WRONG));
  });

  it("that holds no longer after a loss of the connection is said then, and never what it was", async () => {
    await using redis = await guarded();
    await using other = await startRedis({ args: ["--requirepass", WRONG] });
    await using proxy = await startTcpProxy(redis.port);
    const lines: string[] = [];
    await using store = await openInEarnest({ url: withPassword(proxy.url, PASSWORD) }, { lines });
    proxy.target = other.port;
    proxy.cut();
    const offer = () => store.inbox.accept(anOffer(anEvent({ id: "a" })));
    let whole = "";
    while (!whole.includes("WRONGPASS")) {
      whole = await wholeErrorOf(offer());
      await nextTick();
    }
    expect(whole + lines.join()).not.toContain(PASSWORD);
  });

  it.each([
    [["+config|get"], "appendfsync always"],
    [[], "appendfsync unknown"],
  ])("may be that of a user with few rights (and %s)", async (more, report) => {
    await using redis = await startRedis({ fsync: "always" });
    const rights = ["~{earnest}:*", "&{earnest}:*", "+@all", "-@dangerous", "+info", ...more];
    await redis.cli("ACL", "SETUSER", "parley", "on", `>${PASSWORD}`, ...rights);
    await using store = await openInEarnest({ url: withPassword(redis.url, PASSWORD, "parley") });
    expect(await works(store)).toBe(true);
    expect(store.report).toContain(report);
  });

  it("of a user with too few rights opens nothing", async () => {
    await using redis = await startRedis();
    await redis.cli(
      "ACL",
      "SETUSER",
      "parley",
      "on",
      `>${PASSWORD}`,
      "~*",
      "&*",
      "+@all",
      "-eval",
      "-evalsha",
    );
    const url = withPassword(redis.url, PASSWORD, "parley");
    await expect(openInEarnest({ url }, { openMs: LONG_MS })).rejects.toMatchObject({
      ...UNAVAILABLE,
      message: expect.stringMatching(/NOPERM.*eval/),
    });
  });
});

describe("TLS", () => {
  const pem = (name: string) => resolve(import.meta.dirname, "../../fixtures/tls", name);
  const text = (name: string) => readFileSync(pem(name), "utf8");
  const trusting = (changes: Partial<NonNullable<RedisConnection["tls"]>> = {}) => ({
    ca: text("ca.pem"),
    cert: text("client.pem"),
    key: text("client-key.pem"),
    servername: "server.test",
    verify: true,
    ...changes,
  });

  async function startWithTls() {
    const port = await freePort();
    const redis = await startRedis({
      args: [
        ...["--tls-port", String(port), "--tls-ca-cert-file", pem("ca.pem")],
        ...["--tls-cert-file", pem("server.pem"), "--tls-key-file", pem("server-key.pem")],
      ],
    });
    return Object.assign(redis, { tlsUrl: `rediss://127.0.0.1:${port}` });
  }

  it("opens a server whose certificate an authority of ours has signed", async () => {
    await using redis = await startWithTls();
    await using store = await openInEarnest({ url: redis.tlsUrl, tls: trusting() });
    expect(await works(store)).toBe(true);
  });

  it.each([
    ["the system's authorities", { ca: null }, /certificate/],
    ["another authority", { ca: text("client.pem") }, /certificate/],
    ["a server of another name", { servername: "other.test" }, /other\.test/],
  ])("opens nothing by %s, and says so at once", async (_, changes, why) => {
    await using redis = await startWithTls();
    const opening = openInEarnest({ url: redis.tlsUrl, tls: trusting(changes) }, { openMs: LONG_MS });
    await expect(opening).rejects.toMatchObject({ ...UNAVAILABLE, message: expect.stringMatching(why) });
  });

  it("without verification opens any server", async () => {
    await using redis = await startWithTls();
    const tls = trusting({ ca: null, servername: null, verify: false });
    await using store = await openInEarnest({ url: redis.tlsUrl, tls });
    expect(await works(store)).toBe(true);
  });

  it("is not begun by a server that wants a certificate from us and gets none", async () => {
    await using redis = await startWithTls();
    const tls = trusting({ cert: null, key: null });
    await expect(openInEarnest({ url: redis.tlsUrl, tls }, { openMs: 1_000 })).rejects.toMatchObject(
      UNAVAILABLE,
    );
  });
});

describe("an error", () => {
  it("never repeats what somebody wrote", async () => {
    await using redis = await startRedis();
    const bench = await openBench(redis);
    await redis.cli("SET", `{${bench.prefix}}:l:c1`, "not a list");
    const whole = await wholeErrorOf(bench.accept({ id: "a", text: "between you and me" }));
    expect(whole).toContain("STORE_WRITE_FAILED");
    expect(whole).toContain("WRONGTYPE");
    expect(whole).not.toContain("between you and me");
  });

  it("never repeats it either where Redis would", async () => {
    await using redis = await startRedis();
    await using other = await startRedis({ args: ["--rename-command", "EVAL", ""] });
    const bench = await openBench(redis);
    const back = bench.back();
    bench.proxy.target = other.port;
    bench.proxy.cut();
    await back;
    const whole = await wholeErrorOf(bench.accept({ id: "a", text: "between you and me" }));
    expect(whole).toContain("unknown command");
    expect(whole).not.toContain("with args");
  });
});
