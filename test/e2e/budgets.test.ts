import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Usage } from "../../src/admin/usage.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { type Asked, ask } from "./ask.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, startGateway, temporaryFolder } from "./gateway-process.ts";
import { scrape } from "./scrape.ts";

const TOKEN = "an-admin-token-of-at-least-32-characters";
const OVER =
  /^Not enough is left of today's budget for all of us together\. It begins again in .+, with the next day \(UTC\)\./;

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis[Symbol.asyncDispose]());

const spec = (budgets: string) => `${NO_LIMITS}  budgets: ${budgets}\n`;

function start(budgets: string, dataDir = temporaryFolder(), env: Record<string, string> = {}) {
  return startGateway({
    dataDir,
    config: configFolder(spec(budgets)),
    env: { PARLEY_ADMIN_TOKEN: TOKEN, ...env },
  });
}

async function usage({ url }: GatewayProcess, query = ""): Promise<Usage> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const response = await fetch(`${url}/api/v1/usage${query}`, { headers });
  expect(response.status).toBe(200);
  return (await response.json()) as Usage;
}

const money = ({ total }: Usage) => [total.cost_cents, total.held_cents];
const until = (expectation: () => Promise<void>) =>
  vi.waitFor(expectation, { timeout: 30_000, interval: 50 });
const hello = (conversation: string, message = "hello\ndemo: cost 3") => ({
  message,
  conversation,
  wait: 60,
});
/** A test that is underway at midnight would find another day's budget. */
async function onOneDay(test: () => Promise<void>): Promise<void> {
  const today = () => new Date().toISOString().slice(0, 10);
  const began = today();
  await test().catch(async (error: unknown) => {
    if (today() === began) throw error;
    await test();
  });
}

describe("a budget of the day that two replicas share", () => {
  it("is never passed by many messages at once, and spent to the last call that fits", () =>
    onOneDay(async () => {
      // Of 100 cents at 3 a call there are 33; the people whose calls are too many hear so.
      const shared = { REDIS_URL: redis.url };
      const prefix = `{ redis: { prefix: p${randomUUID().slice(0, 8)} } }`;
      const config = `{ global: { cost_cents: 100 } }\n  store: ${prefix}`;
      await using one = await start(config, temporaryFolder(), shared);
      await using two = await start(config, temporaryFolder(), shared);
      const asked = await Promise.all(
        Array.from({ length: 60 }, (_, n) => ask((n % 2 === 0 ? one : two).url, hello(`shared ${n}`))),
      );
      const answered = asked.filter(({ reply }) => reply === "You said: hello");
      const refused = asked.filter(({ reply }) => OVER.test(reply ?? ""));
      expect([answered.length, refused.length]).toEqual([33, 27]);
      for (const replica of [one, two]) {
        expect(money(await usage(replica))).toEqual([99, 0]);
        expect((await usage(replica)).total).toMatchObject({ limit_cents: 100, model_calls: 33 });
      }
      const exceeded = await Promise.all(
        [one, two].map(async ({ url }) =>
          (await scrape(url)).value('parley_budget_exceeded_total{agent="assistant",budget="global"}'),
        ),
      );
      expect(exceeded.reduce((sum = 0, count = 0) => sum + count, 0)).toBe(27);
      for (const replica of [one, two]) await replica.end("SIGTERM");
      const warnings = [one, two].flatMap((replica) =>
        replica.logLines().filter(({ msg }) => msg === "budget.warning"),
      );
      expect(warnings).toMatchObject([{ scope: "global", limit_cents: 100, level: "warn" }]);
    }));

  it("keeps what was held for a call whose process was killed, and so does the run", () =>
    onOneDay(async () => {
      const prefix = `{ redis: { prefix: p${randomUUID().slice(0, 8)} } }`;
      const config = `{ global: { cost_cents: 100 } }\n  store: ${prefix}`;
      const dataDir = temporaryFolder();
      const dying = await start(config, dataDir, { REDIS_URL: redis.url });
      await using other = await start(config, temporaryFolder(), {
        REDIS_URL: redis.url,
        PARLEY_ROLE: "ingress",
      });
      const long = { message: "hello\ndemo: cost 2 of 30\ndemo: sleep 3s", conversation: "killed" };
      expect(await ask(other.url, long)).toMatchObject({ status: 200 });
      await until(async () => expect(money(await usage(other))).toEqual([0, 30]));
      await dying.end("SIGKILL");
      expect(money(await usage(other))).toEqual([0, 30]);
      // It comes back under its name, and goes on with what it had in hand: a second call, a second hold.
      await using back = await start(config, dataDir, { REDIS_URL: redis.url });
      await until(async () => expect(money(await usage(back))).toEqual([2, 30]));
      expect((await usage(back)).total.model_calls).toBe(1);
      await back.logged("run.finished");
      const steps = back.logLines().filter(({ msg }) => msg === "run.finished");
      expect(steps).toMatchObject([{ outcome: "answered", attempt: 2 }]);
    }));
});

describe("a budget of the day on SQLite", () => {
  const reply = async (asked: Promise<Asked>) => (await asked).reply;

  it("is kept over a restart and a kill, by person and for all, and told whose it is", () =>
    onOneDay(async () => {
      const config = "{ user: { cost_cents: 8 }, global: { cost_cents: 20 } }";
      const dataDir = temporaryFolder();
      let gateway = await start(config, dataDir);
      const say = (conversation: string, cents: number) =>
        reply(ask(gateway.url, hello(conversation, `hello\ndemo: cost ${cents}`)));
      expect(await say("a", 5)).toBe("You said: hello");
      for (const signal of ["SIGTERM", "SIGKILL"] as const) {
        await gateway.end(signal);
        gateway = await start(config, dataDir);
        expect(await say("a", 5)).toMatch(
          /^Not enough is left of today's budget for your messages\. It begins again in /,
        );
        expect(money(await usage(gateway))).toEqual([5, 0]);
      }
      expect(await say("b", 3)).toBe("You said: hello");
      expect(await say("c", 9)).toMatch(
        /^An answer may cost more than the daily budget for your messages allows\./,
      );
      await gateway.end("SIGTERM");
    }));

  it("that is passed in the middle of a run ends it with the truth", () =>
    onOneDay(async () => {
      await using gateway = await start("{ global: { cost_cents: 10 } }");
      // The first call asks for a tool that there is not; the second, with its result, has no money.
      const twice = hello("midway", 'hello\ndemo: cost 6\ndemo: tool look {"at":"x"}');
      expect(await reply(ask(gateway.url, twice))).toMatch(OVER);
      expect(money(await usage(gateway))).toEqual([6, 0]);
      await gateway.logged("run.finished");
      const [run] = gateway.logLines().filter(({ msg }) => msg === "run.finished");
      expect(run).toMatchObject({
        outcome: "out-of-money",
        over_budget: "global",
        model_calls: 1,
        cost_cents: 6,
      });
      // What is free goes on.
      expect(await reply(ask(gateway.url, hello("midway", "still there?")))).toBe("You said: still there?");
    }));
});
