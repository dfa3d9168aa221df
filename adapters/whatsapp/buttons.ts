import type { Button, ButtonLimits } from "../../src/domain/button.ts";
import type { JsonObject } from "../../src/shared/json.ts";

const REPLY_LIMITS: ButtonLimits = { buttonsMax: 3, labelCharsMax: 20 };
/** More of them are the rows of a list, which opens at a press. */
const LIST_LIMITS: ButtonLimits = { buttonsMax: 10, labelCharsMax: 24 };
/** As many as a list holds, as long as all may be. */
export const BUTTON_LIMITS: ButtonLimits = { buttonsMax: 10, labelCharsMax: 20 };
/** What opens a list. */
const OPEN = "Choose";

export function limitsFor(buttons: readonly Button[]): ButtonLimits {
  return buttons.length > REPLY_LIMITS.buttonsMax ? LIST_LIMITS : REPLY_LIMITS;
}

/** Of a message with buttons; one without holds more. */
export const BODY_CHARS_MAX = 1_024;

/** There are no colours. */
export function interactive(body: string, buttons: readonly Button[]): JsonObject {
  if (buttons.length > REPLY_LIMITS.buttonsMax) {
    const rows = buttons.map(({ id, label }) => ({ id, title: label }));
    return { type: "list", body: { text: body }, action: { button: OPEN, sections: [{ rows }] } };
  }
  const replies = buttons.map(({ id, label }) => ({ type: "reply", reply: { id, title: label } }));
  return { type: "button", body: { text: body }, action: { buttons: replies } };
}
