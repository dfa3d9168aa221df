import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { call } from "../cli/helpers.ts";
import { type FakeProgram, fakeProgram } from "../fakes/in.ts";
import { eventually } from "../support/eventually.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";
import { scrape } from "./scrape.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";
const SECRET = "whsec_aW5ib3VuZC1zZWNyZXQtb2YtdGVzdHM=";
const NEXT_SECRET = "whsec_YW5vdGhlci1zZWNyZXQtdGhhbi10aGF0";
const CALLBACK_SECRET = "whsec_Y2FsbGJhY2stc2VjcmV0LW9mLXRlc3Rz";

const spec = (program: Pick<FakeProgram, "url">, secret = `"${SECRET}"`) => `${NO_LIMITS}  inbound:
    - name: ci
      secret: ${secret}
      text: "Build {/build/id}: {/message}"
      conversation: "{/repo}"
      callback: { url: "${program.url}/parley", secret: "${CALLBACK_SECRET}" }
    - { name: other, secret: "${NEXT_SECRET}" }
`;

interface Sent {
  readonly id?: string;
  readonly secret?: string;
  readonly name?: string;
  readonly atMs?: number;
  readonly type?: string;
}

/** As a program sends it, signed by the library of Standard Webhooks. */
async function post({ url }: GatewayProcess, body: object | string, sent: Sent = {}) {
  const { id = "msg_1", secret = SECRET, name = "ci", atMs = Date.now(), type = "application/json" } = sent;
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const response = await fetch(`${url}/webhooks/in/${name}`, {
    method: "POST",
    headers: {
      "content-type": type,
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(atMs / 1000)),
      "webhook-signature": new Webhook(secret).sign(id, new Date(atMs), text),
    },
    body: text,
  });
  return { status: response.status, body: await response.text() };
}

const build = (message: string, repo = "parley") => ({ build: { id: 7 }, message, repo });
const start = (config: string, dataDir = temporaryFolder()) =>
  startGateway({ dataDir, config, env: { PARLEY_ADMIN_TOKEN: TOKEN } });

describe("an inbound webhook", () => {
  it("goes from its signature to its callback, once, and what is not right goes nowhere", async () => {
    const program = await fakeProgram(CALLBACK_SECRET);
    const config = configFolder(spec(program));
    await using gateway = await start(config);
    expect(await post(gateway, build("red"))).toEqual({
      status: 200,
      body: '{"status":"accepted","id":"in:ci:msg_1"}',
    });
    await program.until(() => program.said.length > 0);
    expect(program.said).toEqual([
      {
        ...{ webhook: "ci", id: "msg_1", event_id: "in:ci:msg_1", conversation: "parley" },
        ...{ text: expect.stringContaining("You said: Build 7: red"), may_repeat: false },
      },
    ]);

    // Delivered again, replayed later, forged, of another webhook, too large, of another type.
    expect((await post(gateway, build("red"))).status).toBe(200);
    const now = Date.now();
    const large = build("x".repeat(1024 * 1024));
    const refused = [
      [401, await post(gateway, build("late"), { id: "a", atMs: now - 301_000 })],
      [401, await post(gateway, build("early"), { id: "b", atMs: now + 310_000 })],
      [401, await post(gateway, build("forged"), { id: "c", secret: NEXT_SECRET })],
      [413, await post(gateway, large, { id: "d" })],
      [415, await post(gateway, build("form"), { id: "e", type: "text/plain" })],
      [400, await post(gateway, "[1]", { id: "f" })],
      [404, await post(gateway, build("none"), { id: "g", name: "none" })],
    ] as const;
    expect(refused.map(([, { status }]) => status)).toEqual(refused.map(([status]) => status));
    for (const [, { body }] of refused) expect(body).not.toContain(SECRET);

    // Its order, and nothing else than the first and this one.
    expect((await post(gateway, build("green"), { id: "msg_2" })).status).toBe(200);
    await program.until(() => program.said.length > 1);
    expect(program.said.map(({ id }) => id)).toEqual(["msg_1", "msg_2"]);
    const metrics = await scrape(gateway.url);
    expect(metrics.value('parley_webhooks_total{platform="in",outcome="duplicate"}')).toBe(1);
    expect(metrics.value('parley_webhooks_total{platform="in",outcome="stale"}')).toBe(2);
    expect(metrics.value('parley_webhooks_total{platform="in",outcome="forged"}')).toBe(1);
    await program.close();
  });

  it("is signed by `parley send`, and named by doctor", async () => {
    const program = await fakeProgram(CALLBACK_SECRET);
    const config = configFolder(
      `${NO_LIMITS}  inbound: [{ name: ci, secret: "${SECRET}", callback: { url: "${program.url}", secret: "${CALLBACK_SECRET}" } }]\n`,
    );
    await using gateway = await start(config);
    const env = { PARLEY_IN_SECRET: SECRET, PARLEY_ADMIN_TOKEN: TOKEN, PARLEY_CONFIG: config };
    const args = ["send", "in", "--channel", "ci", "--text", "red", "--wait", "20", "--json"];
    const sent = await call([...args, "--url", gateway.url], { env });
    expect(JSON.parse(sent.stdout)).toMatchObject({
      ...{ outcome: "accepted", state: "done" },
      reply: expect.stringContaining("You said: red"),
    });
    const found = await call(["doctor", "--offline"], { env });
    expect(found.stdout).toContain(`/webhooks/in/ci: answers go to ${program.url}, which was not tried`);
    await program.close();
  });

  it("is answered once though its process is killed before it, and after its callback was away", async () => {
    const program = await fakeProgram(CALLBACK_SECRET);
    program.faults.push({ kind: "status", status: 503, body: {}, times: 2 });
    const config = configFolder(spec(program));
    const dataDir = temporaryFolder();
    await using first = await start(config, dataDir);
    expect((await post(first, build("slow\ndemo: sleep 2s"))).status).toBe(200);
    await first.end("SIGKILL");
    await using next = await start(config, dataDir);
    expect((await post(next, build("slow\ndemo: sleep 2s"))).status).toBe(200);
    await program.until(() => program.said.length > 0, 90_000);
    expect((await post(next, build("then"), { id: "msg_2" })).status).toBe(200);
    await program.until(() => program.said.length > 1, 90_000);
    expect(program.said.map(({ id }) => id)).toEqual(["msg_1", "msg_2"]);
    await program.close();
  });

  it("over its limit is told so by its callback once, and by its answer from then on", async () => {
    const program = await fakeProgram(CALLBACK_SECRET);
    const limits = "  limits: { user: { messages: 1, per_seconds: 60 } }\n  routes: [{ agent: assistant }]\n";
    const config = configFolder(spec(program).replace(NO_LIMITS, limits));
    await using gateway = await start(config);
    const statuses: string[] = [];
    for (const id of ["a", "b", "c"]) {
      const { status, body } = await post(gateway, build(id), { id });
      statuses.push(`${status} ${JSON.parse(body).status}`);
    }
    expect(statuses).toEqual(["200 accepted", "200 accepted", "200 not_run"]);
    await program.until(() => program.said.length > 1);
    expect(program.said.map(({ id }) => id).toSorted()).toEqual(["a", "b"]);
    expect(program.said.find(({ id }) => id === "b")?.text).not.toContain("You said");
    await program.close();
  });

  it("takes a new secret beside the old one without a restart", async () => {
    const program = await fakeProgram(CALLBACK_SECRET);
    const config = configFolder(spec(program));
    await using gateway = await start(config);
    expect((await post(gateway, build("a"), { id: "a", secret: NEXT_SECRET })).status).toBe(401);
    writeFileSync(
      join(config, "gateway.yaml"),
      `kind: Gateway\nspec:\n${spec(program, `["${NEXT_SECRET}", "${SECRET}"]`)}`,
    );
    await eventually(async () => {
      expect((await post(gateway, build("b"), { id: "b", secret: NEXT_SECRET })).status).toBe(200);
    }, 30_000);
    expect((await post(gateway, build("c"), { id: "c" })).status).toBe(200);
    await program.close();
  });
});
