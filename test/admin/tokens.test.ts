import { setImmediate } from "node:timers/promises";
import { beforeEach, describe, expect, it, vi } from "vitest";
import {
  LOOK_UPS_RATE,
  STREAMS_OF_TENANTS_MAX,
  STREAMS_PER_TENANT_MAX,
  TENANT_RATE,
  TOKEN_CHECK_MS,
} from "../../src/admin/bounds.ts";
import { OPERATIONS, type Operation } from "../../src/admin/operations.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import { type Admin, aRun, jsonBody, openAdmin } from "../support/admin.ts";

let admin: Admin;
beforeEach(async () => {
  admin = await openAdmin();
});

const make = async (body: object) => {
  const response = await admin.ask("/tokens", jsonBody(body));
  expect(response.status).toBe(200);
  return (await response.json()) as { id: string; token: string; expires_at: string | null };
};
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
const with_ = (token: string, path: string, init: RequestInit = {}) =>
  admin.ask(path, { ...init, headers: { ...(init.headers as object), ...bearer(token).headers } });
const bodyOf = async (response: Response) => (await response.json()) as Record<string, never>;

describe("making tokens", () => {
  it("shows a token once, and lists it without", async () => {
    const { id, token, expires_at } = await make({
      ...{ tenant: "slack:T1", name: "dashboard", expires_seconds: 3600 },
    });
    expect(token).toMatch(/^parley_tok_[0-9a-v]+_[A-Za-z0-9_-]{43}$/);
    expect(expires_at).toBe("2023-11-14T23:13:20.000Z");
    const listed = await (await admin.ask("/tokens")).text();
    expect(JSON.parse(listed)).toEqual({
      tokens: [
        {
          ...{ id, tenant: "slack:T1", name: "dashboard", by: "admin" },
          ...{ created_at: "2023-11-14T22:13:20.000Z", expires_at, expired: false },
        },
      ],
    });
    expect(listed).not.toContain(token.slice(-43));
  });

  it("says in the audit who made and revoked which, and not what it is", async () => {
    const headers = { "x-parley-operator": "ann" };
    const { id, token } = await make({ tenant: "slack:T1" });
    expect((await admin.ask(`/tokens/${id}`, { method: "DELETE", headers })).status).toBe(200);
    const text = await (await admin.ask("/audit")).text();
    expect(JSON.parse(text).entries).toMatchObject([
      { action: "token.revoked", subject: id, actor: "ann", after: { tenant: "slack:T1", name: "-" } },
      { action: "token.created", subject: "slack:T1", actor: "admin", after: { id, expires_at: null } },
    ]);
    expect(text).not.toContain(token.slice(-43));
  });

  it.each([
    [{}, "tenant"],
    [{ tenant: "T1" }, "tenant: expected platform:id"],
    [{ tenant: "irc:T1" }, "tenant: expected platform:id"],
    [{ tenant: "slack:" }, "tenant"],
    [{ tenant: "slack:T 1" }, "tenant"],
    [{ tenant: "slack:T1", name: "" }, "name"],
    [{ tenant: "slack:T1", name: "a\nb" }, "name"],
    [{ tenant: "slack:T1", expires_seconds: 1 }, "expires_seconds"],
    [{ tenant: "slack:T1", expires_seconds: 1e12 }, "expires_seconds"],
    [{ tenant: "slack:T1", token: "mine" }, "token"],
  ])("refuses %j", async (body, words) => {
    const response = await admin.ask("/tokens", jsonBody(body));
    expect([response.status, JSON.stringify(await response.json())]).toEqual([
      400,
      expect.stringContaining(words),
    ]);
  });

  it("knows no token that was revoked or never made", async () => {
    expect((await admin.ask("/tokens/tok_1", { method: "DELETE" })).status).toBe(404);
  });
});

describe("the token of a tenant", () => {
  let token: string;
  let id: string;
  beforeEach(async () => {
    ({ token, id } = await make({ tenant: "slack:T1" }));
    await admin.finish(
      { id: "slack:own", tenant: "T1" },
      { kind: "done", outcome: "answered", turns: [] },
      aRun({}),
    );
    const other = { tenant: "T2", conversation: "slack:T2:C1", text: "a secret of others" };
    await admin.bury({ id: "slack:other", ...other });
    // The same id of another platform is another tenant.
    await admin.bury({
      id: "discord:other",
      platform: "discord",
      ...other,
      conversation: "discord:T1:C1",
      tenant: "T1",
    });
  });

  it("lists and shows the events of that tenant, and of no other", async () => {
    const events = (await bodyOf(await with_(token, "/events"))).events as unknown as { id: string }[];
    expect(events.map((event) => event.id)).toEqual(["slack:own"]);
    expect((await with_(token, "/events/slack%3Aown")).status).toBe(200);
    for (const query of [
      "?tenant=slack:T1",
      "?conversation=slack:T1:C1",
      "?platform=slack",
      "?platform=discord",
    ])
      expect((await with_(token, `/events${query}`)).status).toBe(200);
    const discords = await bodyOf(await with_(token, "/events?platform=discord"));
    expect(discords.events).toEqual([]);
  });

  it.each([
    "/events?tenant=slack:T2",
    "/events?tenant=discord:T1",
    "/events?conversation=slack:T2:C1",
    "/events?conversation=slack:T1%3A:C1",
    "/events?conversation=user:slack:T1:U1",
    "/events/slack%3Aother",
    "/events/discord%3Aother",
    "/events/slack%3Anone",
    "/stream?tenant=slack:T2",
    "/stream?conversation=slack:T2:C1",
    "/conversations/slack%3AT2%3AC1",
    "/conversations/slack%3AT20%3AC1",
    "/conversations/user%3Aslack%3AT2%3AU1%3Aopen",
  ])("is refused at %s, in the same words whether there is such a thing or not", async (path) => {
    const response = await with_(token, path);
    expect([response.status, await response.json()]).toEqual([
      403,
      { error: { code: "forbidden", message: expect.stringContaining("slack:T1") } },
    ]);
  });

  it("opens nothing else of the API", async () => {
    const others = Object.entries<Operation>(OPERATIONS).filter(
      ([, { isForTenants }]) => isForTenants !== true,
    );
    expect(others.length).toBeGreaterThan(40);
    for (const [name, { method, path, body }] of others) {
      const init = {
        method: method.toUpperCase(),
        ...(body && { ...jsonBody({}), method: method.toUpperCase() }),
      };
      const response = await with_(token, path.replace("{id}", "x"), init);
      expect([name, response.status]).toEqual([name, 403]);
    }
    const forTenants = Object.entries<Operation>(OPERATIONS).filter(([, one]) => one.isForTenants === true);
    expect(forTenants.map(([name]) => name)).toEqual([
      "listEvents",
      "showEvent",
      "stream",
      "showConversation",
    ]);
  });

  it("streams what becomes of the events of that tenant, and of no other", async () => {
    const response = await with_(token, "/stream");
    const reader = response.body?.getReader();
    const read = async () => new TextDecoder().decode((await reader?.read())?.value);
    expect(await read()).toContain(": watching");
    await admin.bury({ id: "slack:2", tenant: "T2", conversation: "slack:T2:C1" });
    await setImmediate();
    await admin.bury({ id: "slack:3", tenant: "T1", conversation: "slack:T1:C1" });
    const text = await read();
    expect(text).toContain("slack:3");
    expect(text).not.toContain("slack:2");
    await admin.ask(`/tokens/${id}`, { method: "DELETE" });
    expect(await read()).toBe(": the token opens nothing any more\n\n");
    expect((await reader?.read())?.done).toBe(true);
    expect((await with_(token, "/stream")).status).toBe(401);
    await setImmediate();
    expect([admin.feed.watchers, admin.clock.sleeping]).toEqual([0, 0]);
  });

  it("ends its stream soon where the word that it was revoked is lost", async () => {
    const response = await with_(token, "/stream");
    const reader = response.body?.getReader();
    const read = async () => new TextDecoder().decode((await reader?.read())?.value);
    expect(await read()).toContain(": watching");
    // As another process does, whose bus is broken.
    await admin.store.vault.remove(`plain/token/${id}`);
    admin.clock.advance(TOKEN_CHECK_MS);
    expect(await read()).toBe(": the token opens nothing any more\n\n");
  });

  it("asks so much and then slowly, which costs nobody else anything", async () => {
    const statuses: number[] = [];
    for (let n = 0; n < TENANT_RATE[0] + 2; n++) statuses.push((await with_(token, "/events")).status);
    expect(statuses.filter((status) => status === 429)).toHaveLength(2);
    expect((await with_(token, "/tokens")).status).toBe(403);
    const slowed = await with_(token, "/events");
    expect([slowed.status, slowed.headers.get("retry-after")]).toEqual([429, "1"]);
    const other = await make({ tenant: "slack:T1" });
    expect((await with_(other.token, "/events")).status).toBe(200);
    admin.clock.advance(1_000);
    expect((await with_(token, "/events")).status).toBe(200);
  });

  it("leaves streams for other tenants and for operators, however many it opens", async () => {
    const open = async (own: string) => {
      admin.clock.advance(1_000);
      const response = await with_(own, "/stream");
      if (response.status === 200) await response.body?.getReader().read();
      return response.status;
    };
    for (let tenants = 0; tenants < STREAMS_OF_TENANTS_MAX / STREAMS_PER_TENANT_MAX; tenants++) {
      const one = await make({ tenant: `slack:T1${tenants}` });
      for (let n = 0; n < STREAMS_PER_TENANT_MAX; n++) expect(await open(one.token)).toBe(200);
      const another = await make({ tenant: `slack:T1${tenants}` });
      expect(await open(another.token)).toBe(503);
    }
    expect(await open(token)).toBe(503);
    const { status, body } = await admin.ask("/stream");
    expect(status).toBe(200);
    await body?.cancel();
  });

  it("is looked up however many others somebody tries, each of which is a question to the store", async () => {
    let asked = 0;
    admin = await openAdmin({
      broken: ({ vault }) => ({
        vault: {
          ...vault,
          get: async (name) => {
            asked++;
            return await vault.get(name);
          },
        },
      }),
    });
    const own = await make({ tenant: "slack:T1" });
    expect((await with_(own.token, "/events")).status).toBe(200);
    const before = asked;
    const guess = (n: number) => own.token.replace(/.{43}$/, String(n).padStart(43, "A"));
    const statuses: number[] = [];
    for (let n = 0; n < 300; n++) statuses.push((await with_(guess(n), "/events")).status);
    expect(asked - before).toBeLessThanOrEqual(LOOK_UPS_RATE[0]);
    expect(new Set(statuses)).toEqual(new Set([401, 429, 503]));
    expect((await with_(own.token, "/events")).status).toBe(200);
  });

  it("opens nothing after its time", async () => {
    const short = await make({ tenant: "slack:T1", expires_seconds: 60 });
    expect((await with_(short.token, "/events")).status).toBe(200);
    admin.clock.advance(60_000);
    expect((await with_(short.token, "/events")).status).toBe(401);
  });

  it("counts as a guess once it was revoked", async () => {
    await admin.ask(`/tokens/${id}`, { method: "DELETE" });
    for (let n = 0; n < 10; n++) expect((await with_(token, "/events")).status).toBe(401);
    expect((await with_(token, "/events")).status).toBe(429);
  });

  it("is not known while the store is away, which is no guess", async () => {
    let isAway = false;
    admin = await openAdmin({
      broken: ({ vault }) => ({
        vault: {
          ...vault,
          get: async (name) => {
            if (isAway) throw new GatewayError("STORE_UNAVAILABLE", "away");
            return await vault.get(name);
          },
        },
      }),
    });
    const own = await make({ tenant: "slack:T1" });
    const reader = (await with_(own.token, "/stream")).body?.getReader();
    const read = async () => new TextDecoder().decode((await reader?.read())?.value);
    expect(await read()).toContain(": watching");
    isAway = true;
    expect((await with_(own.token, "/events")).status).toBe(503);
    admin.clock.advance(TOKEN_CHECK_MS);
    expect(await read()).toBe(": whether the token is good is not known now; come again\n\n");
    await vi.waitFor(async () => expect((await admin.ask("/tokens")).status).toBe(200));
  });
});
