import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { longText } from "../../src/models/demo-script.ts";
import { attachedTo } from "../fakes/discord.ts";
import { slackSigned } from "../fakes/slack.ts";
import { fileOf } from "../fakes/slack-files.ts";
import { LANGUAGES, SECRET, startExample } from "../models/remote-server.ts";
import { startRedis } from "../support/redis.ts";
import { configFolder, NO_LIMITS } from "./configuration.ts";
import { ROOT, startGateway, temporaryFolder } from "./gateway-process.ts";
import { deliver, openPlatforms, SECRETS, seenOn, webhook } from "./platforms.ts";

/** A gateway that can be started again on the same data. */
async function openRestartable(agent?: string) {
  const platforms = await openPlatforms();
  const config = configFolder(NO_LIMITS, agent);
  const options = { dataDir: temporaryFolder(), config, env: platforms.env };
  return {
    ...platforms,
    start: () => startGateway(options),
    [Symbol.asyncDispose]: () => platforms[Symbol.asyncDispose](),
  };
}

describe("answers that are too long for messages", () => {
  it("are a message with their beginning and one file, in the thread on Slack, with the answer on Discord", async () => {
    await using setup = await openRestartable();
    const { slack, discord } = setup;
    await using gateway = await setup.start();
    const asked = webhook("slack", { kind: "mention", channel: "C81", text: "demo: long 12001" });
    await deliver(gateway.url, asked);
    await deliver(
      gateway.url,
      webhook("discord", { kind: "slash", channel: "8100", text: "demo: long 10001" }),
    );

    const file = await seenOn(slack, () => slack.shared[0]);
    const { ts } = JSON.parse(asked.body).event;
    expect(file).toEqual({
      channel: "C81",
      threadTs: ts,
      name: "answer.md",
      text: longText(12_001),
      comment: "",
    });
    const [beginning, ...more] = slack.messages.filter(({ via }) => via === "chat.postMessage");
    expect(beginning).toMatchObject({ channel: "C81", threadTs: ts });
    expect(beginning?.text).toMatch(/^Sentence 1 of .+ is in the file\.\)$/s);
    expect(more).toEqual([]);

    const message = await seenOn(discord, () => discord.messages.find((one) => attachedTo(one).length > 0));
    expect(discord.messages).toEqual([message]);
    expect(message.content).toMatch(/^Sentence 1 of .+ is in the file\.\)$/s);
    expect(attachedTo(message)).toEqual([{ name: "answer.md", text: longText(10_001) }]);
  });

  it("are a message with their beginning and one document on Telegram and WhatsApp", async () => {
    await using setup = await openRestartable();
    const { telegram, whatsapp } = setup;
    await using gateway = await setup.start();
    await deliver(
      gateway.url,
      webhook("telegram", { kind: "message", channel: "8400", text: "demo: long 20001" }),
    );
    await deliver(
      gateway.url,
      webhook("whatsapp", { kind: "message", user: "8500", text: "demo: long 20001" }),
    );

    await telegram.until(() => telegram.messages.some(({ document }) => document !== undefined));
    const [beginning, file, ...more] = telegram.messages;
    expect(beginning?.text).toMatch(/^Sentence 1 of .+ is in the file\.\)$/s);
    expect(file?.document).toEqual({ name: "answer.md", mime: "text/markdown", text: longText(20_001) });
    expect(more).toEqual([]);

    await whatsapp.until(() => whatsapp.documents.length > 0);
    expect(whatsapp.messages.map(({ body }) => body.type)).toEqual(["text", "document"]);
    expect(whatsapp.documents).toEqual([{ name: "answer.md", mime: "text/plain", text: longText(20_001) }]);
  });

  it.each([
    ["while its bytes are on their way", /^\/upload\//],
    ["while it is put into the channel", /completeUploadExternal$/],
  ])("have one file on Slack, though the process was killed %s", async (_, path) => {
    await using setup = await openRestartable();
    const { slack } = setup;
    {
      await using gateway = await setup.start();
      slack.faults.push({ kind: "hang-after", match: (call) => path.test(call.path) });
      await deliver(gateway.url, webhook("slack", { kind: "dm", channel: "D82", text: "demo: long 13000" }));
      await slack.waitFor((call) => path.test(call.path));
      await gateway.end("SIGKILL");
    }
    await using again = await setup.start();
    await deliver(again.url, webhook("slack", { kind: "dm", channel: "D82", text: "and then" }));
    await seenOn(slack, () => slack.messages.find(({ text }) => text === "You said: and then"));
    expect(slack.shared.map(({ text, comment }) => [text, comment])).toEqual([[longText(13_000), ""]]);
  });
});

describe("files that tools make", () => {
  const EVERYTHING = fileURLToPath(
    import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js"),
  );
  const agent = `metadata: { name: assistant }
spec:
  model: { provider: demo }
  budgets: { tokens: 1000000 }
  tools:
    - name: all
      type: mcp
      config: { transport: stdio, command: ${process.execPath}, args: ["${EVERYTHING}", "stdio"] }
      allow: ["*"]
      sends_files: ["get-*"]
`;
  const text = "demo: tool all__get-tiny-image {}";
  const PICTURE = /^base64:iVBORw0KGgo/;

  it("go out with the answer on every platform, once on Slack though the process is killed meanwhile", async () => {
    await using setup = await openRestartable(agent);
    const { slack, discord, telegram, whatsapp } = setup;
    const path = /completeUploadExternal$/;
    {
      await using gateway = await setup.start();
      slack.faults.push({ kind: "hang-after", match: (call) => path.test(call.path) });
      await deliver(gateway.url, webhook("slack", { kind: "mention", channel: "C84", text }));
      await deliver(gateway.url, webhook("discord", { kind: "slash", channel: "8410", text }));
      await deliver(gateway.url, webhook("telegram", { kind: "message", channel: "8420", text }));
      await deliver(gateway.url, webhook("whatsapp", { kind: "message", user: "8430", text }));
      await slack.waitFor((call) => path.test(call.path));

      const message = await seenOn(discord, () => discord.messages.find((one) => attachedTo(one).length > 0));
      expect(attachedTo(message)).toEqual([{ name: "image.png", text: expect.stringMatching(PICTURE) }]);
      expect(discord.messages.map(({ content }) => content)).toEqual([expect.stringMatching(/said/), ""]);
      await telegram.until(() => telegram.messages.some(({ document }) => document !== undefined));
      expect(telegram.messages.at(-1)?.document?.text).toMatch(PICTURE);
      expect(telegram.calls.some((call) => call.path.endsWith("/sendPhoto"))).toBe(true);
      await whatsapp.until(() => whatsapp.pictures.length > 0);
      expect(whatsapp.pictures).toEqual([{ mime: "image/png", text: expect.stringMatching(PICTURE) }]);
      await gateway.end("SIGKILL");
    }
    await using again = await setup.start();
    await deliver(again.url, webhook("slack", { kind: "dm", channel: "D84", text: "and then" }));
    await seenOn(slack, () => slack.messages.find((one) => one.text === "You said: and then"));
    await again.logged("reply.in_doubt");
    await again.logged("run.finished");
    expect(slack.shared.map(({ channel, name }) => [channel, name])).toEqual([["C84", "image.png"]]);
    expect(slack.shared[0]?.text).toMatch(PICTURE);
  });
});

describe("files that commands and remote agents make", () => {
  it("go out with the answer: what a command leaves in the folder of its call", async () => {
    const tool = `{ name: chart, type: command, command: /bin/sh, sends_files: true, effect: read, args: ["-c", "echo 'a,b' > $PARLEY_FILES/t.csv"] }`;
    const agent = `metadata: { name: assistant }\nspec:\n  model: { provider: demo }\n  tools: [${tool}]\n`;
    await using setup = await openRestartable(agent);
    const { slack, whatsapp } = setup;
    await using gateway = await setup.start();
    const text = "demo: tool chart {}";
    await deliver(gateway.url, webhook("slack", { kind: "mention", channel: "C85", text }));
    await deliver(gateway.url, webhook("whatsapp", { kind: "message", user: "8530", text }));
    const file = await seenOn(slack, () => slack.shared[0]);
    expect(file).toMatchObject({ channel: "C85", name: "t.csv", text: "a,b\n" });
    await whatsapp.until(() => whatsapp.documents.length > 0);
    expect(whatsapp.documents).toEqual([{ name: "t.csv", mime: "text/plain", text: "a,b\n" }]);
  });

  it.each(LANGUAGES)("go out with the answer: what the example in %s gives with it", async (language) => {
    await using example = await startExample(language);
    const model = `{ provider: http, url: "${example.url}", secret: "${SECRET}" }`;
    await using setup = await openRestartable(`metadata: { name: assistant }\nspec:\n  model: ${model}\n`);
    const { slack } = setup;
    await using gateway = await setup.start();
    await deliver(gateway.url, webhook("slack", { kind: "mention", channel: "C86", text: "report" }));
    const file = await seenOn(slack, () => slack.shared[0]);
    expect(file).toMatchObject({ channel: "C86", name: "report.csv", text: "who,how many\nAnn,3\n" });
    const said = slack.messages.map(({ text }) => text);
    expect(said).toEqual([expect.stringContaining("you said: report"), ""]);
  });
});

describe("a file that comes in while the process is killed", () => {
  const withFile = (file: object, text: string) => {
    const request = webhook("slack", { kind: "dm", channel: "D83", text });
    const envelope = JSON.parse(request.body);
    const body = JSON.stringify({ ...envelope, event: { ...envelope.event, files: [file] } });
    const signed = slackSigned(body, { secret: SECRETS.SLACK_SIGNING_SECRET, nowMs: Date.now() });
    return { ...request, ...signed };
  };
  const file = { id: "F83", name: "a.txt", mimetype: "text/plain", bytes: Buffer.from("Pump nine") };

  it("is read by the next one", async () => {
    await using setup = await openRestartable();
    const { slack } = setup;
    slack.files.push(file);
    {
      await using gateway = await setup.start();
      slack.faults.push({ kind: "hang-after", match: ({ path }) => path.includes("F83") });
      await deliver(gateway.url, withFile(fileOf(file), "see\ndemo: prompt"));
      await slack.waitFor(({ path }) => path.includes("F83"));
      await gateway.end("SIGKILL");
    }
    await using again = await setup.start();
    const answer = await seenOn(slack, () => slack.messages[0]?.text);
    expect(answer).toContain("[file a.txt]\nPump nine\nsee");
    await again.logged("file.fetched");
  });

  it.each([
    ["in Redis", () => ({})],
    ["in a folder that they share", () => ({ dir: temporaryFolder() })],
  ])("is found by another replica, %s, and not fetched again", async (_, media) => {
    await using redis = await startRedis();
    await using platforms = await openPlatforms();
    const { slack } = platforms;
    slack.files.push(file);
    const config = configFolder(`${NO_LIMITS}  media: ${JSON.stringify(media())}\n`);
    const replica = () =>
      startGateway({
        // None of them sees the data folder of another.
        ...{ dataDir: temporaryFolder(), config, env: { ...platforms.env, REDIS_URL: redis.url } },
        command: [process.execPath, join(ROOT, "test/e2e/short-lease.ts"), "2000"],
      });
    await using first = await replica();
    await deliver(first.url, withFile(fileOf(file), "see\ndemo: sleep 3s\ndemo: prompt"));
    await first.logged("file.fetched");
    await first.end("SIGKILL");
    await using second = await replica();
    const answer = await seenOn(slack, () => slack.messages[0]?.text);
    expect(answer).toContain("[file a.txt]\nPump nine\nsee");
    expect(slack.calls.filter(({ path }) => path.includes("F83"))).toHaveLength(1);
    expect(await second.end("SIGTERM")).toBe(0);
  });

  it("is not fetched again once it was kept", async () => {
    await using setup = await openRestartable();
    const { slack } = setup;
    slack.files.push(file);
    {
      await using gateway = await setup.start();
      await deliver(gateway.url, withFile(fileOf(file), "see\ndemo: sleep 3s\ndemo: prompt"));
      await gateway.logged("file.fetched");
      await gateway.end("SIGKILL");
    }
    await using again = await setup.start();
    const answer = await seenOn(slack, () => slack.messages[0]?.text);
    expect(answer).toContain("[file a.txt]\nPump nine\nsee");
    expect(slack.calls.filter(({ path }) => path.includes("F83"))).toHaveLength(1);
    expect(await again.end("SIGTERM")).toBe(0);
  });
});
