import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SlackAdapter } from "../../../adapters/slack/adapter.ts";
import type { ReplyAddress, TriggerEvent } from "../../../src/domain/event.ts";
import type { ReplyPart } from "../../../src/domain/reply.ts";
import { asVerified } from "../../contract/raw-request.ts";
import { type FakeSlack, fakeSlack, slackError } from "../../fakes/slack.ts";
import { adapterOf, eventOf, messageBody, request, TOKEN } from "./setup.ts";

const never = new AbortController().signal;
let fake: FakeSlack;
let slack: SlackAdapter;
beforeEach(async () => {
  fake = await fakeSlack({ token: TOKEN, workspace: "T1" });
  slack = adapterOf({ apiUrl: fake.apiUrl, learns: true });
});
afterEach(() => fake.close());

const of = (tenant: string) => ({ ...eventOf(request(messageBody())), tenant });
/** As it comes in direct messages: no bot_id, no app_id, no authorizations. */
const bare = (inner: object) =>
  slack.parse(
    asVerified(request(messageBody({ channel: "D1", channel_type: "im", ...inner }, { authorizations: [] }))),
  );
const say = (tenant?: string) =>
  slack.send(
    {
      partId: "p/0",
      to: JSON.stringify({ kind: "message", tenant, channel: "D1", threadTs: null }) as ReplyAddress,
      part: JSON.stringify({ text: "Good morning" }) as ReplyPart,
      index: 0,
      sendsBefore: 0,
      mayRepeat: false,
    },
    never,
  );

describe("whose token it is", () => {
  it("is not known before Slack has told, and from then on only that workspace is served", async () => {
    expect(slack.serves?.(of("T1"))).toBeNull();
    expect(await slack.learn(never)).toBe(true);
    expect([slack.serves?.(of("T1")), slack.serves?.(of("T2"))]).toEqual([true, false]);
  });

  it("of an organisation serves the organisation", async () => {
    fake.faults.push({
      kind: "status",
      status: 200,
      body: { ok: true, team_id: "E1", enterprise_id: "E1", user_id: "UBOT", is_enterprise_install: true },
    });
    await slack.learn(never);
    expect([slack.serves?.(of("E1")), slack.serves?.(of("T1"))]).toEqual([true, false]);
  });

  it("is not used for what is to be said in another workspace, as after it was changed for that of another", async () => {
    await slack.learn(never);
    await expect(say("T2")).rejects.toMatchObject({ kind: "rejected" });
    expect(fake.messages).toEqual([]);
    await say("T1");
    expect(fake.messages).toHaveLength(1);
  });

  it("is used for a place that is configured without its workspace", async () => {
    await slack.learn(never);
    await say("");
    expect(fake.messages).toHaveLength(1);
  });

  it("is asked again after a failure that passes", async () => {
    fake.faults.push({ kind: "status", status: 503 });
    expect([await slack.learn(never), slack.serves?.(of("T1"))]).toEqual([false, null]);
    expect([await slack.learn(never), slack.serves?.(of("T1"))]).toEqual([true, true]);
  });

  it("does not matter where Slack will not tell", async () => {
    fake.faults.push({ kind: "status", status: 200, body: slackError("unknown_method").body });
    expect([await slack.learn(never), slack.serves?.(of("T9"))]).toEqual([true, true]);
  });
});

describe("a post of our own that nothing in it tells", () => {
  const ownMessage = { kind: "ignored", reason: "own_message", ack: { status: 200 } };

  it("would be taken for a person's", () => {
    expect(bare({ user: "UBOT" }).kind).toBe("events");
  });

  it("is told by the user that auth.test names", async () => {
    await slack.learn(never);
    expect(bare({ user: "UBOT" })).toEqual(ownMessage);
    expect(bare({ user: "U1" }).kind).toBe("events");
  });

  it("is told by its mark", () => {
    const metadata = { event_type: "parley_reply", event_payload: { part: "p" } };
    expect(bare({ user: "U77", metadata })).toEqual(ownMessage);
  });

  it("is told by its time stamp, and the next by the user that Slack posted it as", async () => {
    const { messageId } = await say();
    expect(bare({ user: "U77", ts: messageId })).toEqual(ownMessage);
    expect(bare({ user: "UBOT", ts: "1717000009.000100" })).toEqual(ownMessage);
  });
});

describe("in a channel that two companies share", () => {
  const shared = (inner: object = {}) =>
    eventOf(
      request(
        messageBody(inner, {
          team_id: "T2",
          is_ext_shared_channel: true,
          authorizations: [{ team_id: "T1", user_id: "UBOT", is_bot: true, is_enterprise_install: false }],
        }),
      ),
    );
  const conversationOf = ({ tenant, conversation, id }: TriggerEvent) => [tenant, conversation, id];

  it("the tenant is our installation, whoever wrote", () => {
    expect(conversationOf(shared({ text: "<@UBOT> hi" }))).toEqual([
      "T1",
      "slack:T1:C1:1717000000.000100",
      "slack:T1:C1:1717000000.000100",
    ]);
    const answer = shared({ text: "and now?", ts: "1717000005.000100", thread_ts: "1717000000.000100" });
    expect(conversationOf(answer).slice(0, 2)).toEqual(["T1", "slack:T1:C1:1717000000.000100"]);
  });

  it("an organisation that has the app installed comes before its workspaces", () => {
    const authorizations = [
      { enterprise_id: "E1", team_id: "T1", is_bot: true, is_enterprise_install: true },
    ];
    expect(eventOf(request(messageBody({}, { team_id: "T2", authorizations }))).tenant).toBe("E1");
  });

  it.each<[string, object, string]>([
    ["the workspace that has the app, not that of the person", { team: { id: "T1" } }, "T1"],
    ["the installation that it names", { team: { id: "T2" }, authorizations: [{ team_id: "T1" }] }, "T1"],
    [
      "the installation that opened the view",
      { team: { id: "T2" }, view: { app_installed_team_id: "T1" } },
      "T1",
    ],
    [
      "the organisation where it is installed for all of it",
      { team: null, enterprise: { id: "E1" }, is_enterprise_install: true },
      "E1",
    ],
  ])("a press belongs to %s", (_name, outer, tenant) => {
    const payload = {
      type: "block_actions",
      user: { id: "U9", name: "pat", team_id: "T2" },
      trigger_id: "1.2.x",
      container: { message_ts: "1717000000.000100", channel_id: "C1" },
      channel: { id: "C1" },
      actions: [{ action_id: "ok", type: "button", value: "1" }],
      ...outer,
    };
    const form = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
    expect(eventOf(request(form, "application/x-www-form-urlencoded")).tenant).toBe(tenant);
  });
});

describe("a mention that was added to an old message", () => {
  it("happens when it was added, and is that message all the same", () => {
    const event = eventOf(
      request(
        messageBody({
          type: "app_mention",
          text: "<@UBOT> so?",
          ts: "1716900000.000100",
          event_ts: "1717000000.000200",
        }),
      ),
    );
    expect(event).toMatchObject({ id: "slack:T1:C1:1716900000.000100", occurredAtMs: 1_717_000_000_000 });
  });
});
