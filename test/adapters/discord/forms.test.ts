import { expect, it } from "vitest";
import { createDiscordAdapter } from "../../../adapters/discord/adapter.ts";
import type { Form } from "../../../adapters/shared/forms.ts";
import { asVerified } from "../../contract/raw-request.ts";
import { FakeClock } from "../../support/clock.ts";
import { ackOf, bodyOf, NOW_MS, PUBLIC_KEY, request } from "./fixture.ts";

const DEPLOY: Form = {
  id: "deploy",
  opened_by: ["/deploy", "retry:42"],
  title: "Deploy",
  fields: [
    { id: "env", label: "Environment", type: "text", required: true, format: "integer" },
    { id: "why", label: "Why", type: "paragraph", required: false, placeholder: "Because", max_length: 500 },
    { id: "parts", label: "Parts", type: "choices", required: true, choices: ["api", "web"] },
    { id: "who", label: "Who", type: "user", required: true },
    { id: "log", label: "Log", type: "file", required: false },
  ],
};
const parse = (body: object, forms: readonly Form[] = [DEPLOY]) =>
  createDiscordAdapter({
    publicKeys: [PUBLIC_KEY],
    botToken: null,
    applicationId: "900",
    forms,
    clock: new FakeClock(NOW_MS),
    timeoutMs: 1_000,
    random: () => 0.5,
  }).parse(asVerified(request(body)));
const slash = (options: object[]) => ({
  ...bodyOf("slash"),
  data: { id: "40", name: "deploy", type: 1, options },
});

const MODAL = {
  type: 9,
  data: {
    custom_id: "deploy",
    title: "Deploy",
    components: [
      { type: 18, label: "Environment", component: { type: 4, custom_id: "env", required: true, style: 1 } },
      {
        type: 18,
        label: "Why",
        component: {
          type: 4,
          custom_id: "why",
          required: false,
          placeholder: "Because",
          style: 2,
          max_length: 500,
        },
      },
      {
        type: 18,
        label: "Parts",
        component: {
          type: 3,
          custom_id: "parts",
          required: true,
          options: [
            { label: "api", value: "api" },
            { label: "web", value: "web" },
          ],
          min_values: 1,
          max_values: 2,
        },
      },
      { type: 18, label: "Who", component: { type: 5, custom_id: "who", required: true } },
      {
        type: 18,
        label: "Log",
        component: { type: 19, custom_id: "log", required: false, min_values: 0, max_values: 10 },
      },
    ],
  },
};

it.each([
  ["a command with nothing filled in", slash([])],
  ["a button", bodyOf("button")],
])("%s opens the form of its name, as the first answer", (_, body) => {
  const inbound = parse(body);
  expect(inbound).toMatchObject({ kind: "ignored", reason: "form_opened" });
  expect(ackOf(inbound)).toEqual({ status: 200, body: MODAL });
});

it("a command that says what it needs runs, and nothing opens that is not configured", () => {
  expect(parse(slash([{ name: "service", type: 3, value: "api" }])).kind).toBe("events");
  expect(parse(slash([]), []).kind).toBe("events");
});

const sent = (value: string) => ({
  ...bodyOf("modal"),
  data: {
    custom_id: "deploy",
    components: [{ type: 18, id: 1, component: { type: 4, id: 2, custom_id: "env", value } }],
  },
});

it("what is wrong in it is told to the person alone, and what is right is an event", () => {
  const wrong = parse(sent("prod"));
  expect(wrong).toMatchObject({ kind: "ignored", reason: "form_errors" });
  expect(ackOf(wrong)).toEqual({
    status: 200,
    body: {
      type: 4,
      data: {
        content: "This was not sent:\n**Environment**: Expected a whole number, such as 3.",
        flags: 64,
        allowed_mentions: { parse: [] },
      },
    },
  });
  expect(parse(sent("3"))).toMatchObject({
    kind: "events",
    events: [{ command: "deploy", text: "3", trigger: "button", pressed: { kind: "form" } }],
  });
});
