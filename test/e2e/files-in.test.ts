import { createHmac } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SampleRequest } from "../../adapters/shared/sample.ts";
import { discordFileUrl } from "../fakes/discord.ts";
import { fakeServer } from "../fakes/server.ts";
import { slackSigned } from "../fakes/slack.ts";
import { fileOf } from "../fakes/slack-files.ts";
import { type Setup, startWithPlatforms } from "./gateway-with-platforms.ts";
import { deliver, discordSignature, SECRETS, seenOn, webhook } from "./platforms.ts";

let setup: Setup;
beforeAll(async () => {
  setup = await startWithPlatforms();
});
afterAll(() => setup[Symbol.asyncDispose]());

let count = 0;

/** A direct message with these files, signed. */
function withFiles(
  files: readonly object[],
  text = "what is in it?\ndemo: prompt",
): SampleRequest & { channel: string } {
  const channel = `D7${++count}`;
  const request = webhook("slack", { kind: "dm", channel, text });
  const envelope = JSON.parse(request.body);
  const body = JSON.stringify({ ...envelope, event: { ...envelope.event, subtype: "file_share", files } });
  const signed = slackSigned(body, { secret: SECRETS.SLACK_SIGNING_SECRET, nowMs: Date.now() });
  return { ...request, ...signed, channel };
}

async function answerTo({ channel, ...request }: SampleRequest & { channel: string }): Promise<string> {
  const { slack } = setup.platforms;
  expect(await deliver(setup.gateway.url, request)).toMatchObject({ status: 200, text: "" });
  return await seenOn(slack, () => slack.messages.find((one) => one.channel === channel)?.text);
}

/** One that Slack keeps. */
function kept(name: string, content: string | Buffer, mimetype = "text/plain") {
  const file = { id: `F7${++count}`, name, mimetype, bytes: Buffer.from(content) };
  setup.platforms.slack.files.push(file);
  return { ...file, shown: fileOf(file) };
}

const fetchesOf = (id: string) => setup.platforms.slack.calls.filter(({ path }) => path.includes(id));

describe("files of messages on Slack, end to end", () => {
  it("a text file is read, with the token of the bot, once", async () => {
    const file = kept("a.txt", "Pump nine fails\nat 06:10\n");
    const answer = await answerTo(withFiles([file.shown]));
    expect(answer).toContain("[file a.txt]\nPump nine fails\nat 06:10\nwhat is in it?\ndemo: prompt");
    expect(fetchesOf(file.id)).toHaveLength(1);
    expect(fetchesOf(file.id)[0]?.headers.authorization).toBe(`Bearer ${SECRETS.SLACK_BOT_TOKEN}`);
  });

  it("what is no text is named", async () => {
    const file = kept("a.zip", Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 0xff]), "application/zip");
    expect(await answerTo(withFiles([file.shown]))).toContain("[file a.zip]\nwhat is in it?");
  });

  it.each<[string, object, string]>([
    ["too large", { size: 21 * 1024 * 1024 }, "it is larger than 20 MiB (21 MiB)"],
    [
      "kept elsewhere",
      { url_private: "http://169.254.169.254/latest" },
      "it is kept at a place that I do not fetch from",
    ],
    [
      "not there",
      { url_private: "https://files.slack.com/files-pri/T1-F0/a.txt" },
      "it is not there any more",
    ],
    ["an image that is none", { mimetype: "image/png" }, "it is not the image that it is said to be"],
  ])("one that is %s could not be read, and the message is answered", async (_, over, why) => {
    const file = kept("b.txt", Buffer.from([1, 2, 3]));
    const answer = await answerTo(withFiles([{ ...file.shown, ...over }]));
    expect(answer).toContain(`[file b.txt] could not be read: ${why}\nwhat is in it?`);
  });

  it("a page to log in at is not taken for the file", async () => {
    const file = kept("c.txt", "secret");
    setup.platforms.slack.faults.push({
      kind: "status",
      status: 200,
      headers: { "content-type": "text/html" },
      body: "<html>Sign in</html>",
      match: ({ path }) => path.includes(file.id),
    });
    const answer = await answerTo(withFiles([file.shown]));
    expect(answer).toContain("[file c.txt] could not be read: a web page came in its place");
    expect(answer).not.toContain("Sign in");
  });

  it("a redirect is not followed, wherever it leads", async () => {
    const file = kept("d.txt", "secret");
    const other = await fakeServer(() => ({ body: "taken" }));
    setup.platforms.slack.faults.push({
      kind: "status",
      status: 302,
      headers: { location: other.url },
      match: ({ path }) => path.includes(file.id),
    });
    const answer = await answerTo(withFiles([file.shown]));
    expect(answer).toContain(
      "[file d.txt] could not be read: it leads to another place, where I do not follow",
    );
    expect(other.calls).toEqual([]);
    await other.close();
  });

  it("a failure that passes is tried again", async () => {
    const file = kept("e.txt", "at last");
    setup.platforms.slack.faults.push({
      kind: "reset",
      match: ({ path }) => path.includes(file.id),
      times: 2,
    });
    expect(await answerTo(withFiles([file.shown]))).toContain("[file e.txt]\nat last");
  });
});

describe("files of commands on Discord, end to end", () => {
  async function ask(path: string, expiresAtMs: number, isGone = false): Promise<string> {
    const { discord } = setup.platforms;
    const file = { bytes: Buffer.from("Valve two is shut"), mime: "text/plain", expiresAtMs };
    if (!isGone) discord.files.set(path, file);
    const channel = String(90_000 + ++count);
    const request = webhook("discord", { kind: "slash", channel, text: "demo: prompt" });
    const body = JSON.parse(request.body);
    const url = discordFileUrl(path, file);
    body.data.resolved = {
      attachments: { "60": { id: "60", filename: "v.txt", size: 17, content_type: "text/plain", url } },
    };
    const text = JSON.stringify(body);
    const headers = { ...request.headers, ...discordSignature(text) };
    expect(await deliver(setup.gateway.url, { ...request, headers, body: text })).toMatchObject({
      status: 200,
    });
    return await seenOn(discord, () => discord.messages.find((one) => one.channelId === channel)?.content);
  }

  it("are copied from their signed address, query and all, without a token", async () => {
    expect(await ask("/attachments/20/60/v.txt", Date.now() + 60_000)).toContain(
      "[file v.txt]\nValve two is shut",
    );
  });

  it("are copied from a new address when theirs has expired", async () => {
    expect(await ask("/attachments/20/61/v.txt", Date.now() - 1)).toContain(
      "[file v.txt]\nValve two is shut",
    );
  });

  it("could not be read when they are gone, and the command is answered", async () => {
    const answer = await ask("/attachments/20/62/v.txt", Date.now() - 1, true);
    expect(answer).toContain("[file v.txt] could not be read: it is not there any more");
  });
});

describe("files of messages on Telegram, end to end", () => {
  const ids = () => `T8${++count}`;

  async function ask(document: object, id = ids()): Promise<string> {
    const { telegram } = setup.platforms;
    const chat = 80_000 + ++count;
    const request = webhook("telegram", { channel: String(chat), user: String(chat), text: "x" });
    const update = JSON.parse(request.body);
    const { text: _, ...message } = update.message;
    const body = JSON.stringify({
      ...update,
      message: {
        ...message,
        caption: "what is in it?\ndemo: prompt",
        document: { file_id: id, file_unique_id: id, ...document },
      },
    });
    await deliver(setup.gateway.url, { ...request, body });
    return await seenOn(telegram, () => telegram.messages.find(({ chatId }) => chatId === chat)?.text);
  }
  const keep = (path: string, content: string | Buffer) => {
    const id = ids();
    setup.platforms.telegram.files.set(id, { path, bytes: Buffer.from(content) });
    return id;
  };

  it("a text is read from where getFile says, with the token of the bot, which nobody is told", async () => {
    const id = keep("documents/file_1.txt", "Valve four is open");
    expect(await ask({ file_name: "v.txt", mime_type: "text/plain", file_size: 18 }, id)).toContain(
      "[file v.txt]\nValve four is open",
    );
    const { stdout, stderr } = setup.gateway;
    expect(stdout() + stderr()).not.toContain(SECRETS.TELEGRAM_BOT_TOKEN);
  });

  it.each([
    ["/var/lib/telegram-bot-api/x.txt"],
    ["../../bot/getMe"],
    ["a/../../b"],
    ["https://other.example/x"],
    ["a\\b?c"],
    [""],
  ])("one that is kept at %j is not fetched", async (path) => {
    const { telegram } = setup.platforms;
    const before = telegram.calls.length;
    const answer = await ask({ file_name: "v.txt" }, keep(path, "secret"));
    expect(answer).toContain("could not be read: it is kept at a place that I do not fetch from");
    expect(telegram.calls.slice(before).filter((call) => call.path.startsWith("/file/"))).toEqual([]);
  });

  it("one that is gone, or larger than Telegram gives, could not be read", async () => {
    expect(await ask({ file_name: "v.txt" })).toContain("could not be read: it is not there any more");
    const large = keep("documents/large.bin", Buffer.alloc(20 * 1024 * 1024 + 1));
    expect(await ask({ file_name: "large.bin" }, large)).toContain(
      "could not be read: it is larger than Telegram gives to bots (20 MB)",
    );
  });
});

describe("files of messages on WhatsApp, end to end", () => {
  async function ask(kind: "document" | "image", media: object, person = 47_700 + ++count): Promise<string> {
    const { whatsapp } = setup.platforms;
    const request = webhook("whatsapp", {
      kind: "image",
      user: String(person),
      text: "what is in it?\ndemo: prompt",
    });
    const all = JSON.parse(request.body);
    const [message] = all.entry[0].changes[0].value.messages;
    const { image, ...rest } = message;
    all.entry[0].changes[0].value.messages[0] = {
      ...rest,
      type: kind,
      [kind]: { caption: image.caption, ...media },
    };
    const body = JSON.stringify(all);
    const signature = createHmac("sha256", SECRETS.WHATSAPP_APP_SECRET).update(body).digest("hex");
    const headers = { ...request.headers, "x-hub-signature-256": `sha256=${signature}` };
    await deliver(setup.gateway.url, { ...request, headers, body });
    return await seenOn(whatsapp, () => {
      const said = whatsapp.messages.find((one) =>
        String(one.body.to ?? one.body.recipient).includes(String(person)),
      );
      return (said?.body.text as { body: string } | undefined)?.body;
    });
  }

  it("a text is read from where Meta says, with the token", async () => {
    const { whatsapp } = setup.platforms;
    whatsapp.media.set("M81", { mime: "text/plain", bytes: "Valve five drips" });
    const answer = await ask("document", { id: "M81", filename: "v.txt", mime_type: "text/plain" });
    expect(answer).toContain("[file v.txt]\nValve five drips");
    const fetched = whatsapp.calls.filter(({ path }) => path.startsWith("/media-bytes/M81"));
    expect(fetched.map(({ headers }) => headers.authorization)).toEqual([
      `Bearer ${SECRETS.WHATSAPP_ACCESS_TOKEN}`,
    ]);
  });

  it("one that Meta would have elsewhere is not fetched, and the token goes nowhere", async () => {
    const { whatsapp } = setup.platforms;
    const other = await fakeServer(() => ({ body: "taken" }));
    whatsapp.media.set("M82", { mime: "text/plain", bytes: "", url: `${other.url}/x` });
    whatsapp.media.set("M83", { mime: "text/plain", bytes: "", url: "http://169.254.169.254/latest" });
    for (const id of ["M82", "M83"])
      expect(await ask("document", { id, filename: "v.txt" })).toContain(
        "could not be read: it is kept at a place that I do not fetch from",
      );
    expect(other.calls).toEqual([]);
    await other.close();
  });

  it("one that is gone could not be read", async () => {
    expect(await ask("document", { id: "M84", filename: "v.txt" })).toContain(
      "could not be read: it is not there any more",
    );
  });
});
