import { deliver, statusFault, webhook } from "../e2e/platforms.ts";
import { startProvider } from "../e2e/provider.ts";
import { smallDisk } from "../support/disk.ts";
import { startRedis } from "../support/redis.ts";
import { BESIDE } from "./outages-beside.ts";
import { agent, DEMO, goOn, type Outage, opened, SLO } from "./scene.ts";

export const OUTAGES: Readonly<Record<string, Outage>> = {
  "model-down": {
    what: "the provider of the model answers that it is overloaded",
    raises: ["ParleyModelFails", "ParleyBreakerOpen"],
    unsaid: ["ParleyModelFails"],
    over: ["ParleyBreakerOpen"],
    follows: ["ParleyRunsFail", "ParleyOldestWaits", "ParleyBacklog", ...SLO],
    async open(stack) {
      const provider = stack.use(await startProvider("well"));
      const { gateway, write } = await opened(stack, {
        env: { ANTHROPIC_API_KEY: "sk-of-a-drill", ANTHROPIC_BASE_URL: provider.url },
        of: agent(
          "{ provider: anthropic, model: claude-sonnet-5, price: { input_per_million: 3, output_per_million: 15 } }",
        ),
      });
      return {
        gateway,
        async begin(signal) {
          provider.become("overloaded");
          for (let n = 0; n < 5; n++) await write("hello");
          goOn(() => write("hello"), signal);
        },
        mend: async () => provider.become("well"),
      };
    },
  },
  "redis-killed": {
    what: "Redis is killed, and people go on writing",
    raises: ["ParleyStoreAway", "ParleySpoolWaits"],
    // Sockets are held by whom Redis has elected.
    follows: ["ParleyOldestWaits", "ParleySocketDown"],
    over: ["ParleyStoreAway", "ParleySpoolWaits"],
    async open(stack) {
      const redis = stack.use(await startRedis());
      const { gateway, write } = await opened(stack, { env: { REDIS_URL: redis.url } });
      return {
        gateway,
        async begin(signal) {
          await write("hello");
          await redis.kill();
          goOn(() => write("hello"), signal);
        },
        mend: () => redis.restart(),
      };
    },
  },
  "redis-full": {
    what: "Redis is full and refuses what is written, and people go on writing",
    raises: ["ParleyStoreAway", "ParleySpoolWaits"],
    follows: ["ParleyOldestWaits", "ParleySocketDown"],
    over: ["ParleyStoreAway", "ParleySpoolWaits"],
    async open(stack) {
      const redis = stack.use(await startRedis());
      const { gateway, write } = await opened(stack, { env: { REDIS_URL: redis.url } });
      return {
        gateway,
        async begin(signal) {
          await write("hello");
          await redis.cli("CONFIG", "SET", "maxmemory", "1mb");
          goOn(() => write("hello"), signal);
        },
        async mend() {
          await redis.cli("CONFIG", "SET", "maxmemory", "0");
        },
      };
    },
  },
  "forged-flood": {
    what: "a flood of webhooks that nobody has signed",
    raises: ["ParleyForged"],
    follows: [],
    async open(stack) {
      const { gateway } = await opened(stack, {});
      const forge = () =>
        deliver(gateway.url, webhook("telegram", { text: "x", secret: "another-secret-of-telegram" }));
      return {
        gateway,
        async begin(signal) {
          for (let n = 0; n < 100; n++) await forge();
          goOn(forge, signal);
        },
      };
    },
  },
  "disk-full": {
    what: "the disk of the data folder is full",
    raises: ["ParleyDiskFull"],
    follows: ["ParleyStoreAway", "ParleyWebhooksNotStored", ...SLO],
    over: ["ParleyDiskFull"],
    mounts: true,
    async open(stack) {
      const disk = smallDisk();
      stack.defer(() => disk[Symbol.dispose]());
      const { gateway, write } = await opened(stack, { dataDir: `${disk.folder}/data` });
      return {
        gateway,
        async begin(signal) {
          await write("hello");
          disk.fill(gateway.pid);
          goOn(() => write("hello"), signal);
        },
        mend: async () => disk.free(gateway.pid),
      };
    },
  },
  "platform-refuses": {
    what: "one platform refuses what is said, the others take it",
    raises: ["ParleyBreakerOpen"],
    follows: ["ParleyRepliesFail", "ParleyOldestWaits", "ParleyBacklog"],
    over: ["ParleyBreakerOpen"],
    async open(stack) {
      const { platforms, gateway, write } = await opened(stack, {});
      return {
        gateway,
        async begin(signal) {
          const refusal = statusFault({
            status: 401,
            body: { ok: false, error_code: 401, description: "Unauthorized" },
          });
          platforms.telegram.faults.push({ ...refusal, times: Number.POSITIVE_INFINITY });
          goOn(() => Promise.all([write("hello", "telegram"), write("hello")]), signal);
        },
        async mend() {
          platforms.telegram.faults.length = 0;
        },
      };
    },
  },
  "queue-stuck": {
    what: "runs do not end, and messages pile up behind them",
    raises: ["ParleyBacklog"],
    follows: ["ParleyOldestWaits"],
    async open(stack) {
      const { gateway, write } = await opened(stack, {
        of: `${DEMO}  limits: { max_execution_time_seconds: 3600 }\n`,
      });
      return {
        gateway,
        async begin() {
          for (let n = 0; n < 300; n++) await write("demo: sleep 900s");
        },
      };
    },
  },
  "budget-passed": {
    what: "runs come to the end of their budget",
    raises: ["ParleyBudgetExceeded"],
    follows: [],
    async open(stack) {
      const { gateway, write } = await opened(stack, {
        of: agent("{ provider: demo }", "  budgets: { tokens: 1000000, cost_cents: 1 }\n"),
      });
      return {
        gateway,
        async begin(signal) {
          goOn(() => write("demo: cost 500"), signal);
        },
      };
    },
  },
  ...BESIDE,
};
