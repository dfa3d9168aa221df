import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { STOPPED } from "../../src/reply/texts.ts";
import type { FakeCall, FakeServer } from "../fakes/server.ts";
import { type RedisServer, startRedis } from "../support/redis.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { type GatewayProcess, ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";
import {
  deliver,
  type MessageOptions,
  openPlatforms,
  type Platforms,
  seenOn,
  statusFault,
  tooMany,
  webhook,
} from "./platforms.ts";

/** Six seconds of an answer. */
const STREAM = "demo: stream 120 20";
const WHOLE = streamed(120);

function streamed(words: number): string {
  return Array.from({ length: words }, (_, n) => `w${n + 1}`).join(" ");
}

let platforms: Platforms;

const start = (options: Partial<Parameters<typeof startGateway>[0]> = {}) =>
  startGateway({
    dataDir: temporaryFolder(),
    config: configFolder(),
    ...options,
    env: { ...platforms.env, ...options.env },
  });

/** One platform as this page looks at it. */
interface Stage {
  readonly name: "slack" | "discord";
  readonly fake: () => FakeServer;
  readonly texts: () => readonly string[];
  readonly deleteAll: () => void;
  /** The call by which an answer that is shown is changed. */
  readonly isChange: (call: Pick<FakeCall, "method" | "path">) => boolean;
  /** Calls by which a message comes into the world. */
  readonly isBirth: (call: Pick<FakeCall, "method" | "path">) => boolean;
  readonly ask: Partial<MessageOptions>;
  /** Where all that is said is one conversation. */
  readonly inPrivate: Partial<MessageOptions>;
}

const STAGES: Readonly<Record<Stage["name"], Stage>> = {
  slack: {
    name: "slack",
    fake: () => platforms.slack,
    texts: () => platforms.slack.messages.map(({ text }) => text),
    deleteAll: () => void platforms.slack.messages.splice(0),
    isChange: ({ path }) => path.endsWith("/chat.appendStream"),
    isBirth: ({ path }) => /\/chat\.(?:startStream|postMessage)$/.test(path),
    ask: { kind: "mention", channel: "C11", user: "U11" },
    inPrivate: { kind: "dm", channel: "D11", user: "U11" },
  },
  discord: {
    name: "discord",
    fake: () => platforms.discord,
    texts: () => platforms.discord.messages.map(({ content }) => content),
    deleteAll: () => void platforms.discord.messages.splice(0),
    isChange: ({ method, path }) => method === "PATCH" && path.endsWith("@original"),
    isBirth: ({ method, path }) => method === "POST" && /\/webhooks\/|\/messages$/.test(path),
    ask: { channel: "20", user: "30" },
    inPrivate: { channel: "20", user: "30" },
  },
};

/** A file for each platform, so that they run beside each other. */
export function describeStreamsOn(name: Stage["name"]): void {
  const { fake, texts, deleteAll, ...stage } = STAGES[name];
  beforeEach(async () => {
    platforms = await openPlatforms();
    return () => platforms[Symbol.asyncDispose]();
  });
  describe(`an answer that takes a while, on ${name}`, () => {
    async function ask(gateway: GatewayProcess, text: string, to = stage.ask): Promise<void> {
      expect((await deliver(gateway.url, webhook(name, { ...to, text }))).status).toBe(200);
    }
    const read = (text: string) => seenOn(fake(), () => texts().find((one) => one.includes(text)));
    const births = () => fake().calls.filter((call) => stage.isBirth(call) && call.fault === null);
    /** Once it is out, has been changed, and the gateway has recorded it. */
    async function shownBy(gateway: GatewayProcess): Promise<void> {
      await gateway.logged('"reply.shown"');
      await seenOn(fake(), () => (fake().calls.some(stage.isChange) ? true : undefined));
      expect(texts()).toEqual([expect.stringMatching(/^w1 .*w\d+(?: …)?$/)]);
      expect(texts()).not.toContain(WHOLE);
    }

    it("grows in one message, in which it is whole in the end, and a quick one is said at once", async () => {
      await using gateway = await start();
      await ask(gateway, "demo: stream 100 20");
      await read(streamed(100));
      await gateway.logged('"reply.sent"');
      expect(texts()).toEqual([streamed(100)]);
      const changes = fake().calls.filter(stage.isChange);
      expect(changes.length).toBeGreaterThan(2);
      expect(changes.length).toBeLessThan(9);
      // Measured where they arrive, the whole answer among them.
      for (const [index, { at }] of changes.entries())
        expect(at - (changes[index - 1]?.at ?? 0)).toBeGreaterThanOrEqual(950);
      expect(fake().calls.every(({ fault }) => fault === null)).toBe(true);
      await ask(gateway, "quick");
      await read("You said: quick");
      expect(texts()).toEqual([streamed(100), "You said: quick"]);
    });

    it("is not shown where the configuration says so", async () => {
      const config = configFolder(`${NO_LIMITS}  platforms: { ${name}: { preview: off } }\n`);
      await using gateway = await start({ config });
      await ask(gateway, STREAM);
      await read(WHOLE);
      expect(
        fake().calls.filter(({ path, body }) => stage.isChange({ method: "", path }) || body.includes("…")),
      ).toEqual([]);
    });

    it("becomes what is said when it is stopped", async () => {
      await using gateway = await start();
      await ask(gateway, "demo: stream 1000 20", stage.inPrivate);
      await shownBy(gateway);
      await ask(gateway, "!stop", stage.inPrivate);
      await read(STOPPED);
      await seenOn(fake(), () => (texts().includes("Stopping.") ? true : undefined));
      expect(texts().toSorted()).toEqual([STOPPED, "Stopping."]);
    });

    it("is said anew, once, when somebody has deleted it", async () => {
      await using gateway = await start();
      await ask(gateway, "demo: stream 100 20");
      await shownBy(gateway);
      deleteAll();
      await read(streamed(100));
      await gateway.logged('"reply.preview_gone"');
      await gateway.logged('"reply.sent"');
      expect(texts()).toEqual([streamed(100)]);
    });

    it("leaves out what the platform would not take, and is whole when it may be", async () => {
      await using gateway = await start();
      fake().faults.push({ ...statusFault(tooMany(name, 2)), match: stage.isChange });
      await ask(gateway, "demo: stream 100 20");
      await seenOn(fake(), () => fake().calls.find(({ fault }) => fault === "status"));
      await read(streamed(100));
      await gateway.logged('"reply.sent"');
      expect(texts()).toEqual([streamed(100)]);
      const refused = fake().calls.findIndex(({ fault }) => fault === "status");
      const [at = 0, next = 0] = fake()
        .calls.slice(refused)
        .filter(stage.isChange)
        .map((call) => call.at);
      expect(next - at).toBeGreaterThanOrEqual(1_950);
    });

    it("is whole after a change of which nobody knows what became", async () => {
      await using gateway = await start();
      await ask(gateway, "demo: stream 100 20");
      await shownBy(gateway);
      fake().faults.push({ kind: "reset-after", match: stage.isChange });
      await read(streamed(100));
      await gateway.logged('"reply.sent"');
      expect(texts()).toEqual([streamed(100)]);
    });

    it("goes on in the same message after kill -9", async () => {
      const dataDir = temporaryFolder();
      const killed = await start({ dataDir });
      await ask(killed, STREAM);
      await shownBy(killed);
      await killed.end("SIGKILL");
      await using gateway = await start({ dataDir });
      await read(WHOLE);
      await gateway.logged('"reply.sent"');
      expect(texts()).toEqual([WHOLE]);
      expect(births().length).toBeLessThanOrEqual(1);
    });

    it("is said once though nobody recorded that it was shown", async () => {
      const dataDir = temporaryFolder();
      const answered = Promise.withResolvers<void>();
      const first = name === "slack" ? stage.isBirth : stage.isChange;
      fake().faults.push({ kind: "slow", until: answered.promise, match: first });
      const killed = await start({ dataDir });
      await ask(killed, STREAM);
      await seenOn(fake(), () => (texts().length > 0 ? true : undefined));
      await killed.end("SIGKILL");
      answered.resolve();
      await using gateway = await start({ dataDir });
      await read(WHOLE);
      await gateway.logged('"reply.sent"');
      expect(texts()).toEqual([WHOLE]);
    });

    describe("over two replicas", () => {
      let redis: RedisServer;
      beforeAll(async () => {
        redis = await startRedis();
      });
      afterAll(() => redis[Symbol.asyncDispose]());
      const replica = () =>
        start({
          env: { REDIS_URL: redis.url },
          command: [process.execPath, `${ROOT}/test/e2e/short-lease.ts`, "2000"],
        });

      it("goes on in the same message when the one that shows it is killed", async () => {
        await using open = new AsyncDisposableStack();
        const all = [open.use(await replica()), open.use(await replica())];
        await ask(all[0] as GatewayProcess, STREAM);
        const killed = await Promise.race(
          all.map(async (one) => {
            await shownBy(one);
            return one;
          }),
        );
        await killed.end("SIGKILL");
        await read(WHOLE);
        await all.find((one) => one !== killed)?.logged('"reply.sent"');
        expect(texts()).toEqual([WHOLE]);
        expect(births().length).toBeLessThanOrEqual(1);
      });
    });
  });
}
