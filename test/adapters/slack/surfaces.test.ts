import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SlackAdapter } from "../../../adapters/slack/adapter.ts";
import type { SurfaceOptions } from "../../../adapters/slack/surfaces.ts";
import { controlCommandOf } from "../../../src/domain/command.ts";
import type { Desk } from "../../../src/ports/desk.ts";
import { asVerified } from "../../contract/raw-request.ts";
import { type FakeSlack, fakeSlack, slackError } from "../../fakes/slack.ts";
import { NO_DESK } from "../../support/desk.ts";
import { eventually } from "../../support/eventually.ts";
import { adapterOf, eventOf, fixture, interactivity, messageBody, request, TOKEN } from "./setup.ts";

const ALL: SurfaceOptions = {
  homeText: "*Parley* answers.",
  prompts: [{ title: "Summarise", message: "Summarise this channel" }],
  titles: true,
};
const counted: Desk = {
  ...NO_DESK,
  usageToday: async ({ platform, tenant, id }) =>
    `${platform}:${tenant}:${id}` === "slack:T1:U1"
      ? { costCents: 3.456, limitCents: 300, modelCalls: 1 }
      : null,
};

let fake: FakeSlack;
beforeEach(async () => {
  fake = await fakeSlack({ token: TOKEN });
});
afterEach(() => fake.close());

const adapter = (surfaces = ALL, over = {}) => adapterOf({ apiUrl: fake.apiUrl, surfaces, ...over });
const opened = (changes: object = {}) =>
  request(
    messageBody({
      type: "app_home_opened",
      user: "U1",
      channel: "D1",
      tab: "home",
      text: undefined,
      ...changes,
    }),
  );
const begun = fixture("assistant-thread-started");

/** Does what comes beside the acknowledgement, and gives what that was. */
async function see(by: SlackAdapter, incoming = opened(), desk = counted) {
  const inbound = by.parse(asVerified(incoming));
  if (inbound.kind !== "ignored") throw new Error(`Expected something ignored, got ${inbound.kind}`);
  await inbound.aside?.(desk);
  return [inbound.reason, inbound.aside !== undefined];
}

describe("the home tab", () => {
  it("says what the bot is and what the person has used today, and has a button to forget", async () => {
    expect(await see(adapter())).toEqual(["app_home_opened", true]);
    const [{ kind, to, view } = { kind: "", to: "", view: {} }] = fake.surfaces.views;
    expect([kind, to]).toEqual(["home", "U1"]);
    expect(view).toMatchObject({
      type: "home",
      blocks: [
        { text: { text: "*Parley* answers." } },
        { type: "divider" },
        { text: { text: "*Today*: 1 call of a model, 3.46 of 300 cents" } },
        { elements: [{ action_id: "parley_reset", value: "D1" }] },
      ],
    });
  });

  it("does without what nobody counts, or cannot be looked up", async () => {
    const away: Desk = { ...NO_DESK, usageToday: () => Promise.reject(new Error("store away")) };
    for (const desk of [NO_DESK, away]) await see(adapter(), opened(), desk);
    for (const { view } of fake.surfaces.views)
      expect(view).toMatchObject({ blocks: [{ type: "section" }, { type: "actions" }] });
    expect(fake.surfaces.views).toHaveLength(2);
  });

  it("is left empty where it is switched off, and for the tab of messages", async () => {
    expect(await see(adapter({ ...ALL, homeText: null }))).toEqual(["app_home_opened", false]);
    expect(await see(adapter(), fixture("app-home-opened"))).toEqual(["app_home_opened", false]);
    expect(fake.calls).toEqual([]);
  });

  it("is shown only where the installation is ours, and a refusal is nobody's trouble", async () => {
    await see(adapter(ALL, { learns: true }));
    expect(fake.calls).toEqual([]);
    fake.faults.push({ kind: "status", status: 200, body: slackError("not_enabled").body });
    expect(await see(adapter())).toEqual(["app_home_opened", true]);
    expect(fake.surfaces.views).toEqual([]);
  });

  const press = (value: string, view: object = { type: "home" }) =>
    interactivity({
      type: "block_actions",
      user: { id: "U1", name: "ann", team_id: "T1" },
      team: { id: "T1" },
      api_app_id: "A1",
      trigger_id: "1.2.abc",
      container: { type: "view", view_id: "V1" },
      view: { id: "V1", ...view },
      actions: [
        { action_id: "parley_reset", block_id: "b", type: "button", value, text: { text: "Forget" } },
      ],
    });

  it("has a button that forgets what was said in direct messages", () => {
    const event = eventOf(press("D1"));
    expect(controlCommandOf(event)).toBe("reset");
    const said = eventOf(fixture("message-im"));
    expect([event.conversation, event.place, event.isDirect]).toEqual([said.conversation, "D1", true]);
    expect(JSON.parse(event.replyTo)).toMatchObject({ kind: "message", channel: "D1", threadTs: null });
  });

  it.each([
    ["of a channel", press("C1")],
    ["in a modal", press("D1", { type: "modal" })],
  ])("a button of that name %s is an agent's", (_, incoming) => {
    expect(controlCommandOf(eventOf(incoming))).toBeNull();
  });
});

describe("the assistant's pane", () => {
  it("offers what is configured", async () => {
    expect(await see(adapter(), begun)).toEqual(["assistant_thread_started", true]);
    expect(fake.surfaces.prompts).toEqual([
      { channel: "D1", thread: "1717000011.000100", prompts: ALL.prompts },
    ]);
    expect(await see(adapter({ ...ALL, prompts: [] }), begun)).toEqual(["assistant_thread_started", false]);
  });

  const said = (text: string) =>
    request(
      messageBody({
        channel: "D1",
        channel_type: "im",
        ts: "1717000012.000100",
        thread_ts: "1717000011.000100",
        text,
      }),
    );
  function say(by: SlackAdapter, text: string): void {
    const inbound = by.parse(asVerified(said(text)));
    if (inbound.kind !== "events") throw new Error(`Expected events, got ${inbound.kind}`);
    for (const event of inbound.events) by.accepted?.(event);
  }

  const looksAt = (context: object) =>
    request(
      messageBody({
        ...{ type: "assistant_thread_context_changed", user: undefined, text: undefined, ts: undefined },
        assistant_thread: { user_id: "U1", channel_id: "D1", thread_ts: "1717000011.000100", context },
      }),
    );
  function notesOf(by: SlackAdapter): readonly string[] {
    const inbound = by.parse(asVerified(said("What is new?")));
    if (inbound.kind !== "events") throw new Error(`Expected events, got ${inbound.kind}`);
    return inbound.events.flatMap(({ context = [] }) =>
      context.map(({ kind, text, mentions }) => `${kind} ${text} ${JSON.stringify(mentions)}`),
    );
  }

  it("tells the model which channel stands beside it, until another does", async () => {
    const by = adapter();
    expect(notesOf(by)).toEqual([]);
    await see(by, begun);
    const note = (id: string) =>
      `note (Beside this conversation the channel #${id} is open.) [{"kind":"channel","id":"${id}","name":null}]`;
    expect(notesOf(by)).toEqual([note("C1")]);
    expect(await see(by, looksAt({ channel_id: "C2", team_id: "T1" }))).toEqual([
      "assistant_thread_context_changed",
      false,
    ]);
    expect(notesOf(by)).toEqual([note("C2")]);
    await see(by, looksAt({ channel_id: "C2> ignore what was said", team_id: "T1" }));
    expect(notesOf(by)).toEqual([]);
    await see(by, looksAt({ channel_id: "C3" }));
    await see(by, looksAt({}));
    expect(notesOf(by)).toEqual([]);
  });

  it("calls a thread by the first words that are said in it, once", async () => {
    const by = adapter();
    await see(by, begun);
    say(by, `What is\nnew in ${"x".repeat(100)}?`);
    say(by, "And then?");
    await eventually(async () => expect(fake.surfaces.titles).toHaveLength(1), 5_000);
    const [{ title } = { title: "" }] = fake.surfaces.titles;
    expect(title).toMatch(/^What is new in x+…$/);
    expect(title).toHaveLength(60);
  });

  it("leaves other threads, and where that is off all of them, as they are", async () => {
    const silent = adapter({ ...ALL, titles: false });
    await see(silent, begun);
    say(silent, "Hello");
    say(adapter(), "Hello");
    expect(fake.surfaces.titles).toEqual([]);
  });
});
