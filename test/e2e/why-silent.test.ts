import { rmSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { call } from "../cli/helpers.ts";
import { startRedis } from "../support/redis.ts";
import { startGateway, temporaryFolder } from "./gateway-process.ts";
import { type Setup, startWithPlatforms } from "./gateway-with-platforms.ts";
import { deliver, SECRETS, webhook } from "./platforms.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";

interface Refusal {
  readonly request_id: string;
  readonly outcome: string;
  readonly reason: string;
  readonly peer: string;
  readonly event_id?: string;
}

async function refusals(url: string, query = ""): Promise<Refusal[]> {
  const response = await fetch(`${url}/api/v1/refusals${query}`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  expect(response.status).toBe(200);
  return ((await response.json()) as { refusals: Refusal[] }).refusals;
}

async function explained(url: string, id: string) {
  const env = { PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_URL: url };
  const { code, stdout } = await call(["explain", id, "--json"], { env });
  return {
    code,
    ...(code === 0 ? (JSON.parse(stdout) as { outcome: string; words: string; event?: { id: string } }) : {}),
  };
}

describe("a bot that was silent", () => {
  let setup: Setup;
  beforeAll(async () => {
    setup = await startWithPlatforms({ PARLEY_ADMIN_TOKEN: TOKEN });
  });
  afterAll(() => setup[Symbol.asyncDispose]());

  it("has its reason in the list, and the X-Request-Id of any answer leads to it", async () => {
    const { url } = setup.gateway;
    const genuine = webhook("slack", { text: "plumbiferous" });
    const forged = await deliver(url, {
      ...genuine,
      body: genuine.body.replace("plumbiferous", "saxicolous"),
    });
    const unsigned = await deliver(url, { ...genuine, headers: { "content-type": "application/json" } });
    const accepted = await deliver(url, genuine);
    const again = await deliver(url, genuine);
    // What could not be genuine by its headers would be refused before its size is known.
    const huge = await deliver(url, { ...webhook("telegram", { text: "" }), body: "x".repeat(2_000_000) });
    const ids = [huge, again, unsigned, forged].map(({ headers }) => headers.get("x-request-id"));
    const listed = await refusals(url);
    expect(listed.map(({ request_id, outcome }) => [request_id, outcome])).toEqual([
      [ids[0], "too-large"],
      [ids[1], "duplicate"],
      [ids[2], "forged"],
      [ids[3], "forged"],
    ]);
    expect(listed.map(({ peer }) => peer)).toEqual(Array(4).fill("127.0.0.1"));
    expect(listed[2]?.reason).toBe("missing X-Slack-Signature");
    expect(JSON.stringify(listed)).not.toMatch(/plumbiferous|saxicolous/);

    for (const id of ids) expect(await explained(url, id ?? "")).toMatchObject({ code: 0 });
    const { code, outcome, event } = await explained(url, accepted.headers.get("x-request-id") ?? "");
    expect({ code, outcome, event }).toMatchObject({
      code: 0,
      outcome: "accepted",
      event: { id: listed[1]?.event_id },
    });
    expect(await explained(url, "req_unheard_of")).toEqual({ code: 1 });
  });

  it("is not hidden by a flood of forgeries, nor does the flood fill the list", async () => {
    const { url } = setup.gateway;
    const ambient = webhook("slack", { text: "to nobody", kind: "message" });
    const ignored = await deliver(url, ambient);
    const forge = () => fetch(`${url}/webhooks/slack`, { method: "POST", body: "{}" });
    for (let round = 0; round < 60; round++) await Promise.all(Array.from({ length: 50 }, forge));
    const [found] = await refusals(url, "?outcome=ignored&limit=1");
    expect(found).toMatchObject({
      request_id: ignored.headers.get("x-request-id"),
      outcome: "ignored",
      reason: "not_addressed",
    });
    const forged = await refusals(url, "?outcome=forged&limit=500");
    expect(forged.length).toBeGreaterThan(100);
    const all = await fetch(`${url}/metrics`).then((answer) => answer.text());
    expect(
      Number(/^parley_request_notes_dropped_total\{cause="flood"\} (\d+)$/m.exec(all)?.[1]),
    ).toBeGreaterThan(2_000);
  });
});

describe("a replica that only receives", () => {
  it("tells what it refused through any other, also when it has gone", async () => {
    await using redis = await startRedis({ fsync: "no" });
    const folder = temporaryFolder();
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const env = { ...SECRETS, REDIS_URL: redis.url, PARLEY_ADMIN_TOKEN: TOKEN };
    const [ingress, worker] = await Promise.all([
      startGateway({ dataDir: `${folder}/a`, env: { ...env, PARLEY_ROLE: "ingress" } }),
      startGateway({ dataDir: `${folder}/b`, env: { ...env, PARLEY_ROLE: "worker" } }),
    ]);
    onTestFinished(async () => {
      await Promise.all([ingress[Symbol.asyncDispose](), worker[Symbol.asyncDispose]()]);
    });
    const forged = await deliver(ingress.url, { ...webhook("slack", { text: "x" }), body: "{}" });
    // It writes what it knows before it ends.
    await ingress.end("SIGTERM");
    expect(await refusals(worker.url)).toMatchObject([
      { request_id: forged.headers.get("x-request-id"), outcome: "forged" },
    ]);
  });
});
