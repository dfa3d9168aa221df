import { describe, expect, it } from "vitest";
import type { ChangePolicy } from "../../../adapters/shared/change-options.ts";
import { eventOf, fixture, messageBody, parse, request } from "./setup.ts";

const ID = "slack:T1:C1:1717000001.000100";
const RERUN: { changes: ChangePolicy } = { changes: { edits: "rerun", deletes: "forget" } };
const KEEP: { changes: ChangePolicy } = { changes: { edits: "rerun", deletes: "keep" } };

const before = { type: "message", user: "U1", text: "<@UBOT> deploy api", ts: "1717000001.000100" };
const after = {
  ...before,
  text: "<@UBOT> deploy web",
  edited: { user: "U1", ts: "1717000005.000000" },
};
const changed = (message: object, previous: object | undefined = before) =>
  request(
    messageBody({
      subtype: "message_changed",
      hidden: true,
      user: undefined,
      text: undefined,
      ts: "1717000005.000200",
      event_ts: "1717000005.000200",
      message,
      previous_message: previous,
    }),
  );
const deleted = (previous: object = before) =>
  request(
    messageBody({
      subtype: "message_deleted",
      user: undefined,
      text: undefined,
      ts: "1717000006.000200",
      deleted_ts: "1717000001.000100",
      previous_message: previous,
    }),
  );
const OK = { status: 200 };

describe("a message that was edited", () => {
  it("is left alone by default, as is a preview of a link under any policy", () => {
    expect(parse(fixture("message-changed"))).toEqual({ kind: "ignored", reason: "edit", ack: OK });
    const unfurled = { ...before, attachments: [{ title: "a page" }] };
    for (const message of [unfurled, { ...after, text: before.text }])
      expect(parse(changed(message), RERUN)).toEqual({ kind: "ignored", reason: "edit", ack: OK });
  });

  it("is answered anew by policy, in its conversation, and takes back what it said before", () => {
    const inbound = parse(changed(after), RERUN);
    expect(inbound).toMatchObject({ kind: "events", withdrawn: [ID] });
    expect(eventOf(changed(after), RERUN)).toMatchObject({
      id: `${ID}:edit:1717000005.000000`,
      conversation: ID,
      trigger: "mention",
      text: "deploy web",
      sender: { id: "U1" },
      occurredAtMs: 1_717_000_005_000,
    });
  });

  it("and edited again takes back the edit before it", () => {
    const again = { ...after, text: "<@UBOT> deploy db", edited: { user: "U1", ts: "1717000007.000000" } };
    expect(parse(changed(again, after), RERUN)).toMatchObject({
      events: [{ id: `${ID}:edit:1717000007.000000` }],
      withdrawn: [ID, `${ID}:edit:1717000005.000000`],
    });
  });

  it("so that it names the bot is one event, which comes in two deliveries", () => {
    const { user, text, ts, edited } = after;
    const mention = messageBody({ type: "app_mention", user, text, ts, edited, channel_type: undefined });
    expect(eventOf(request(mention), RERUN).id).toBe(eventOf(changed(after), RERUN).id);
    expect(eventOf(request(mention)).id).toBe(ID);
  });

  it.each([
    ["the bot itself", { ...after, user: "UBOT", app_id: "A1" }, "own_message"],
    ["Slack", { ...after, user: "USLACKBOT" }, "system"],
  ])("by %s starts nothing", (_, message, reason) => {
    expect(parse(changed(message), RERUN)).toMatchObject({ kind: "ignored", reason });
  });
});

describe("a message that was deleted", () => {
  it("is taken back, with what an edit made of it", () => {
    expect(parse(deleted())).toEqual({
      kind: "ignored",
      reason: "message_deleted",
      withdrawn: [ID],
      ack: OK,
    });
    expect(parse(deleted(after), RERUN)).toMatchObject({
      withdrawn: [ID, `${ID}:edit:1717000005.000000`],
    });
  });

  it("is taken back also where a stone is left in its place", () => {
    const stone = { ...before, subtype: "tombstone", user: "USLACKBOT", text: "This message was deleted." };
    expect(parse(changed(stone))).toMatchObject({ reason: "message_deleted", withdrawn: [ID] });
  });

  it("stays by policy", () => {
    expect(parse(deleted(), KEEP)).toEqual({ kind: "ignored", reason: "message_deleted", ack: OK });
  });

  it("takes nothing back where nobody can tell which it was", () => {
    const body = messageBody({ subtype: "message_deleted" });
    expect(parse(request(body))).toEqual({ kind: "ignored", reason: "message_deleted", ack: OK });
  });
});
