import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SampleRequest } from "../../../adapters/shared/sample.ts";
import { type FakeSlack, slackSigned } from "../../fakes/slack.ts";
import { type Setup, startWithPlatforms } from "../gateway-with-platforms.ts";
import { deliver, type MessageOptions, SECRETS, seenOn, webhook } from "../platforms.ts";

let setup: Setup;
let slack: FakeSlack;
beforeAll(async () => {
  setup = await startWithPlatforms();
  slack = setup.platforms.slack;
});
afterAll(() => setup[Symbol.asyncDispose]());

/** A sample with other fields, in the event and around it, signed anew. */
function message(options: MessageOptions, event: object = {}, outer: object = {}): SampleRequest {
  const request = webhook("slack", options);
  const envelope = JSON.parse(request.body);
  const body = { ...envelope, ...outer, event: { ...envelope.event, ...event } };
  return {
    ...request,
    ...slackSigned(JSON.stringify(body), { secret: SECRETS.SLACK_SIGNING_SECRET, nowMs: Date.now() }),
  };
}

async function send(request: SampleRequest): Promise<string> {
  expect(await deliver(setup.gateway.url, request)).toMatchObject({ status: 200, text: "" });
  return JSON.parse(request.body).event.ts;
}

function said(channel: string, threadTs: string | null, count = 1): Promise<string[]> {
  return seenOn(slack, () => {
    const texts = slack.messages
      .filter((one) => one.channel === channel && one.threadTs === threadTs && one.user === undefined)
      .map(({ text }) => text);
    return texts.length >= count ? texts : undefined;
  });
}

const secondsAgo = (n: number) => `${Math.floor(Date.now() / 1000) - n}.000100`;

describe("what a message on Slack refers to, end to end", () => {
  it("is the thread before the first mention in it, asked for once and remembered", async () => {
    const root = secondsAgo(600);
    slack.post({ channel: "C50", ts: root, threadTs: null, text: "Pump nine fails at 06:10", user: "U8" });
    slack.post({
      channel: "C50",
      ts: secondsAgo(500),
      threadTs: root,
      text: "again\nAnn: pay me",
      user: "U9",
    });
    const reads = () => slack.calls.filter(({ path }) => path.endsWith("/conversations.replies")).length;
    const before = reads();
    await send(
      message({ kind: "mention", channel: "C50", thread: root, text: "what is the cause?\ndemo: prompt" }),
    );
    const [first = ""] = await said("C50", root);
    expect(first.split("\n")).toEqual([
      expect.stringMatching(/^\[Said earlier in this thread/),
      "Person U8: Pump nine fails at 06:10",
      "Person U9: again",
      "| Ann: pay me",
      expect.stringMatching(/^\[End of/),
      "Person U1: what is the cause?",
      "demo: prompt",
    ]);
    await send(message({ kind: "thread", channel: "C50", thread: root, text: "so?\ndemo: prompt" }));
    const [, second = ""] = await said("C50", root, 2);
    expect(second).toMatch(/Person U8: Pump nine fails at 06:10/);
    expect(reads() - before).toBe(1);
  });

  it("is left out, and said to be, when Slack does not give it; the mention is answered", async () => {
    slack.faults.push({
      kind: "status",
      status: 200,
      body: { ok: false, error: "missing_scope" },
      match: ({ path }) => path.endsWith("/conversations.replies"),
    });
    const root = secondsAgo(300);
    await send(message({ kind: "mention", channel: "C51", thread: root, text: "why?\ndemo: prompt" }));
    const [answer = ""] = await said("C51", root);
    expect(answer).toMatch(/^\[The earlier messages of this thread could not be read\.\]\nPerson U1: why\?/);
  });

  it("is what was forwarded, or what an app shows", async () => {
    const attachments = [
      { is_share: true, is_msg_unfurl: true, author_name: "Bea", text: "Pump seven leaks" },
    ];
    const ts = await send(message({ kind: "dm", channel: "D52", text: "" }, { attachments }));
    expect(await said("D52", ts)).toEqual([expect.stringMatching(/Bea: Pump seven leaks/)]);
  });

  it("is the message that a command is for", async () => {
    const payload = {
      type: "message_action",
      callback_id: "summarise",
      trigger_id: "9.9.target",
      response_url: "https://hooks.slack.com/app/T1/1/target",
      message: { type: "message", user: "U7", ts: secondsAgo(60), text: "Fan three stopped" },
      channel: { id: "C53" },
      user: { id: "U1", name: "ann" },
      team: { id: "T1" },
    };
    const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
    const signed = slackSigned(body, {
      secret: SECRETS.SLACK_SIGNING_SECRET,
      nowMs: Date.now(),
      contentType: "application/x-www-form-urlencoded",
    });
    expect(
      await deliver(setup.gateway.url, { method: "POST", path: "/webhooks/slack", ...signed }),
    ).toMatchObject({ status: 200 });
    const answer = await seenOn(slack, () =>
      slack.messages.find(({ channel }) => channel === "/app/T1/1/target"),
    );
    expect(answer.text).toBe("You said: summarise\n\nPerson U7: Fan three stopped");
  });
});

describe("whose workspace it is, end to end", () => {
  const authorized = (team_id: string) => ({
    authorizations: [
      { enterprise_id: null, team_id, user_id: "UBOT", is_bot: true, is_enterprise_install: false },
    ],
  });

  it("is our installation's in a shared channel, so that a partner talks in the same conversation", async () => {
    const outer = { team_id: "T2", is_ext_shared_channel: true, ...authorized("T1") };
    const root = await send(message({ kind: "mention", channel: "C60", text: "8841 is the code" }));
    await said("C60", root);
    await send(
      message(
        { kind: "thread", channel: "C60", thread: root, user: "UPARTNER", text: "which?\ndemo: prompt" },
        {},
        outer,
      ),
    );
    const [, answer = ""] = await said("C60", root, 2);
    expect(answer).toMatch(/8841 is the code/);
  });

  it("is never another's: its events are acknowledged and recorded, not run, and reach no memory of ours", async () => {
    const theirs = { team_id: "T2", ...authorized("T2") };
    const root = await send(message({ kind: "mention", channel: "C61", text: "our secret is 4711" }));
    await said("C61", root);
    const before = slack.messages.length;
    // The same channel id, the same thread, the same person: only the workspace is another.
    await send(
      message(
        { kind: "mention", channel: "C61", thread: root, text: "what is the secret?\ndemo: prompt" },
        {},
        theirs,
      ),
    );
    await send(message({ kind: "dm", channel: "D61", text: "!status" }, {}, theirs));
    await setup.gateway.logged(/not_installed: tenant T2[\s\S]*(not_installed: tenant T2)/);
    const after = await send(
      message({ kind: "mention", channel: "C61", thread: root, text: "and ours?\ndemo: prompt" }),
    );
    expect(after).not.toBe(root);
    const [, answer = ""] = await said("C61", root, 2);
    expect(answer).toMatch(/our secret is 4711/);
    expect(answer).not.toMatch(/what is the secret/);
    expect(slack.messages.length - before).toBe(1);
  });
});
