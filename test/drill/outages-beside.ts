import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { temporaryFolder } from "../e2e/gateway-process.ts";
import { deliver, SECRETS, statusFault, webhook } from "../e2e/platforms.ts";
import { scrape } from "../e2e/scrape.ts";
import { serveHttp } from "../fakes/mcp-server.ts";
import { slackSigned } from "../fakes/slack.ts";
import { fileOf } from "../fakes/slack-files.ts";
import { startReceiver } from "../hooks/receiver.ts";
import { smallDisk } from "../support/disk.ts";
import { eventually } from "../support/eventually.ts";
import { startRedis } from "../support/redis.ts";
import { agent, goOn, type Outage, opened, SLO } from "./scene.ts";

const CLOCK = pathToFileURL(resolve(import.meta.dirname, "jumping-clock.ts")).href;

/** Outages of what is beside the store, the model and the queue. */
export const BESIDE: Readonly<Record<string, Outage>> = {
  "token-revoked": {
    what: "one platform does not know our token any more",
    raises: ["ParleyBreakerOpen"],
    follows: ["ParleyRepliesFail", "ParleyOldestWaits", "ParleyBacklog"],
    over: ["ParleyBreakerOpen"],
    isLong: true,
    async open(stack) {
      const { platforms, gateway, write } = await opened(stack, {});
      return {
        gateway,
        async begin(signal) {
          const revoked = statusFault({ status: 200, body: { ok: false, error: "invalid_auth" } });
          platforms.slack.faults.push({ ...revoked, times: Number.POSITIVE_INFINITY });
          goOn(() => Promise.all([write("hello", "telegram"), write("hello")]), signal);
        },
        async mend() {
          platforms.slack.faults.length = 0;
        },
      };
    },
  },
  "hook-down": {
    what: "a service that a hook tells of things answers 500",
    raises: ["ParleyHookFails"],
    follows: [],
    async open(stack) {
      const receiver = stack.use(await startReceiver());
      const { gateway, write } = await opened(stack, {
        spec: `  hooks: [{ name: ops, url: "${receiver.url}", secret: "\${HOOK_SECRET}" }]\n`,
        env: { HOOK_SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" },
      });
      return {
        gateway,
        async begin(signal) {
          receiver.answer(() => 500);
          goOn(() => write("hello"), signal);
        },
        mend: async () => receiver.answer(() => 204),
      };
    },
  },
  "tool-hangs": {
    what: "an MCP server takes calls, and answers none any more",
    raises: ["ParleyToolsTimeOut"],
    follows: ["ParleyOldestWaits", "ParleyBacklog", "ParleyRunsSlow", "ParleyToolServerFails"],
    async open(stack) {
      const server = await serveHttp();
      stack.defer(() => server.close());
      const { url, fake } = server;
      const { platforms, gateway, write } = await opened(stack, {
        of: agent(
          "{ provider: demo }",
          `  budgets: { tokens: 1000000 }\n  tools:\n    - { name: fake, type: mcp, config: { transport: http, url: "${url}" }, allow: ["*"], timeout_seconds: 5 }\n`,
        ),
      });
      const look = () => write("demo: tool fake__look {}");
      // While it is well it is used, as it would be.
      await look();
      await platforms.slack.until(() =>
        platforms.slack.messages.some(({ text }) => text.includes("look ran")),
      );
      const take = fake.take.bind(fake);
      return {
        gateway,
        async begin(signal) {
          fake.take = () => {};
          goOn(look, signal);
        },
        async mend() {
          fake.take = take;
        },
      };
    },
  },
  "name-unknown": {
    what: "the name of the model's host is not known any more",
    raises: ["ParleyModelFails", "ParleyBreakerOpen"],
    unsaid: ["ParleyModelFails"],
    follows: ["ParleyRunsFail", "ParleyOldestWaits", "ParleyBacklog", ...SLO],
    isLong: true,
    async open(stack) {
      const { gateway, write } = await opened(stack, {
        env: { ANTHROPIC_API_KEY: "sk-of-a-drill", ANTHROPIC_BASE_URL: "https://api.model.invalid" },
        of: agent(
          "{ provider: anthropic, model: claude-sonnet-5, price: { input_per_million: 3, output_per_million: 15 } }",
        ),
      });
      return {
        gateway,
        async begin(signal) {
          for (let n = 0; n < 5; n++) await write("hello");
          goOn(() => write("hello"), signal);
        },
      };
    },
  },
  "replica-frozen": {
    what: "the replica that holds a socket stands still, and the other goes on",
    raises: ["ParleyDown"],
    follows: [],
    over: ["ParleyDown"],
    isLong: true,
    async open(stack) {
      const redis = stack.use(await startRedis());
      const { gateway, another, write } = await opened(stack, { env: { REDIS_URL: redis.url } });
      // It was there first, so it has the socket.
      await eventually(async () => {
        const metrics = await scrape(gateway.url);
        if (metrics.value('parley_socket_holder{platform="discord"}') !== 1)
          throw new Error("It holds no socket");
      }, 30_000);
      const other = await another();
      return {
        gateway,
        others: [other],
        async begin(signal) {
          await write("hello");
          process.kill(gateway.pid, "SIGSTOP");
          goOn(() => write("hello", "slack", other.url), signal);
        },
        async mend() {
          process.kill(gateway.pid, "SIGCONT");
        },
      };
    },
  },
  "clock-jumped": {
    what: "the clock of the machine is ten minutes ahead",
    raises: ["ParleyForged"],
    follows: [],
    isLong: true,
    async open(stack) {
      const clock = join(temporaryFolder(), "clock");
      writeFileSync(clock, "0");
      const { gateway, write } = await opened(stack, {
        env: { NODE_OPTIONS: `--import ${CLOCK}`, DRILL_CLOCK: clock },
      });
      return {
        gateway,
        async begin(signal) {
          await write("hello");
          writeFileSync(clock, "600000");
          goOn(() => write("hello"), signal);
        },
        mend: async () => writeFileSync(clock, "0"),
      };
    },
  },
  "media-full": {
    what: "the disk that files of messages are kept on is full, and the data folder is elsewhere",
    raises: ["ParleyComponentUnwell"],
    follows: [],
    over: ["ParleyComponentUnwell"],
    mounts: true,
    isLong: true,
    async open(stack) {
      const disk = smallDisk();
      stack.defer(() => disk[Symbol.dispose]());
      const { platforms, gateway } = await opened(stack, {
        spec: `  media: { dir: "${disk.folder}/media" }\n`,
      });
      let files = 0;
      const attach = async () => {
        const id = `F${++files}`;
        const file = { id, name: "a.txt", mimetype: "text/plain", bytes: Buffer.from("hello") };
        platforms.slack.files.push(file);
        const envelope = JSON.parse(
          webhook("slack", { kind: "dm", channel: `D${files}`, text: "hello" }).body,
        );
        const event = { ...envelope.event, subtype: "file_share", files: [fileOf(file)] };
        const signing = { secret: SECRETS.SLACK_SIGNING_SECRET, nowMs: Date.now() };
        const signed = slackSigned(JSON.stringify({ ...envelope, event }), signing);
        await deliver(gateway.url, { method: "POST", path: "/webhooks/slack", ...signed });
      };
      return {
        gateway,
        async begin(signal) {
          await attach();
          disk.fill(gateway.pid);
          goOn(attach, signal, 5_000);
        },
        mend: async () => disk.free(gateway.pid),
      };
    },
  },
};
