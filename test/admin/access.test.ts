import { describe, expect, it } from "vitest";
import { BODY_BYTES_MAX } from "../../src/admin/bounds.ts";
import { GatewayError } from "../../src/domain/errors.ts";
import { jsonBody, openAdmin, TOKEN } from "../support/admin.ts";

async function errorOf(response: Response) {
  const { error } = (await response.json()) as { error: { code: string; message: string } };
  return { status: response.status, ...error };
}

describe("the admin API", () => {
  it("is off without a token, and says how to turn it on", async () => {
    const { ask } = await openAdmin({ token: null });
    for (const path of ["/events", "/dead/x/replay", "/openapi.json", "/none"])
      expect(await errorOf(await ask(path))).toEqual({
        status: 404,
        code: "not_found",
        message: "The admin API is off; set PARLEY_ADMIN_TOKEN, at least 32 characters, and start again",
      });
  });

  it.each(["", "Bearer", "Bearer wrong", `Basic ${TOKEN}`, TOKEN, `Bearer ${TOKEN}x`, `Bearer ${TOKEN} x`])(
    "is closed for %j",
    async (authorization) => {
      const { ask } = await openAdmin();
      for (const path of ["/events", "/openapi.json", "/none"]) {
        const response = await ask(path, { headers: { authorization } });
        expect(response.headers.get("www-authenticate")).toBe("Bearer");
        expect(await errorOf(response)).toMatchObject({ status: 401, code: "unauthorized" });
      }
    },
  );

  it.each([`Bearer ${TOKEN}`, `bearer  ${TOKEN}`])("is open for %j", async (authorization) => {
    const { ask } = await openAdmin();
    expect((await ask("/events", { headers: { authorization } })).status).toBe(200);
  });

  it("tells whoever guesses to wait, and takes the right token all the same", async () => {
    const { ask, clock } = await openAdmin();
    const guess = () => ask("/events", { headers: { authorization: "Bearer wrong" } });
    for (let i = 0; i < 10; i++) expect((await guess()).status).toBe(401);
    const slowed = await guess();
    expect(slowed.headers.get("retry-after")).toBe("6");
    expect(await errorOf(slowed)).toMatchObject({ status: 429, code: "rate_limited" });
    expect((await ask("/events")).status).toBe(200);
    expect((await guess()).status).toBe(429);
    clock.advance(6_000);
    expect((await guess()).status).toBe(401);
  });

  it("counts requests by operation and status, those too that it cannot answer", async () => {
    const unread = async () => {
      throw new GatewayError("STORE_UNAVAILABLE", "away");
    };
    const { ask, metrics } = await openAdmin({
      broken: ({ journal }) => ({ journal: { ...journal, find: unread } }),
    });
    await ask("/events");
    await ask("/events?limit=no");
    await ask("/events/slack:1");
    await ask("/events", { headers: { authorization: "Bearer wrong" } });
    const { values } = await metrics.adminRequests.get();
    expect(values.map(({ labels, value }) => [labels.operation, labels.status, value])).toEqual([
      ["listEvents", "200", 1],
      ["listEvents", "400", 1],
      ["showEvent", "503", 1],
    ]);
  });

  it("gives every answer its headers", async () => {
    const { ask } = await openAdmin();
    for (const path of ["/events", "/none", "/events?x=1"]) {
      const { headers } = await ask(path);
      expect(headers.get("x-request-id")).toBe("req_1");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("content-type")).toBe("application/json");
    }
  });

  it.each([
    ["/events?limit=0", 'limit: expected a number of at least 1, got "0"'],
    ["/events?limit=many", 'limit: expected a number, got "many"'],
    ["/events?limit=501", 'limit: expected a number of at most 500, got "501"'],
    ["/events?stat=done", "stat: expected state, got the unknown key stat (did you mean state?)"],
    [
      "/events?state=lost",
      'state: expected queued or running or retrying or parked or done or dropped or dead or merged, got "lost"',
    ],
    ["/dead?since=1w", 'since: expected an ISO time, or a span such as 30m, 2h or 7d, got "1w"'],
    ["/dead?kind=x", 'kind: expected inbound or outbound, got "x"'],
    ["/events/x?y=1", "y: expected no key here, got y"],
  ])("says what is wrong with %s", async (path, message) => {
    const { ask } = await openAdmin();
    expect(await errorOf(await ask(path))).toEqual({ status: 400, code: "malformed", message });
  });

  it.each<[string, RequestInit, number, string]>([
    ["no body", { method: "POST" }, 415, "Expected application/json, got no content type"],
    ["an empty body", jsonBody(undefined), 400, "Expected a JSON object, got an empty body"],
    ["no object", jsonBody([]), 400, "Expected a JSON object, got an array"],
    ["an unknown filter", jsonBody({ platfrom: "slack" }), 400, "did you mean platform?"],
    ["a limit of none", jsonBody({ limit: 0 }), 400, "limit: expected a number of at least 1, got 0"],
    ["no ids", jsonBody({ ids: [] }), 400, "ids: expected at least 1 items, got an empty list"],
    ["too much", jsonBody({ cause: "x".repeat(BODY_BYTES_MAX) }), 413, "Expected a body of at most"],
    [
      "an operator that is none",
      { ...jsonBody({}), headers: { "content-type": "application/json", "x-parley-operator": "é" } },
      400,
      "Expected X-Parley-Operator",
    ],
  ])("refuses a bulk request with %s", async (_, init, status, message) => {
    const { ask } = await openAdmin();
    const error = await errorOf(await ask("/dead/replay", init));
    expect(error).toMatchObject({ status, message: expect.stringContaining(message) });
  });

  it("survives a body that breaks off", async () => {
    const { ask } = await openAdmin();
    const body = new ReadableStream({ start: (controller) => controller.error(new Error("gone")) });
    const headers = { "content-type": "application/json" };
    const init = { method: "POST", headers, body, duplex: "half" } as const;
    expect(await errorOf(await ask("/dead/drop", init))).toMatchObject({ status: 400 });
  });

  it("knows no other routes and methods", async () => {
    const { ask } = await openAdmin();
    for (const [path, method] of [
      ["", "GET"],
      ["/none", "GET"],
      ["/dead", "POST"],
      ["/events", "DELETE"],
    ] as const)
      expect(await errorOf(await ask(path, { method }))).toMatchObject({ status: 404, code: "not_found" });
  });

  it("is unavailable while the store is away, and blames itself for what it did not foresee", async () => {
    const failing = (error: Error) => () => {
      const fail = () => Promise.reject(error);
      return { journal: { find: fail, list: fail, stats: fail } };
    };
    const away = await openAdmin({ broken: failing(new GatewayError("STORE_UNAVAILABLE", "Redis is away")) });
    for (const ask of [() => away.ask("/events"), () => away.ask("/dead/replay", jsonBody({}))]) {
      const response = await ask();
      expect(response.headers.get("retry-after")).toBe("5");
      expect(await errorOf(response)).toEqual({
        status: 503,
        code: "unavailable",
        message: "STORE_UNAVAILABLE: Redis is away",
      });
    }
    const broken = await openAdmin({ broken: failing(new Error("hunter2")) });
    expect(await errorOf(await broken.ask("/events"))).toEqual({
      status: 500,
      code: "internal",
      message: "Something broke here; it has been logged",
    });
  });
});
