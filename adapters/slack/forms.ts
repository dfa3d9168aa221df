import type { TriggerEvent } from "../../src/domain/event.ts";
import type { Inbound } from "../../src/ports/adapter.ts";
import { get, getObject, getString, type JsonObject } from "../../src/shared/json.ts";
import type { Field, Form, Forms } from "../shared/forms.ts";
import { actionText } from "./values.ts";

export const SLACK_FIELDS = ["user", "channel", "date", "time", "file"] as const;
/** Of one field; Slack takes no more. */
const FILES_MAX = 10;

/** Opens a modal for whoever caused this event, within the life of its trigger; what came of it is told to nobody but them. */
export type OpenModal = (event: TriggerEvent, triggerId: string, view: object) => Promise<void>;

export interface FormOptions {
  readonly forms: Forms;
  readonly open: OpenModal;
}

/** Null: nothing opens. Slack takes a trigger once, and for three seconds. */
export function openingFor(
  event: TriggerEvent,
  payload: JsonObject,
  { forms, open }: FormOptions,
): Inbound | null {
  const triggerId = getString(payload, "trigger_id");
  // Within a modal a button is part of it.
  const isInModal = get(getObject(payload, "view"), "type") === "modal";
  const form = triggerId === undefined || isInModal ? null : forms.openedBy(event);
  if (form === null || triggerId === undefined) return null;
  const view = modalOf(form, event.isDirect ? null : event.place);
  return {
    kind: "ignored",
    reason: "form_opened",
    ack: { status: 200 },
    aside: () => open(event, triggerId, view),
  };
}

/** What is wrong with a form that was sent, which then stays open; null: nothing, or it is none of ours. */
export function faultsOf(payload: JsonObject, { forms }: FormOptions): Inbound | null {
  const view = getObject(payload, "view");
  if (getString(payload, "type") !== "view_submission" || view === undefined) return null;
  const values = getObject(getObject(view, "state"), "values");
  const filled = (id: string) => actionText(getObject(getObject(values, id), id));
  const faults = forms.faultsIn(getString(view, "callback_id") ?? "", filled);
  if (faults.length === 0) return null;
  const errors = Object.fromEntries(faults.map(({ field, message }) => [field.id, message]));
  const body = JSON.stringify({ response_action: "errors", errors });
  return {
    kind: "ignored",
    reason: "form_errors",
    ack: { status: 200, contentType: "application/json", body },
  };
}

/** `channel`: where it was asked for, which is kept with it. */
function modalOf({ id, title, fields }: Form, channel: string | null): object {
  return {
    type: "modal",
    callback_id: id,
    title: plain(title),
    submit: plain("Send"),
    close: plain("Cancel"),
    ...(channel !== null && { private_metadata: JSON.stringify({ channel }) }),
    blocks: fields.map((field) => ({
      type: "input",
      block_id: field.id,
      optional: !field.required,
      label: plain(field.label),
      element: elementOf(field),
    })),
  };
}

function elementOf({ id, type, placeholder, max_length, choices = [] }: Field): object {
  const common = { action_id: id, ...(placeholder !== undefined && { placeholder: plain(placeholder) }) };
  const options = choices.map((choice) => ({ text: plain(choice), value: choice }));
  switch (type) {
    case "choice":
      return { type: "static_select", ...common, options };
    case "choices":
      return { type: "multi_static_select", ...common, options };
    case "user":
      return { type: "users_select", ...common };
    case "channel":
      return { type: "channels_select", ...common };
    case "date":
      return { type: "datepicker", ...common };
    case "time":
      return { type: "timepicker", ...common };
    case "file":
      // It shows no placeholder.
      return { type: "file_input", action_id: id, max_files: FILES_MAX };
    default:
      return {
        type: "plain_text_input",
        ...common,
        multiline: type === "paragraph",
        ...(max_length !== undefined && { max_length }),
      };
  }
}

function plain(text: string): object {
  return { type: "plain_text", text };
}
