import type { Button } from "../../src/domain/button.ts";
import type { JsonObject } from "../../src/shared/json.ts";
import type { ButtonLimits } from "../shared/buttons.ts";

export const BUTTON_LIMITS: ButtonLimits = { buttonsMax: 3, labelCharsMax: 20 };
/** Of a message with buttons; one without holds more. */
export const BODY_CHARS_MAX = 1_024;

/** There are no colours. */
export function interactive(body: string, buttons: readonly Button[]): JsonObject {
  const replies = buttons.map(({ id, label }) => ({ type: "reply", reply: { id, title: label } }));
  return { type: "button", body: { text: body }, action: { buttons: replies } };
}
