import { afterEach, beforeEach, expect, it } from "vitest";
import type { Form } from "../../../adapters/shared/forms.ts";
import { asVerified } from "../../contract/raw-request.ts";
import { type FakeSlack, fakeSlack } from "../../fakes/slack.ts";
import { NO_DESK } from "../../support/desk.ts";
import { adapterOf, eventOf, fixture, form, interactivity, TOKEN } from "./setup.ts";

const DEPLOY: Form = {
  id: "deploy",
  opened_by: ["/deploy", "retry"],
  title: "Deploy",
  fields: [
    { id: "service", label: "Service", type: "choice", required: true, choices: ["api", "web"] },
    { id: "count", label: "How many", type: "text", required: false, format: "integer", placeholder: "3" },
    { id: "why", label: "Why", type: "paragraph", required: true, max_length: 500 },
    { id: "day", label: "Day", type: "date", required: false },
  ],
};

let fake: FakeSlack;
beforeEach(async () => {
  fake = await fakeSlack({ token: TOKEN });
});
afterEach(() => fake.close());

const parse = (incoming: ReturnType<typeof form>) =>
  adapterOf({ apiUrl: fake.apiUrl, forms: [DEPLOY] }).parse(asVerified(incoming));
const command = (text: string, trigger = "1.2.abc", name = "/deploy") =>
  form({
    team_id: "T1",
    channel_id: "C1",
    user_id: "U1",
    command: name,
    text,
    trigger_id: trigger,
    response_url: "https://hooks.slack.com/commands/T1/1/x",
  });
async function open(incoming: ReturnType<typeof form>) {
  const inbound = parse(incoming);
  if (inbound.kind !== "ignored") throw new Error(`Expected a form, got ${inbound.kind}`);
  await inbound.aside?.(NO_DESK);
  return inbound;
}

it("a command with nothing behind it opens the form of its name", async () => {
  expect(await open(command(""))).toMatchObject({ reason: "form_opened", ack: { status: 200 } });
  const [opened] = fake.surfaces.views;
  expect(opened).toMatchObject({
    kind: "modal",
    to: "1.2.abc",
    view: { callback_id: "deploy", title: { text: "Deploy" }, private_metadata: '{"channel":"C1"}' },
  });
  const { blocks } = (opened?.view ?? { blocks: [] }) as {
    blocks: { block_id: string; optional: boolean; element: object }[];
  };
  expect(blocks.map(({ block_id, optional, element }) => [block_id, optional, element])).toEqual([
    [
      "service",
      false,
      {
        type: "static_select",
        action_id: "service",
        options: ["api", "web"].map((value) => ({ text: { type: "plain_text", text: value }, value })),
      },
    ],
    [
      "count",
      true,
      {
        type: "plain_text_input",
        action_id: "count",
        multiline: false,
        placeholder: { type: "plain_text", text: "3" },
      },
    ],
    ["why", false, { type: "plain_text_input", action_id: "why", multiline: true, max_length: 500 }],
    ["day", true, { type: "datepicker", action_id: "day" }],
  ]);
});

it("a command that says what it needs runs, and a button opens a form too", async () => {
  expect(parse(command("api"))).toMatchObject({ kind: "events", events: [{ text: "api" }] });
  expect((await open(fixture("block-actions"))).reason).toBe("form_opened");
  expect(fake.surfaces.views).toHaveLength(1);
  expect(eventOf(fixture("block-actions")).command).toBe("retry");
});

it("who waits for a form that does not open is told, and nobody else", async () => {
  await open(command(""));
  await open(command(""));
  expect(fake.surfaces.views).toHaveLength(1);
  expect(fake.messages.map(({ text, visibleTo }) => [text, visibleTo])).toEqual([
    ["The form could not be opened in time. Please try again.", "whoever asked"],
  ]);
});

const sent = (count: string, id = "deploy") =>
  interactivity({
    type: "view_submission",
    team: { id: "T1" },
    user: { id: "U1", name: "ann", team_id: "T1" },
    api_app_id: "A1",
    trigger_id: "1.2.ghi",
    view: {
      id: "V1",
      type: "modal",
      callback_id: id,
      private_metadata: '{"channel":"C1"}',
      hash: "1.x",
      state: {
        values: {
          service: { service: { type: "static_select", selected_option: { value: "api" } } },
          count: { count: { type: "plain_text_input", value: count } },
        },
      },
    },
  });

it("what is wrong in it is said at its field, and what is right is an event", () => {
  const wrong = parse(sent("three"));
  expect(wrong).toMatchObject({ kind: "ignored", reason: "form_errors", ack: { status: 200 } });
  expect(JSON.parse("ack" in wrong ? (wrong.ack.body ?? "") : "")).toEqual({
    response_action: "errors",
    errors: { count: "Expected a whole number, such as 3." },
  });
  expect(parse(sent("3"))).toMatchObject({
    kind: "events",
    events: [{ command: "deploy", text: "service: api\ncount: 3", trigger: "button", place: "C1" }],
  });
  expect(parse(sent("three", "other")).kind).toBe("events");
});

it("files that are handed in come with the form, and their names in its words", async () => {
  const files = [
    {
      ...{ id: "F1", name: "a.txt", mimetype: "text/plain", size: 3 },
      url_private: "https://files.slack.com/files-pri/T1-F1/a.txt",
    },
    { id: "F2", name: "b.png", mimetype: "image/png", size: 9 },
  ];
  const form: Form = {
    ...{ id: "report", opened_by: ["/report"], title: "Report" },
    fields: [{ id: "logs", label: "Logs", type: "file", required: false }],
  };
  const by = adapterOf({ apiUrl: fake.apiUrl, forms: [form] });
  const opening = by.parse(asVerified(command("", "1.2.rep", "/report")));
  if (opening.kind !== "ignored") throw new Error(`Expected a form, got ${opening.kind}`);
  await opening.aside?.(NO_DESK);
  expect(fake.surfaces.views.at(-1)?.view).toMatchObject({
    blocks: [{ block_id: "logs", element: { type: "file_input", action_id: "logs", max_files: 10 } }],
  });

  const sent = (values: object) =>
    eventOf(
      interactivity({
        type: "view_submission",
        ...{ team: { id: "T1" }, user: { id: "U1" }, api_app_id: "A1" },
        view: { id: "V1", hash: "1.x", callback_id: "report", state: { values } },
      }),
    );
  const handed = { logs: { logs: { type: "file_input", files } } };
  const event = sent({ ...handed, why: { why: { type: "plain_text_input", value: "broken" } } });
  expect(event.text).toBe("logs: a.txt, b.png\nwhy: broken");
  expect(event.attachments).toEqual([
    {
      ...{ id: "F1", kind: "document", name: "a.txt", mime: "text/plain", sizeBytes: 3 },
      source: "https://files.slack.com/files-pri/T1-F1/a.txt",
    },
    { id: "F2", kind: "image", name: "b.png", mime: "image/png", sizeBytes: 9 },
  ]);
  expect(sent({ logs: { logs: { type: "file_input", files: [] } } }).attachments).toEqual([]);
});
