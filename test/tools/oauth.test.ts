import { describe, expect, it, onTestFinished } from "vitest";
import { tools as toolsSchema } from "../../src/config/tools-schema.ts";
import type { Holds } from "../../src/ports/holds.ts";
import type { Secrets } from "../../src/ports/secrets.ts";
import type { TokenKeeper } from "../../src/tools/pool.ts";
import { serveHttp, serveSse } from "../fakes/mcp-server.ts";
import { type FakeOauth, fakeOauth } from "../fakes/oauth-server.ts";
import { FakeClock } from "../support/clock.ts";
import { benchOf, newFolder } from "./support.ts";

const HOUR_MS = 3_600_000;

/** Kept for all processes of a test; each is elected for itself. */
function inMemory() {
  const kept = new Map<string, string>();
  const holders = new Map<string, object>();
  const asKept = (text: string | undefined) => (text === undefined ? null : { text, mark: text });
  const put: Secrets["put"] = async (name, text) => {
    kept.set(name, text);
    return true;
  };
  const process = (): TokenKeeper => {
    const me = {};
    const hold: Holds["hold"] = async (name) => {
      const holder = holders.get(name) ?? me;
      holders.set(name, holder);
      return holder === me ? { name, token: 1 } : null;
    };
    const release: Holds["release"] = async ({ name }) => void holders.delete(name);
    return { secrets: { get: async (name) => asKept(kept.get(name)), put }, holds: { hold, release } };
  };
  /** Refresh tokens, by what they were kept under. */
  const tokens = () => [...kept].filter(([name]) => !name.endsWith("/access"));
  return { kept, tokens, process };
}

async function guarded(transport: "http" | "sse" = "http") {
  const oauth = await fakeOauth();
  onTestFinished(() => oauth[Symbol.asyncDispose]());
  const folder = newFolder();
  const serve = transport === "http" ? serveHttp : serveSse;
  const served = await serve(null, (authorization) => oauth.isGood(authorization));
  onTestFinished(() => served.close());
  const open = (auth: object, clock?: FakeClock) =>
    benchOf([specOf(served.url, oauth, auth, transport)], folder, () => false, clock);
  return { oauth, open };
}

function specOf(url: string, oauth: FakeOauth, auth: object, transport: string) {
  const config = { transport, url, auth: { token_url: oauth.url, client_id: "parley", ...auth } };
  return { name: "fake", type: "mcp", allow: ["*"], config };
}

/** Nobody waits in it. */
class ImpatientClock extends FakeClock {
  override async sleep(): Promise<void> {}
}

const LOOK = ["fake__look", {}] as const;
const looked = { isError: false };

describe.each(["http", "sse"] as const)("a server over %s that wants an access token", (transport) => {
  it("gets one of the client itself, once for all calls", async () => {
    const { oauth, open } = await guarded(transport);
    const { call } = open({ client_secret: "s3cret:/", scope: "issues.read" });
    expect(await call(...LOOK)).toMatchObject(looked);
    expect(await call(...LOOK)).toMatchObject(looked);
    expect(oauth.asked).toEqual([
      { form: { grant_type: "client_credentials", scope: "issues.read" }, client: expect.any(String) },
    ]);
    expect(decodeURIComponent(oauth.asked[0]?.client ?? "")).toBe("parley:s3cret:/");
  });

  it("gets another one when it refuses that", async () => {
    const { oauth, open } = await guarded(transport);
    const clock = new FakeClock();
    const { call } = open({ client_secret: "s" }, clock);
    await call(...LOOK);
    oauth.revoke();
    clock.advance(1_000);
    expect(await Promise.all([call(...LOOK), call(...LOOK)])).toMatchObject([looked, looked]);
    expect(oauth.asked).toHaveLength(2);
  });
});

it("is given another one before the time of the last is over", async () => {
  const { oauth, open } = await guarded();
  const clock = new FakeClock();
  const { call } = open({ client_secret: "s" }, clock);
  await call(...LOOK);
  clock.advance(HOUR_MS - 30_001);
  await call(...LOOK);
  expect(oauth.asked).toHaveLength(1);
  clock.advance(1);
  oauth.revoke();
  expect(await call(...LOOK)).toMatchObject(looked);
  expect(oauth.asked).toHaveLength(2);
});

describe("a refresh token", () => {
  it("that is another one each time is kept, also for those that are started later", async () => {
    const { oauth, open } = await guarded();
    oauth.refreshTokens.add("first");
    const store = inMemory();
    const clock = new FakeClock();
    for (let start = 0; start < 2; start++) {
      const { call, pool } = open({ refresh_token: "first" }, clock);
      pool.keepTokens(store.process());
      expect(await call(...LOOK)).toMatchObject(looked);
      clock.advance(HOUR_MS);
    }
    expect(oauth.asked.map(({ form }) => form.refresh_token)).toEqual(["first", "rt-1"]);
    expect(oauth.asked[0]).toEqual({
      form: { grant_type: "refresh_token", refresh_token: "first", client_id: "parley" },
      client: null,
    });
    expect(store.tokens().map(([, token]) => token)).toEqual(["rt-2"]);
    expect([...store.kept.keys()].join()).not.toContain("first");
  });

  it("is used once, however many processes want an access token at the same time", async () => {
    const { oauth, open } = await guarded();
    oauth.refreshTokens.add("first");
    const store = inMemory();
    const benches = Array.from({ length: 4 }, () => open({ refresh_token: "first" }));
    for (const { pool } of benches) pool.keepTokens(store.process());
    const all = () => Promise.all(benches.map(({ call }) => call(...LOOK)));
    expect(await all()).toEqual(benches.map(() => expect.objectContaining(looked)));
    expect(oauth.asked.map(({ form }) => form.refresh_token)).toEqual(["first"]);
  });

  it("brings one token for all processes, and all take the next when it is refused", async () => {
    const { oauth, open } = await guarded();
    oauth.refreshTokens.add("first");
    const store = inMemory();
    const clock = new FakeClock();
    const benches = Array.from({ length: 2 }, () => open({ refresh_token: "first" }, clock));
    for (const { pool } of benches) pool.keepTokens(store.process());
    for (let round = 0; round < 2; round++) {
      for (const { call } of benches) expect(await call(...LOOK)).toMatchObject(looked);
      oauth.revoke();
      clock.advance(1_000);
    }
    expect(oauth.asked.map(({ form }) => form.refresh_token)).toEqual(["first", "rt-1"]);
  });

  it("is kept before its access token is used, also by a store that has to be asked twice", async () => {
    const { oauth, open } = await guarded();
    oauth.refreshTokens.add("first");
    const store = inMemory();
    const { call, pool } = open({ refresh_token: "first" }, new ImpatientClock());
    const { secrets, holds } = store.process();
    let fails = 1;
    const put: Secrets["put"] = async (name, text) => {
      if (fails-- > 0) throw new Error("away");
      return await secrets.put(name, text);
    };
    pool.keepTokens({ secrets: { ...secrets, put }, holds });
    expect(await call(...LOOK)).toMatchObject(looked);
    expect(store.tokens().map(([, token]) => token)).toEqual(["rt-1"]);
  });

  it("in the configuration that is another one is the one that counts", async () => {
    const { oauth, open } = await guarded();
    oauth.refreshTokens.add("first").add("second");
    const store = inMemory();
    for (const refresh_token of ["first", "second"]) {
      const { call, pool } = open({ refresh_token });
      pool.keepTokens(store.process());
      expect(await call(...LOOK)).toMatchObject(looked);
    }
    expect(oauth.asked.map(({ form }) => form.refresh_token)).toEqual(["first", "second"]);
  });

  it("that is over says so, and no more of it", async () => {
    const { open } = await guarded();
    const { call, pool, downs } = open({ refresh_token: "long-gone-token" });
    pool.keepTokens(inMemory().process());
    const { result, isError } = await call(...LOOK);
    expect([isError, result]).toEqual([true, expect.stringContaining("it was used")]);
    expect(downs.join()).not.toContain("long-gone-token");
  });

  it("without a place to keep the next is not used up", async () => {
    const { oauth, open } = await guarded();
    oauth.refreshTokens.add("first");
    const { call } = open({ refresh_token: "first" });
    expect((await call(...LOOK)).result).toContain("PARLEY_ENCRYPTION_KEY");
    expect(oauth.asked).toEqual([]);
  });
});

describe("what is configured of it", () => {
  const faultsOf = (auth: object) => {
    const config = { transport: "http", url: "https://mcp.example/mcp", auth };
    const { error } = toolsSchema.safeParse([{ name: "a", type: "mcp", config }]);
    return error?.issues.map(({ path, message }) => `${path.slice(1).join(".")}: ${message}`) ?? [];
  };

  it.each([
    [
      { token_url: "https://a.example/t", client_id: "c" },
      "config.auth: expected client_secret, refresh_token, or both",
    ],
    [
      { token_url: "http://a.example/t", client_id: "c", client_secret: "s" },
      "config.auth.token_url: expected an https:// address, or one of this machine",
    ],
    [{ token_url: "https://a.example/t", client_id: "", client_secret: "s" }, "config.auth.client_id"],
    [{ token_url: "https://a.example/t", client_id: "c", client_secret: "s", secret: "s" }, "config.auth"],
  ])("%j is refused", (auth, fault) => {
    expect(faultsOf(auth)).toEqual([expect.stringContaining(fault)]);
  });

  it.each(["http://localhost:1/t", "http://[::1]:1/t", "https://a.example/t"])("%s is fine", (token_url) => {
    expect(faultsOf({ token_url, client_id: "c", refresh_token: "r" })).toEqual([]);
  });
});
